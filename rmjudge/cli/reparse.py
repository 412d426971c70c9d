"""`rmjudge reparse`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_json, add_runs


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
    from rmjudge.running.reparse import reparse_items, write
    from rmjudge.runs.items import part_results
    from rmjudge.runs.stored import read_runs
    from rmjudge.runs.stored_items import StoredItems

    data, cache = arguments.data or (), arguments.cache_dir
    of_tuples, of_items = part_results(arguments.folders)
    runs = read_runs(of_tuples, data=data, cache_folder=cache, notice=say)
    # A result that combines several scorers asked nothing; theirs stand beside it.
    found = [read_again(run) for run in runs if not run.record.combined]
    found += [reparse_items(StoredItems(folder, data, cache)) for folder in of_items]
    if arguments.write:
        for item in found:
            if item.changed:
                write(item)
    if arguments.json:
        print_json(shown.reparsed_to_json(found, written=arguments.write))
    else:
        tables().print(shown.reparsed_renderable(found, written=arguments.write))
    return 0
