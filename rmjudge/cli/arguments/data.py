"""The words of `rmjudge data`."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    data = commands.add_parser("data", help="look at a data set", allow_abbrev=False)
    actions = data.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="validate and summarise", description="Validate and summarise a data set."
    )
    data.set_defaults(handler=("data", "check"))
    check.add_argument("sources", nargs="+", metavar="SOURCE")
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")
