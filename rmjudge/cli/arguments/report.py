"""The words of `rmjudge report`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    report = commands.add_parser(
        "report",
        help="show finished runs, here or as a page",
        description="Show finished runs, or write a page about them to look at and send around.",
        allow_abbrev=False,
    )
    report.set_defaults(handler=("report", "report"))
    report.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    report.add_argument("--format", choices=FORMATS, help="default table")
    page = report.add_argument_group("a page")
    page.add_argument(
        "--html",
        metavar="FILE",
        help="write one self-contained page: tables, charts, every tuple and the judges' words",
    )
    page.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if they have moved; repeatable",
    )
    page.add_argument(
        "--cache-dir", metavar="DIR", help="where the answers are now, if they have moved"
    )
