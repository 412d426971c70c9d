"""The words of `rmjudge readings`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    readings = commands.add_parser(
        "readings",
        help="how other tools would read a run",
        description="Read finished runs as RM-Bench's scripts, RM-R1, RM-Gallery, reward-bench, "
        "JudgeBench and others do, and say why the numbers differ. Nothing is called.",
        allow_abbrev=False,
    )
    readings.set_defaults(handler=("readings", "readings"))
    readings.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    readings.add_argument(
        "--as",
        action="append",
        dest="tools",
        metavar="TOOL",
        help="only as this tool; repeatable (default: every tool that the run can be read as)",
    )
    readings.add_argument("--format", choices=FORMATS, default="table", help="default table")
