"""`rmjudge reparse`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_json, add_runs
from rmjudge.errors import UsageError


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
    add_data(parser)
    add_cache_dir(parser, "where the answers are kept")
    add_json(parser)


def reparse(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read again, show, and write when asked; nothing is written where one run cannot be read."""
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands import reparse as shown
    from rmjudge.running.reparse import reparse as read_again
    from rmjudge.running.reparse import write
    from rmjudge.runs.items import part_results
    from rmjudge.runs.stored import read_runs

    _, of_items = part_results(arguments.folders)
    if of_items:
        raise UsageError(
            f"{of_items[0]} is of another set than RM-Bench, whose runs reparse writes anew; the "
            "command that made such a run reads its kept replies again by itself, and buys nothing"
        )
    runs = read_runs(
        arguments.folders,
        data=arguments.data or (),
        cache_folder=arguments.cache_dir,
        notice=say,
    )
    # A result that combines several scorers asked nothing; theirs stand beside it.
    found = [read_again(run) for run in runs if not run.record.combined]
    if arguments.write:
        for item in found:
            if item.changed:
                write(item)
    if arguments.json:
        print_json(shown.reparsed_to_json(found, written=arguments.write))
    else:
        tables().print(shown.reparsed_renderable(found, written=arguments.write))
    return 0
