"""`rmjudge report`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rmjudge.cli.console import print_text, say, tables
from rmjudge.errors import UsageError
from rmjudge.runfiles import find_results, read_result

PAGES: Final = (".html", ".htm")


def report(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show finished runs in the format asked for, or write a page about them."""
    if arguments.html is not None:
        if arguments.format is not None:
            raise UsageError("--html writes a page; leave --format out, or --html")
        return _write_page(arguments, _page_path(arguments.html))
    for name, given in (("--data", arguments.data), ("--cache-dir", arguments.cache_dir)):
        if given:
            raise UsageError(f"{name} is for the page that --html FILE writes")
    folders = [path for folder in arguments.folders for path in find_results(Path(folder))]
    results = [read_result(folder) for folder in dict.fromkeys(folders)]
    if arguments.format in (None, "table"):
        from rmjudge.render.tables import report_renderable  # noqa: PLC0415 - only this format

        tables().print(report_renderable(results))
    else:
        from rmjudge.render import exports  # noqa: PLC0415 - only these formats

        print_text(getattr(exports, f"to_{arguments.format}")(results))
    return 0


def _page_path(name: str) -> Path:
    """Refuse what cannot be written, or is hardly meant, before anything is read."""
    path = Path(name).expanduser()
    if path.is_dir():
        raise UsageError(f"--html {name} is a folder; name the file to write, such as report.html")
    if path.suffix.lower() not in PAGES:
        raise UsageError(f"--html {name}: the page's name ends in .html, such as report.html")
    if not path.parent.is_dir():
        raise UsageError(f"--html {name}: there is no folder {path.parent}; make it first")
    return path


def _write_page(arguments: argparse.Namespace, path: Path) -> int:
    from rmjudge.render.page import to_html  # noqa: PLC0415 - only with --html
    from rmjudge.runfiles import write_text  # noqa: PLC0415
    from rmjudge.viewing import gather, read_runs  # noqa: PLC0415

    view = gather(
        read_runs(arguments.folders),
        data=arguments.data or (),
        cache_folder=Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None,
        notice=say,
    )
    for note in view.notes:
        say(f"warning: {note}")
    text = to_html(view)
    write_text(path, text)
    say(f"page: {path} ({len(text) / 2**20:.1f} MiB)")
    return 0
