"""The words of `rmjudge report`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    report = commands.add_parser(
        "report", help="show finished runs", description="Show finished runs.", allow_abbrev=False
    )
    report.set_defaults(handler=("report", "report"))
    report.add_argument("folders", nargs="+", metavar="DIR", help="what `rmjudge run` wrote")
    report.add_argument("--format", choices=FORMATS, default="table", help="default table")
