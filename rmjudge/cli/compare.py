"""`rmjudge compare`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rmjudge.cli.console import print_text, say, tables
from rmjudge.errors import UsageError
from rmjudge.render.commands.compare import comparison_csv, comparison_json, comparison_sheets
from rmjudge.render.sheets import sheets_markdown
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.runs.comparable import comparable
from rmjudge.runs.naming import about, labels
from rmjudge.runs.stored import check_same_texts, read_runs
from rmjudge.statistics import comparison
from rmjudge.statistics.scored import common_reading, scored_of


def compare(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Compare every two of the scorers in the format asked for."""
    runs = read_runs(arguments.folders, data=arguments.data or (), notice=say)
    if len(runs) < 2:
        raise UsageError(
            f"{runs[0].folder} is the only scorer; name another run to compare it with"
        )
    runs, left = comparable(runs, baselines=arguments.baselines)
    if len(runs) < 2:
        raise UsageError(f"{left[0]} Name another run to compare it with")
    for notice in check_same_texts(runs):
        say(f"warning: {notice}")
    results = [run.result for run in runs]
    scored = [
        scored_of(name, result) for name, result in zip(labels(results), results, strict=True)
    ]
    reading = arguments.reading or common_reading(item.method for item in scored)
    found = comparison.compare(scored, reading)
    described = [about(result) for result in results]
    match arguments.format:
        case "json":
            print_text(comparison_json(found, left))
        case "csv":
            for note in left:
                say(note)
            print_text(comparison_csv(found))
        case "markdown":
            print_text(sheets_markdown(comparison_sheets(found, arguments.top, described, left)))
        case _:
            tables().print(
                sheets_renderable(comparison_sheets(found, arguments.top, described, left))
            )
    return 0
