"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, say, tables
from rmjudge.errors import UsageError
from rmjudge.garbage import uncollected
from rmjudge.runs.comparable import distinct
from rmjudge.runs.stored import read_runs


@uncollected()
def report(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs in the format asked for, or write a page about them."""
    if arguments.html is not None:
        if arguments.format is not None:
            raise UsageError("--html writes a page; leave --format out, or --html")
        from rmjudge.cli.page import write_page

        kept = Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None
        page = Path(arguments.html).expanduser()
        write_page(arguments.folders, page, arguments.data or (), kept)
        return 0
    for name, given in (("--data", arguments.data), ("--cache-dir", arguments.cache_dir)):
        if given:
            raise UsageError(f"{name} is for the page that --html FILE writes")
    runs, left = distinct(read_runs(arguments.folders))
    results = [run.result for run in runs]
    if arguments.format in (None, "table"):
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable(results))
    else:
        from rmjudge.render.commands import report_data

        print_text(getattr(report_data, f"to_{arguments.format}")(results))
    for note in left:
        say(note)
    return 0
