"""`rmjudge reparse`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_json, tables
from rmjudge.running.reparse import reparse as read_again
from rmjudge.running.reparse import write
from rmjudge.runs.replan import results_with_calls


def reparse(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read again, show, and write when asked; nothing is written where one run cannot be read."""
    kept = Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None
    folders = [path for folder in arguments.folders for path in results_with_calls(Path(folder))]
    found = [read_again(folder, kept) for folder in dict.fromkeys(folders)]
    if arguments.write:
        for item in found:
            if item.changed:
                write(item)
    from rmjudge.render.commands import reparse as reparsing

    if arguments.json:
        print_json(reparsing.reparsed_to_json(found, written=arguments.write))
    else:
        tables().print(reparsing.reparsed_renderable(found, written=arguments.write))
    return 0
