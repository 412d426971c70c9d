"""`rmjudge cache info|verify|explain|export|import|adopt`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import (
    add_cache_dir,
    add_command,
    add_data,
    add_json,
    add_option,
    given_options,
)
from rmjudge.options import OPTIONS
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.cache import inspect
    from rmjudge.calls import Json
    from rmjudge.running.adopting import Adopted


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "cache", cache, help="look at the kept answers")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    about = {
        "info": "what is kept, by scorer",
        "verify": "read every row and check it",
        "explain": "why a run's calls were not found: which part of the key differs",
        "export": "write every answer to a file: a backup, or for another machine",
        "adopt": "take answers over under a name of your own, after asking five of them again",
        "import": "add a file's answers; what is kept already is never overwritten",
    }
    named = {
        "explain": ("folder", "RUN", "what `rmjudge run` wrote"),
        "export": ("file", "FILE", "a new file; gzipped where it ends in .gz"),
        "import": ("file", "FILE", "what `rmjudge cache export` wrote"),
    }
    for name, help in about.items():
        action = actions.add_parser(name, help=help, allow_abbrev=False)
        if name in named:
            argument, metavar, what = named[name]
            action.add_argument(argument, type=path, metavar=metavar, help=what)
        if name == "adopt":
            action.add_argument("model", metavar="NAME=PROVIDER/MODEL@URL", help="as run takes it")
            action.add_argument(
                "olds",
                nargs="+",
                metavar="OLD",
                help="whose answers: PROVIDER/MODEL[@URL], an address, or a key of `cache info`",
            )
            action.add_argument(
                "--unchecked", action="store_true", help="ask nothing at the new address"
            )
            add_data(action, "where kept questions are found (default sample)")
            add_option(action, OPTIONS["key_env"])
            add_option(action, OPTIONS["headers"])
        if name == "explain":
            add_data(action)
        add_cache_dir(action)
        add_json(action, "one JSON object")


def cache(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Look into the cache, or carry it elsewhere; 1 when something in it is wrong."""
    from rmjudge.cache import inspect, portable
    from rmjudge.cache.answers import default_folder
    from rmjudge.render.commands import cache as keeping

    folder = arguments.cache_dir
    match arguments.action:
        case "info":
            info = inspect.info(inspect.require(folder or default_folder()))
            _print(arguments, keeping.info_renderable(info), keeping.info_to_json(info))
            return 0
        case "verify":
            found = inspect.verify(inspect.require(folder or default_folder()))
            _print(arguments, keeping.verify_renderable(found), keeping.verify_to_json(found))
            return 0 if found.sound else 1
        case "export":
            kept = inspect.require(folder or default_folder())
            exported = portable.export_answers(kept, arguments.file)
            _print(arguments, keeping.export_renderable(exported), keeping.export_to_json(exported))
            return int(exported.damaged > 0)
        case "import":
            merged = portable.import_answers(arguments.file, folder or default_folder())
            _print(arguments, keeping.import_renderable(merged), keeping.import_to_json(merged))
            return int(bool(merged.rejected or merged.conflicts))
        case "adopt":
            adopted = _adopt(arguments, inspect.require(folder or default_folder()))
            _print(arguments, keeping.adopt_renderable(adopted), keeping.adopt_to_json(adopted))
            return 0
        case _:
            explanations = list(_explain(arguments.folder, arguments.data or (), folder))
            _print(
                arguments,
                keeping.explain_renderable(explanations),
                {"explain": [keeping.explain_to_json(*item) for item in explanations]},
            )
            return 0


def _print(arguments: argparse.Namespace, shown: object, data: dict[str, Json]) -> None:
    from rmjudge.cli.console import print_json, tables

    if arguments.json:
        print_json(data)
    else:
        tables().print(shown)


def _adopt(arguments: argparse.Namespace, folder: Path) -> list[Adopted]:
    from rmjudge.config import laid_over, read_config, run_options
    from rmjudge.running.adopting import adopt

    given = {
        name: value
        for name, value in given_options(arguments).items()
        if name in ("data", "key_env", "headers")
    }
    file = {name: value for name, value in read_config(None).items() if name != "models"}
    options = run_options(laid_over(file, given))
    return adopt(arguments.model, arguments.olds, folder, options, unchecked=arguments.unchecked)


def _explain(
    folder: Path, data: Sequence[str], cache_folder: Path | None
) -> Iterator[tuple[str, inspect.Explanation]]:
    """Plan the run again from its `run.json` and hold the plan against the cache."""
    from rmjudge.cache import inspect
    from rmjudge.cli.console import say
    from rmjudge.runs.stored import read_runs

    for run in read_runs([folder], data=data, cache_folder=cache_folder, notice=say):
        if run.record.combined:  # it asked nothing
            continue
        asked = run.asked
        kept = inspect.require(asked.cache_folder)
        explained = inspect.explain(kept, asked.identity, asked.calls, asked.started)
        yield run.result.metrics.scorer, explained
