"""The words of `rmjudge show`."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    show = commands.add_parser(
        "show",
        help="one tuple: its texts, what each scorer made of them, the judges' words",
        description="Show one tuple: prompt, six responses, and each scorer's rewards or credits.",
        allow_abbrev=False,
    )
    show.set_defaults(handler=("show", "show"))
    show.add_argument(
        "tuple", metavar="TUPLE", help="DOMAIN/ID, such as chat/17; or the id where it is unique"
    )
    show.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    show.add_argument("--replies", action="store_true", help="the judges' own words as well")
    show.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if they have moved; repeatable",
    )
    show.add_argument(
        "--cache-dir", metavar="DIR", help="where the answers are now, if they have moved"
    )
    show.add_argument("--json", action="store_true", help="one JSON object on standard output")
