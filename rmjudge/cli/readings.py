"""`rmjudge readings`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import FORMATS, add_command, add_runs
from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.calls import Json
    from rmjudge.readings.compute import ToolNumbers
    from rmjudge.render.sheets import Sheet
    from rmjudge.runs.results import ScorerResult


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "readings",
        readings,
        help="how other tools would read a run",
        description="Read finished runs as RM-Bench's scripts, RM-R1, RM-Gallery, reward-bench, "
        "JudgeBench and others do, and say why the numbers differ. Nothing is called.",
    )
    add_runs(parser)
    parser.add_argument(
        "--as",
        action="append",
        dest="tools",
        metavar="TOOL",
        help="only as this tool; repeatable (default: every tool that the run can be read as)",
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default table")


def readings(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs as other tools read them."""
    from rmjudge.cli.console import say
    from rmjudge.readings.compute import read_as
    from rmjudge.readings.items import ITEM_NAMES
    from rmjudge.readings.tools import NAMES
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.items import part_results
    from rmjudge.runs.stored import read_runs

    known = tuple(dict.fromkeys((*NAMES, *ITEM_NAMES)))
    for name in arguments.tools or ():
        if name not in known:
            raise UsageError(f"--as {name}: no such tool; {did_you_mean(name, known)}")
    of_tuples, of_items = part_results(arguments.folders)
    told = _other_sets(arguments, of_items, beside=bool(of_tuples)) if of_items else []
    if not of_tuples:
        return 0
    found, left = distinct(read_runs(of_tuples))
    runs = [(run.result, read_as(run.result, arguments.tools)) for run in found]
    if arguments.tools and not of_items:
        _require(runs)
    _show(arguments.format, runs, told)
    for note in left:
        say(note)
    return 0


def _other_sets(
    arguments: argparse.Namespace, folders: Sequence[Path], *, beside: bool
) -> list[Json]:
    """Show how other tools would count runs on other sets; return it for programs."""
    from rmjudge.cli.sets import show_sets
    from rmjudge.readings.items import read_items_as
    from rmjudge.render.commands import benchmark_readings as shown
    from rmjudge.runs.items import read_items, rules_of

    results = [read_items(folder) for folder in folders]
    read = [(one, read_items_as(one, rules_of(one), arguments.tools)) for one in results]
    if arguments.tools and not beside and all(r.lacks for _, some in read for r in some):
        needs = next((one.lacks for _, some in read for one in some), "another kind of set")
        raise UsageError(
            f"the runs cannot be read as {', '.join(arguments.tools)}; needed: {needs}"
        )
    told = shown.readings_data(read)
    sheets, csv = shown.readings_sheets(read), shown.readings_csv(read)
    show_sets(arguments.format, sheets, told, csv, beside=beside)
    return told


def _require(runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]]) -> None:
    """Refuse where none of the readings that were asked for can be had."""
    found = [(result, reading) for result, some in runs for reading in some]
    if all(reading.unavailable for _, reading in found):
        result, reading = found[0]
        raise UsageError(
            f"{result.metrics.scorer} cannot be read as {reading.tool.title}; "
            f"needed: {reading.unavailable}"
        )


def _show(
    format: str,
    runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]],
    told: Sequence[Json],
) -> None:
    from rmjudge.cli.console import print_text
    from rmjudge.cli.sets import with_sets
    from rmjudge.render.commands import readings as shown
    from rmjudge.runs.naming import labels

    if format == "json":
        print_text(with_sets(shown.readings_json(runs), told))
    elif format == "csv":
        print_text(shown.readings_csv(runs))
    else:
        names = labels([result for result, _ in runs])
        _print(
            format,
            [shown.readings_sheet(*run, name) for run, name in zip(runs, names, strict=True)],
        )


def _print(format: str, sheets: Sequence[Sheet]) -> None:
    from rmjudge.cli.console import print_text, tables
    from rmjudge.render.sheets import sheets_latex, sheets_markdown

    match format:
        case "markdown":
            print_text(sheets_markdown(sheets))
        case "latex":
            print_text(sheets_latex(sheets))
        case _:
            from rmjudge.render.terminal.listings import sheets_renderable

            tables().print(sheets_renderable(sheets))
