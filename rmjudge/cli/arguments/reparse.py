"""The words of `rmjudge reparse`."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    reparse = commands.add_parser(
        "reparse",
        help="read a run's stored replies again with the current parser",
        description="Read every stored reply of finished runs again with the current parser and "
        "say what changes. Nothing is sent, no key is needed, and nothing is written without "
        "--write.",
        allow_abbrev=False,
    )
    reparse.set_defaults(handler=("reparse", "reparse"))
    reparse.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    reparse.add_argument("--write", action="store_true", help="write the runs' files anew")
    reparse.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if they have moved; repeatable",
    )
    reparse.add_argument("--cache-dir", metavar="DIR", help="where the answers are kept")
    reparse.add_argument("--json", action="store_true", help="one JSON object on standard output")
