"""`rmjudge data check`, `rmjudge data new`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import add_command, add_json, add_option
from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS
from rmjudge.options.written import path, source

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.benchmarks.items import ItemSet
    from rmjudge.building.folder import Settled
    from rmjudge.calls import Json


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "data", check, help="look at a data set")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    checking = actions.add_parser(
        "check",
        help="validate and summarise",
        description="Validate and summarise a data set.",
        allow_abbrev=False,
    )
    checking.add_argument("sources", nargs="+", type=source, metavar="SOURCE")
    for name in ("benchmark", "columns"):
        add_option(checking, OPTIONS[name])
    add_json(checking)
    writing = actions.add_parser(
        "new",
        help="write a file with one tuple to copy from",
        description="Write a file with one tuple, to copy from for tuples of your own.",
        allow_abbrev=False,
    )
    writing.add_argument("file", type=path, metavar="FILE", help=".json (a list) or .jsonl")
    writing.set_defaults(handler=new)


def new(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Write the template, never over a file, and say what comes next."""
    import shlex

    from rmjudge.cli.console import say
    from rmjudge.dataset.template import write_template

    write_template(arguments.file)
    name = shlex.quote(str(arguments.file))
    say(f"{name} has one tuple: copy it for your own, then `rmjudge data check {name}`")
    return 0


def check(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Validate, then say what the data holds. Problems raise a DataError."""
    from rmjudge.benchmarks.sets import load_sets
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.dataset import load, summarise
    from rmjudge.render.commands.data import summary_renderable, summary_to_json
    from rmjudge.statistics.looks import looks_of

    sources, sets = load_sets(
        arguments.sources,
        name=arguments.benchmark,
        columns=dict(arguments.columns or ()),
        notice=say,
    )
    if sets:
        return _check_sets(sources, sets, as_json=arguments.json)
    data = load(sources, notice=say)
    summary = summarise(data)
    looks = looks_of(data)
    builds = _builds(sources)
    if arguments.json:
        from rmjudge.render.commands.build import quality_json

        made: Json = {str(folder): quality_json(found) for folder, found in builds.items()}
        told = summary_to_json(summary, looks)
        print_json({**told, "builds": made} if builds else told)
    else:
        from rmjudge.render.commands.build import build_sheets

        sheets = [sheet for found in builds.values() for sheet in build_sheets(found)]
        tables().print(summary_renderable(summary, looks, sheets))
    return 0


def _builds(sources: Sequence[str | Path]) -> dict[Path, Settled]:
    """The sources that `rmjudge build` wrote, and how their prompts ended."""
    from pathlib import Path

    from rmjudge.building.folder import OUTCOMES, settle_folder

    folders = [Path(one) for one in sources]
    return {one: settle_folder(one)[1] for one in folders if (one / OUTCOMES).is_file()}


def _check_sets(sources: Sequence[str | Path], sets: Sequence[ItemSet], *, as_json: bool) -> int:
    """Say what sets beside RM-Bench hold."""
    from rmjudge.cli.console import print_json, tables
    from rmjudge.render.commands.benchmark_tables import check_sheet
    from rmjudge.render.terminal.listings import sheets_renderable

    if sources:
        raise UsageError(
            f"{sources[0]} is RM-Bench's, and other sources are of {sets[0].name}: check them apart"
        )
    sheets = [check_sheet(one) for one in sets]
    if as_json:
        print_json(
            {
                one.name: [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]
                for one, sheet in zip(sets, sheets, strict=True)
            }
        )
    else:
        tables().print(sheets_renderable(sheets))
    return 0
