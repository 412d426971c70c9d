"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, tables
from rmjudge.errors import UsageError
from rmjudge.garbage import uncollected
from rmjudge.runs.files import find_results, read_result


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
    folders = [path for folder in arguments.folders for path in find_results(Path(folder))]
    results = [read_result(folder) for folder in dict.fromkeys(folders)]
    if arguments.format in (None, "table"):
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable(results))
    else:
        from rmjudge.render import exports

        print_text(getattr(exports, f"to_{arguments.format}")(results))
    return 0
