"""`rmjudge cache info|verify|explain|export|import`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from rmjudge.cache import inspect, portable
from rmjudge.cache.store import default_folder
from rmjudge.calls import Json
from rmjudge.cli.console import print_json, tables
from rmjudge.render.commands import cache as keeping


def cache(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Look into the cache, or carry it elsewhere; 1 when something in it is wrong."""
    folder = Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None
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
            exported = portable.export_answers(kept, Path(arguments.file))
            _print(arguments, keeping.export_renderable(exported), keeping.export_to_json(exported))
            return int(exported.damaged > 0)
        case "import":
            merged = portable.import_answers(Path(arguments.file), folder or default_folder())
            _print(arguments, keeping.import_renderable(merged), keeping.import_to_json(merged))
            return int(bool(merged.rejected or merged.conflicts))
        case _:
            explanations = list(_explain(Path(arguments.folder), folder))
            _print(
                arguments,
                keeping.explain_renderable(explanations),
                {"explain": [keeping.explain_to_json(*item) for item in explanations]},
            )
            return 0


def _print(arguments: argparse.Namespace, shown: object, data: dict[str, Json]) -> None:
    if arguments.json:
        print_json(data)
    else:
        tables().print(shown)


def _explain(run: Path, folder: Path | None) -> Iterator[tuple[str, inspect.Explanation]]:
    """Plan the run again from its `run.json` and hold the plan against the cache."""
    from rmjudge.runs.replan import replan

    for planned in replan(run):
        kept = inspect.require(folder or planned.cache_folder)
        yield (
            planned.scorer,
            inspect.explain(
                kept, planned.scorer_key, planned.identity, planned.calls, planned.started
            ),
        )
