"""The words of `rmjudge correlate`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import READINGS, SHEET_FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    correlate = commands.add_parser(
        "correlate",
        help="does the benchmark tell which reward model trains the better policy",
        description="Correlate the accuracies of runs with the scores of the policies that were "
        "trained with their scorers; docs/correlate.md describes the CSV.",
        allow_abbrev=False,
    )
    correlate.set_defaults(handler=("correlate", "correlate"))
    correlate.add_argument("folders", nargs="+", metavar="RUN", help="what `rmjudge run` wrote")
    correlate.add_argument(
        "--with",
        dest="policies",
        required=True,
        metavar="FILE",
        help="CSV of the policies' scores: scorer,domain,task,score,sft",
    )
    correlate.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict among "
        "reward models, half_credit as soon as a judge is among them",
    )
    correlate.add_argument("--plot", metavar="FILE", help="draw the points (.svg, .png, .pdf)")
    correlate.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")
