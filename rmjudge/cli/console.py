"""Where output goes: numbers to standard output, everything for people's eyes to the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from rmjudge.calls import Json

PIPED_WIDTH = 100
NARROWEST = 40


class _Console(Console):
    """Goes quiet where rich would leave the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard(sys.stderr if self.stderr else sys.stdout)


def discard(stream: TextIO) -> None:
    """Let go of a stream whose reader has gone (`| head`): Python would complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@cache  # one console: a line said while progress is shown goes above it, not into it
def people() -> Console:
    """Progress, warnings and hints: standard error."""
    return _Console(stderr=True, highlight=False, markup=False)


def tables(*, to_stderr: bool = False) -> Console:
    """Tables: standard output, at a fixed width where that is no terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else min(PIPED_WIDTH, _columns())
    return _Console(stderr=to_stderr, width=width, highlight=False, markup=False)


def _columns() -> int:
    """What the user says that a line holds, where that is no terminal."""
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() and int(said) >= NARROWEST else PIPED_WIDTH


def say(line: str) -> None:
    """One line for people, freed of control characters."""
    from rmjudge.text import clean

    people().print(clean(line), soft_wrap=True)


def print_json(value: Mapping[str, Json]) -> None:
    """One JSON object on standard output, ASCII, and nothing else there."""
    print_text(json.dumps(value, indent=2, allow_nan=False))


def print_text(text: str) -> None:
    """Text for a file or a pipe on standard output."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
