"""The words of `rmjudge leaderboard`."""

from __future__ import annotations

from typing import Any

from rmjudge.cli.arguments.kinds import FORMATS


def add(commands: Any) -> None:
    """Add the command."""
    board = commands.add_parser(
        "leaderboard",
        help="runs among the published results, or a row to submit",
        description="Show finished runs among the published results of RM-Bench, with what is "
        "known to be wrong in these; or print what the public leaderboard takes.",
        allow_abbrev=False,
    )
    board.set_defaults(handler=("leaderboard", "leaderboard"))
    board.add_argument("folders", nargs="*", metavar="RUN", help="what `rmjudge run` wrote")
    board.add_argument("--format", choices=FORMATS, default="table", help="default table")
    submit = board.add_argument_group("submitting one run")
    submit.add_argument(
        "--emit", action="store_true", help="print the run's Markdown row, and nothing else"
    )
    submit.add_argument(
        "--emit-file", metavar="FILE", help="write the scores in the format of RM-Bench's scripts"
    )
    submit.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="with --emit-file: where the texts are now, if they have moved; repeatable",
    )
    submit.add_argument("--name", help="with --emit: the model's name (default: the scorer's)")
    submit.add_argument("--link", metavar="URL", help="with --emit: its paper or project")
    submit.add_argument(
        "--type", help="with --emit: Scalar RM (default for rewards), GenRM, LLM (for judges), ..."
    )
    submit.add_argument(
        "--license", help="with --emit: Open Source, Open Weight, Proprietary, Unknown (default)"
    )
