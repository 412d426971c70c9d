"""`rmjudge agree`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import SHEET_FORMATS, add_command, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.kinds import positive
from rmjudge.options.written import path

NAMED = 3
"""Unknown tuples that a message names."""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "agree",
        agree,
        help="do scorers agree with people",
        description="Hold runs against people's labels of the same tuples: accuracy, kappa, what "
        "people reach among each other, and how many labels more would say it more exactly. "
        "docs/people.md describes the file.",
    )
    add_runs(parser)
    parser.add_argument(
        "--labels",
        required=True,
        type=path,
        metavar="FILE",
        help="CSV or .jsonl: tuple,pair,winner,annotator",
    )
    parser.add_argument(
        "--width",
        type=positive,
        default=5.0,
        metavar="POINTS",
        help="half the width of the interval that more labels should reach (default 5)",
    )
    parser.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")


def agree(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Hold each run against the labels.

    Raises:
        UsageError: the file is wrong, or no label is of a tuple that a run has.
    """
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.importing.labels import labels_of, read_labels
    from rmjudge.render.commands.agree import agree_csv, agree_json, agree_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.naming import labels
    from rmjudge.runs.stored import check_same_texts, read_runs
    from rmjudge.statistics.people import hold, people_of
    from rmjudge.statistics.scored import scored_of

    written = read_labels(arguments.labels)
    runs, left = distinct(read_runs(arguments.folders))
    for warning in check_same_texts(runs) if len(runs) > 1 else ():
        say(f"warning: {warning}")
    found, missing = labels_of(written, [key for run in runs for key in run.keys])
    if missing:
        named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        told = f"{len(missing)} labelled tuples are in no run, or their id is in several domains"
        if not found:
            raise UsageError(f"{arguments.labels}: {told} ({named}); name them as chat/22")
        left.append(f"{told}: {named}.")
    results = [run.result for run in runs]
    held = [
        hold(scored_of(name, result), found, arguments.width / 100)
        for name, result in zip(labels(results), results, strict=True)
    ]
    people = people_of(found)
    match arguments.format:
        case "json":
            print_text(agree_json(people, held, arguments.width, left))
        case "csv":
            print_text(agree_csv(held))
        case "markdown":
            print_text(sheets_markdown(agree_sheets(people, held, arguments.width, left)))
        case _:
            sheets = agree_sheets(people, held, arguments.width, left)
            tables().print(sheets_renderable(sheets))
    if arguments.format == "csv":
        for note in left:
            say(note)
    return 0
