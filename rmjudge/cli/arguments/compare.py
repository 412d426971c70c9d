"""The words of `rmjudge compare`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import READINGS, SHEET_FORMATS, count


def add(commands: Any) -> None:
    """Add the command."""
    compare = commands.add_parser(
        "compare",
        help="is the difference between runs real, and do they agree",
        description="Compare scorers on the tuples that all of them scored: differences with "
        "paired intervals and tests, agreement, and the tuples they disagree on.",
        allow_abbrev=False,
    )
    compare.set_defaults(handler=("compare", "compare"))
    compare.add_argument(
        "folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote; two scorers or more"
    )
    compare.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict among "
        "reward models, half_credit as soon as a judge is compared",
    )
    compare.add_argument(
        "--top", type=count, default=10, metavar="N", help="tuples of disagreement (default 10)"
    )
    compare.add_argument(
        "--baselines",
        action="store_true",
        help="compare baseline/* too where two other scorers are there; by default they are left "
        "out, since each adds tests to correct for",
    )
    compare.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if runs of different data are compared and theirs has "
        "moved; repeatable",
    )
    compare.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")
