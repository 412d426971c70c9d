"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import FORMATS, add_cache_dir, add_command, add_data, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.written import path

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.runs.items import ItemResult
    from rmjudge.runs.results import ScorerResult


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
    from rmjudge.runs.items import part_results, read_items

    of_tuples, of_items = part_results(arguments.folders)
    results, left = _of_tuples(of_tuples, arguments) if of_tuples else ([], [])
    if of_items:
        items = [read_items(folder) for folder in of_items]
        _show_items(results, items, arguments.format)
    elif arguments.format in (None, "table"):
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable(results))
    else:
        from rmjudge.render.commands import report_data

        print_text(getattr(report_data, f"to_{arguments.format}")(results))
    for note in left:
        say(note)
    return 0


def _of_tuples(
    folders: Sequence[Path], arguments: argparse.Namespace
) -> tuple[list[ScorerResult], list[str]]:
    """The results on RM-Bench, and what was left out of them."""
    from rmjudge.cli.console import say
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.open_batches import batches_under_way
    from rmjudge.runs.stored import read_runs

    runs, left = distinct(read_runs(folders, data=arguments.data or (), notice=say))
    left = [*left, *batches_under_way(run.record for run in runs)]
    results = [run.result for run in runs]
    if arguments.without is not None:
        from rmjudge.runs.flagged import without_flagged

        results = [one for run in runs for one in (run.result, *without_flagged(run))]
        if len(results) == len(runs):
            left.append("No tuple of these runs is known to be bad.")
    return results, left


def _show_items(
    results: Sequence[ScorerResult], items: Sequence[ItemResult], format: str | None
) -> None:
    """Show runs on other sets than RM-Bench, and those on RM-Bench beside them."""
    import json

    from rmjudge.cli.console import print_json, print_text, tables
    from rmjudge.render.commands import benchmarks, report_data
    from rmjudge.render.sheets import sheets_latex, sheets_markdown

    if format in (None, "table"):
        tables().print(benchmarks.report_of(results, items))
    elif format == "json":
        told = json.loads(report_data.to_json(results)) if results else {}
        print_json({**told, "benchmarks": benchmarks.to_data(items)})
    elif format == "csv":
        if results:
            raise UsageError(
                "--format csv writes one table, and RM-Bench's has other columns than other "
                "sets': name their folders apart"
            )
        print_text(benchmarks.to_csv(items))
    else:
        write = sheets_markdown if format == "markdown" else sheets_latex
        own = getattr(report_data, f"to_{format}")(results) if results else ""
        print_text(own + write(benchmarks.sheets_of(results, items)))
