"""`rmjudge reparse`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_json, add_runs


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "reparse",
        reparse,
        help="read a run's stored replies again with the current parser",
        description="Read every stored reply of finished runs again with the current parser and "
        "say what changes. Nothing is sent, no key is needed, and nothing is written without "
        "--write.",
    )
    add_runs(parser)
    parser.add_argument("--write", action="store_true", help="write the runs' files anew")
    add_cache_dir(parser, "where the answers are kept")
    add_json(parser)


def reparse(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read again, show, and write when asked; nothing is written where one run cannot be read."""
    from rmjudge.cli.console import print_json, tables
    from rmjudge.render.commands import reparse as shown
    from rmjudge.running.reparse import reparse as read_again
    from rmjudge.running.reparse import write
    from rmjudge.runs.replan import results_with_calls

    folders = [path for folder in arguments.folders for path in results_with_calls(folder)]
    found = [read_again(folder, arguments.cache_dir) for folder in dict.fromkeys(folders)]
    if arguments.write:
        for item in found:
            if item.changed:
                write(item)
    if arguments.json:
        print_json(shown.reparsed_to_json(found, written=arguments.write))
    else:
        tables().print(shown.reparsed_renderable(found, written=arguments.write))
    return 0
