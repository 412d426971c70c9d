"""`rmjudge readings`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from rmjudge.cli.console import print_text, tables
from rmjudge.errors import UsageError
from rmjudge.readings.compute import Reading, read_as
from rmjudge.readings.tools import NAMES
from rmjudge.render.commands import readings as shown
from rmjudge.render.rows import labels
from rmjudge.render.sheets import Sheet, sheets_latex, sheets_markdown
from rmjudge.runs.files import find_results, read_result
from rmjudge.runs.results import ScorerResult


def readings(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs as other tools read them."""
    for name in arguments.tools or ():
        if name not in NAMES:
            close = get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(NAMES)}"
            raise UsageError(f"--as {name}: no such tool; {hint}")
    folders = [path for folder in arguments.folders for path in find_results(Path(folder))]
    results = [read_result(folder) for folder in dict.fromkeys(folders)]
    runs = [(result, read_as(result, arguments.tools)) for result in results]
    if arguments.tools:
        _require(runs)
    _show(arguments.format, runs)
    return 0


def _require(runs: Sequence[tuple[ScorerResult, Sequence[Reading]]]) -> None:
    """Refuse where none of the readings that were asked for can be had."""
    found = [(result, reading) for result, some in runs for reading in some]
    if all(reading.unavailable for _, reading in found):
        result, reading = found[0]
        raise UsageError(
            f"{result.metrics.scorer} cannot be read as {reading.tool.title}; "
            f"needed: {reading.unavailable}"
        )


def _show(format: str, runs: Sequence[tuple[ScorerResult, Sequence[Reading]]]) -> None:
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
    match format:
        case "markdown":
            print_text(sheets_markdown(sheets))
        case "latex":
            print_text(sheets_latex(sheets))
        case _:
            from rmjudge.render.terminal.listings import sheets_renderable

            tables().print(sheets_renderable(sheets))
