"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import FORMATS, add_cache_dir, add_command, add_data, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.written import path


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "report",
        report,
        help="show finished runs, here or as a page",
        description="Show finished runs, or write a page about them to look at and send around.",
    )
    add_runs(parser)
    parser.add_argument("--format", choices=FORMATS, help="default table")
    page = parser.add_argument_group("a page")
    page.add_argument(
        "--html",
        type=path,
        metavar="FILE",
        help="write one self-contained page: tables, charts, every tuple and the judges' words",
    )
    add_data(page)
    add_cache_dir(page, "where the answers are now, if they have moved")
    parser.add_argument(
        "--without",
        choices=("flagged",),
        help="beside each scorer, the same without the tuples that are known to be bad",
    )


def report(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs in the format asked for, or write a page about them."""
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.stored import read_runs

    if arguments.html is not None:
        if arguments.format is not None:
            raise UsageError("--html writes a page; leave --format out, or --html")
        if arguments.without is not None:
            raise UsageError("--html writes a page of all tuples; leave --without out, or --html")
        from rmjudge.cli.page import write_page

        write_page(arguments.folders, arguments.html, arguments.data or (), arguments.cache_dir)
        return 0
    needed = {"--data": arguments.without is None, "--cache-dir": True}
    for name, given in (("--data", arguments.data), ("--cache-dir", arguments.cache_dir)):
        if given and needed[name]:
            raise UsageError(f"{name} is for the page that --html FILE writes")
    runs, left = distinct(read_runs(arguments.folders, data=arguments.data or (), notice=say))
    results = [run.result for run in runs]
    if arguments.without is not None:
        from rmjudge.runs.flagged import without_flagged

        results = [one for run in runs for one in (run.result, *without_flagged(run))]
        if len(results) == len(runs):
            left.append("No tuple of these runs is known to be bad.")
    if arguments.format in (None, "table"):
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable(results))
    else:
        from rmjudge.render.commands import report_data

        print_text(getattr(report_data, f"to_{arguments.format}")(results))
    for note in left:
        say(note)
    return 0
