"""The words of `rmjudge style`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import READINGS, SHEET_FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    style = commands.add_parser(
        "style",
        help="what style and length are worth to a scorer",
        description="Tell how far style moves each scorer when the substance is held fixed, beside "
        "the style baselines on the same data; and the position bias of judges.",
        allow_abbrev=False,
    )
    style.set_defaults(handler=("style", "style"))
    style.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    style.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict for reward "
        "models, half_credit as soon as a judge is among them",
    )
    style.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if they have moved since the run; repeatable",
    )
    style.add_argument(
        "--plot", metavar="FILE", help="draw correctness against verbosity (.svg, .png, .pdf)"
    )
    style.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")
