"""`rmjudge data check`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rmjudge.cli.console import print_json, say, tables
from rmjudge.dataset import load, summarise
from rmjudge.render.commands.data import summary_renderable, summary_to_json


def check(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Validate, then say what the data holds. Problems are told as a DataError."""
    summary = summarise(load(arguments.sources, notice=say))
    if arguments.json:
        print_json(summary_to_json(summary))
    else:
        tables().print(summary_renderable(summary))
    return 0
