"""The words of `rmjudge cache`."""

from __future__ import annotations

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
    cache = commands.add_parser("cache", help="look at the kept answers", allow_abbrev=False)
    actions = cache.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="what is kept, by scorer")
    verify = actions.add_parser("verify", help="read every row and check it")
    explain = actions.add_parser(
        "explain", help="why a run's calls were not found: which part of the key differs"
    )
    export = actions.add_parser(
        "export", help="write every answer to a file: a backup, or for another machine"
    )
    export.add_argument("file", metavar="FILE", help="a new file; gzipped where it ends in .gz")
    merge = actions.add_parser(
        "import", help="add a file's answers; what is kept already is never overwritten"
    )
    merge.add_argument("file", metavar="FILE", help="what `rmjudge cache export` wrote")
    cache.set_defaults(handler=("cache", "cache"))
    explain.add_argument("folder", metavar="RUN", help="what `rmjudge run` wrote")
    explain.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="where the texts are now, if they have moved; repeatable",
    )
    for action in (info, verify, explain, export, merge):
        action.add_argument("--cache-dir", metavar="DIR", help="where answers are kept")
        action.add_argument("--json", action="store_true", help="one JSON object")
