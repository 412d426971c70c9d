"""Where output goes: numbers to standard output, everything for people's eyes to the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from rich.console import Console

from rmjudge.calls import Json

PIPED_WIDTH = 100


def people() -> Console:
    """Progress, warnings and hints: standard error."""
    return Console(stderr=True, highlight=False, markup=False)


def tables(*, to_stderr: bool = False) -> Console:
    """Tables: standard output, at a fixed width where that is no terminal."""
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(stderr=to_stderr, width=width, highlight=False, markup=False)


def say(line: str) -> None:
    """One line for people, freed of control characters."""
    from rmjudge.render.text import clean  # noqa: PLC0415 - not needed by every command

    people().print(clean(line), soft_wrap=True)


def print_json(value: Mapping[str, Json]) -> None:
    """One JSON object on standard output, ASCII, and nothing else there."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def print_text(text: str) -> None:
    """Text for a file or a pipe on standard output."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
