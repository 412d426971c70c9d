"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, tables
from rmjudge.runfiles import find_results, read_result


def report(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs in the format asked for."""
    folders = [path for folder in arguments.folders for path in find_results(Path(folder))]
    results = [read_result(folder) for folder in dict.fromkeys(folders)]
    if arguments.format == "table":
        from rmjudge.render.tables import report_renderable  # noqa: PLC0415 - only this format

        tables().print(report_renderable(results))
    else:
        from rmjudge.render import exports  # noqa: PLC0415 - only these formats

        print_text(getattr(exports, f"to_{arguments.format}")(results))
    return 0
