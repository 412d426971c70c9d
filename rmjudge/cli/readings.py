"""`rmjudge readings`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import FORMATS, add_command, add_runs
from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean

if TYPE_CHECKING:
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
    from rmjudge.readings.tools import NAMES
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.stored import read_runs

    for name in arguments.tools or ():
        if name not in NAMES:
            raise UsageError(f"--as {name}: no such tool; {did_you_mean(name, NAMES)}")
    found, left = distinct(read_runs(arguments.folders))
    runs = [(run.result, read_as(run.result, arguments.tools)) for run in found]
    if arguments.tools:
        _require(runs)
    _show(arguments.format, runs)
    for note in left:
        say(note)
    return 0


def _require(runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]]) -> None:
    """Refuse where none of the readings that were asked for can be had."""
    found = [(result, reading) for result, some in runs for reading in some]
    if all(reading.unavailable for _, reading in found):
        result, reading = found[0]
        raise UsageError(
            f"{result.metrics.scorer} cannot be read as {reading.tool.title}; "
            f"needed: {reading.unavailable}"
        )


def _show(format: str, runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]]) -> None:
    from rmjudge.cli.console import print_text
    from rmjudge.render.commands import readings as shown
    from rmjudge.runs.naming import labels

    if format == "json":
        print_text(shown.readings_json(runs))
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
