"""`rmjudge reparse`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_json, say, tables
from rmjudge.running.reparse import reparse as read_again
from rmjudge.running.reparse import write
from rmjudge.runs.stored import read_runs


def reparse(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read again, show, and write when asked; nothing is written where one run cannot be read."""
    kept = Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None
    runs = read_runs(arguments.folders, data=arguments.data or (), cache_folder=kept, notice=say)
    # A result that combines several scorers asked nothing; theirs stand beside it.
    found = [read_again(run) for run in runs if not run.record.combined]
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
