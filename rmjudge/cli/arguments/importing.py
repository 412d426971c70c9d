"""The words of `rmjudge import`."""

from __future__ import annotations

from typing import Any

from rmjudge.vocabulary import PUBLISHED_DOMAINS


def add(commands: Any) -> None:
    """Add the command."""
    words = commands.add_parser(
        "import",
        help="turn other tools' result files into a run",
        description="Turn result files of RM-Bench's scripts, RM-R1 (its three files) or "
        "reward-bench into a run, for report, leaderboard and readings. The format is detected.",
        allow_abbrev=False,
    )
    words.set_defaults(handler=("importing", "import_"))
    words.add_argument("files", nargs="+", metavar="FILE", help="of one scorer")
    words.add_argument("--out", required=True, metavar="DIR", help="the run's folder")
    words.add_argument("--name", help="the scorer's name (default: what the files say)")
    words.add_argument(
        "--domain",
        choices=tuple(PUBLISHED_DOMAINS),
        help="of entries without one, whose file is not called like chat_filtered.json",
    )
    words.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="the tuples of files without ids (rewardbench --save_all), in their order",
    )
    words.add_argument("--json", action="store_true", help="one JSON object on standard output")
