"""`rmjudge retest`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_runs

FORMATS = ("table", "json", "markdown")


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "retest",
        retest,
        help="how much of a judge's numbers is its own noise",
        description="Hold the votes of runs with --votes against each other: how often a judge "
        "repeats itself, and what its noise moves accuracies and differences by. Nothing is "
        "called.",
    )
    add_runs(parser, help="what `rmjudge run --votes N` wrote")
    add_data(parser, "where the texts are now, if they have moved")
    add_cache_dir(parser, "where the answers are now, if they have moved")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default table")


def retest(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Measure each judge against itself.

    Raises:
        UsageError: no run has votes that can be found.
    """
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.errors import UsageError
    from rmjudge.render.commands.retest import retest_json, retest_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.naming import labels
    from rmjudge.runs.stored import read_runs
    from rmjudge.runs.votes import votes_of
    from rmjudge.statistics.retest import retest as retest_of

    runs, left = distinct(
        read_runs(
            arguments.folders,
            data=arguments.data or (),
            cache_folder=arguments.cache_dir,
            notice=say,
        )
    )
    found, lacking = [], []
    for name, run in zip(labels([run.result for run in runs]), runs, strict=True):
        try:
            found.append(retest_of(name, votes_of(run)))
        except UsageError as error:
            lacking.append(str(error))
    if not found:
        raise UsageError("; ".join(lacking))
    left += [f"Left out: {line}." for line in lacking]
    match arguments.format:
        case "json":
            print_text(retest_json(found, left))
        case "markdown":
            print_text(sheets_markdown(retest_sheets(found, left)))
        case _:
            tables().print(sheets_renderable(retest_sheets(found, left)))
    return 0
