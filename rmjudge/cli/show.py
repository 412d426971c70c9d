"""`rmjudge show`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_json, say, tables
from rmjudge.render.commands.show import tuple_renderable, tuples_to_json
from rmjudge.runs.comparable import distinct
from rmjudge.runs.naming import tuples_named
from rmjudge.runs.stored import read_runs
from rmjudge.runs.views import gather


def show(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show one tuple; two data sets that use one name for two tuples show both."""
    found = read_runs(
        arguments.folders,
        data=arguments.data or (),
        cache_folder=Path(arguments.cache_dir).expanduser() if arguments.cache_dir else None,
        notice=say,
    )
    runs, left = distinct(found)
    view = gather(runs, only=tuples_named(arguments.tuple, runs), notes=left)
    if arguments.json:
        print_json(tuples_to_json(view, replies=arguments.replies))
        return 0
    for viewed in view.tuples:
        tables().print(tuple_renderable(view, viewed, replies=arguments.replies))
    for note in view.notes:
        say(f"warning: {note}")
    return 0
