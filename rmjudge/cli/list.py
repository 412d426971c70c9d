"""`rmjudge list`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmjudge.cli.arguments import add_command, add_json
from rmjudge.options.written import path


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "list",
        list_,
        help="the runs in a folder, and how to go on with those that stopped",
        description="List the runs in a folder: when, what data, which scorers, Hard, cost, open "
        "calls and the command that goes on. Nothing is called.",
    )
    parser.add_argument(
        "folder",
        nargs="?",
        type=path,
        default=Path("runs"),
        metavar="FOLDER",
        help="default runs, where `rmjudge run` writes without --out",
    )
    add_json(parser)


def list_(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show the runs, the newest last."""
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands.list import list_json, list_sheets
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.listing import list_runs
    from rmjudge.runs.open_batches import batches_under_way

    runs, damaged = list_runs(arguments.folder)
    if arguments.json:
        print_json(list_json(runs))
    else:
        tables().print(sheets_renderable(list_sheets(runs, arguments.folder)))
    for line in batches_under_way(one.record for one in runs):
        say(line)
    for line in damaged:
        say(f"rmjudge: {line}")
    return 0
