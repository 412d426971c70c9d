"""`rmjudge panel`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import READINGS, SHEET_FORMATS, add_command, add_data, add_runs


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "panel",
        panel,
        help="what several runs say together, without a call",
        description="Seat finished runs as a panel: what their majority and mean say, how far they "
        "agree, and what each of them adds. Nothing is called.",
    )
    add_runs(parser, help="what `rmjudge run` wrote; three scorers or more")
    parser.add_argument(
        "--reading",
        choices=READINGS,
        default="half_credit",
        help="what a tie is worth: nothing (strict) or half a win (half_credit, the default)",
    )
    add_data(
        parser, "where the texts are now, if the runs are of different data and theirs has moved"
    )
    parser.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")


def panel(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show the panel of the runs.

    Raises:
        UsageError: there are fewer than three, or they share no tuple.
    """
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.render.commands.panel import panel_csv, panel_json, panel_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.naming import labels
    from rmjudge.runs.stored import check_same_texts, read_runs
    from rmjudge.statistics.panel import seat
    from rmjudge.statistics.scored import scored_of

    runs, left = distinct(read_runs(arguments.folders, data=arguments.data or (), notice=say))
    for warning in check_same_texts(runs):
        say(f"warning: {warning}")
    results = [run.result for run in runs]
    scored = [
        scored_of(name, result) for name, result in zip(labels(results), results, strict=True)
    ]
    found = seat(scored, arguments.reading)
    match arguments.format:
        case "json":
            print_text(panel_json(found, left))
        case "csv":
            for note in left:
                say(note)
            print_text(panel_csv(found))
        case "markdown":
            print_text(sheets_markdown(panel_sheets(found, left)))
        case _:
            tables().print(sheets_renderable(panel_sheets(found, left)))
    return 0
