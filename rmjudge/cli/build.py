"""`rmjudge build`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rmjudge.cli.arguments import (
    add_cache_dir,
    add_command,
    add_json,
    add_option,
    add_sandbox,
    given_options,
)
from rmjudge.options import OPTIONS
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.grading.grader import Grader
    from rmjudge.running.building import Built, PreparedBuild

_OPTIONS: Final = (
    *("concurrency", "rpm", "tpm", "deadline", "outage", "params", "headers", "key_env"),
    *("max_cost", "max_cost_total", "max_calls"),
)
"""Those of a run that concern a build too; `[prices]` and the network stand in rmjudge.toml."""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "build",
        build,
        help="build an RM-Bench of your own from prompts",
        description="Build tuples from prompts of your own: a wrong side that is proven to be "
        "wrong and differs in nothing else. The same command again buys nothing, and an "
        "interrupted build goes on where it was.",
    )
    parser.add_argument(
        "prompts", type=path, metavar="PROMPTS", help=".jsonl or .json: id, prompt, and more"
    )
    parser.add_argument("--writer", required=True, metavar="MODEL", help="writes the texts")
    parser.add_argument(
        "--panel",
        action="append",
        default=[],
        metavar="MODEL",
        help="one of two or more models that check an edit blind; repeatable. Without a panel "
        "every edit waits for a person",
    )
    parser.add_argument("--out", type=path, required=True, metavar="DIR", help="where it is kept")
    parser.add_argument(
        "--recipe-dir",
        type=path,
        metavar="DIR",
        help="templates of your own for steps, such as answer.jinja",
    )
    add_sandbox(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would be bought")
    for name in _OPTIONS:
        add_option(parser, OPTIONS[name])
    add_cache_dir(parser)
    parser.add_argument(
        "--config", type=path, metavar="FILE", help="options (default ./rmjudge.toml)"
    )
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress")


def build(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Build, keep, show; return the exit code."""
    from rmjudge.building.answer import grader_for
    from rmjudge.building.asking import Templates
    from rmjudge.building.cases import read_cases
    from rmjudge.building.folder import check_folder, write_outcomes
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.config import laid_over, read_config, run_options
    from rmjudge.render.commands.build import build_sheets, published
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.building import prepare_build

    values = laid_over(read_config(arguments.config), given_options(arguments))
    kept = (*_OPTIONS, "cache_dir", "prices", "providers", "client_cert", "client_key")
    options = run_options(
        {
            name: value
            for name, value in values.items()
            if name in kept or (name not in OPTIONS and name != "models")
        }
    )
    prepared = prepare_build(
        read_cases(arguments.prompts),
        arguments.writer,
        arguments.panel,
        Templates(arguments.recipe_dir),
        options,
        notice=say,
        need_keys=not arguments.dry_run,
    )
    check_folder(arguments.out)
    with grader_for(prepared.cases) as grader:
        if arguments.dry_run:
            return _dry_run(prepared, grader, as_json=arguments.json)
        built = _built(arguments, prepared, grader)
    write_outcomes(arguments.out, prepared.record(), built.outcomes)
    found = published(arguments.out)
    code = built.stopped.exit_code if built.stopped else int(bool(found.of("open")))
    if arguments.json:
        asked: list[Any] = [
            {"model": item.scorer.name, "asked": one.asked, "from_cache": one.from_cache}
            for item, one in zip(prepared.models, built.tallies, strict=True)
        ]
        counts: Any = found.counts
        print_json({"exit_code": code, "folder": str(arguments.out), **counts, "calls": asked})
    else:
        tables().print(sheets_renderable(build_sheets(found)))
    for line in built.notes:
        say(line)
    say(f"tuples: {arguments.out}")
    if built.stopped is not None:
        say(f"rmjudge: stopped: {built.stopped}")
    if found.of("open"):
        say("every answer so far is kept; the same command goes on")
    return code


def _built(arguments: argparse.Namespace, prepared: PreparedBuild, grader: Grader | None) -> Built:
    import asyncio

    from rmjudge.cli.code import sandbox_for
    from rmjudge.cli.console import people, say
    from rmjudge.running import building
    from rmjudge.running.signals import draining

    watch = None
    if not arguments.quiet:
        from rmjudge.render.progress import watcher

        watch = watcher(people())
    sandbox = sandbox_for(arguments, {case.language for case in prepared.cases if case.tests})
    try:
        return asyncio.run(
            building.build(
                prepared, sandbox=sandbox, grader=grader, watch=watch, started=draining(say)
            )
        )
    finally:
        if sandbox is not None:
            sandbox.close()


def _dry_run(prepared: PreparedBuild, grader: Grader | None, *, as_json: bool) -> int:
    import asyncio

    from rmjudge.cli.console import print_json, tables
    from rmjudge.render.commands.build import rehearsal_json, rehearsal_sheet
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.build_estimate import expected, rehearse
    from rmjudge.running.estimate import ceilings

    likely, worst = (
        asyncio.run(rehearse(prepared, grader, worst=worst)) for worst in (False, True)
    )
    found = expected(prepared, likely, worst)
    reached = list(ceilings(found, prepared.options, of="build"))
    if as_json:
        print_json(rehearsal_json(found, reached))
    else:
        tables().print(sheets_renderable([rehearsal_sheet(found, reached)]))
    return 0
