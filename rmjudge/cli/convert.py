"""`rmjudge convert`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmjudge.cli.arguments import add_command, add_json


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "convert",
        convert,
        help="write a model's pickled weights as safetensors",
        description="Write a local model's pickled weights (.bin, .pt) as safetensors beside "
        "them, in a process of its own that reads tensors alone and runs no code of the file. "
        "The pickles stay.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    add_json(parser)


def convert(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Convert, and name the new files."""
    from rmjudge.cli.console import print_json, tables
    from rmjudge.providers.local import converting
    from rmjudge.text import one_line

    made = converting.convert(arguments.folder)
    if arguments.json:
        print_json({"files": [str(path) for path in made]})
        return 0
    for path in made:
        tables().print(one_line(f"{path} written"), markup=False, soft_wrap=True)
    return 0
