"""Where output goes: numbers to standard output, everything for people's eyes to the terminal."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import IO, TYPE_CHECKING, Any, Final, cast

from rich.console import Console

if TYPE_CHECKING:
    from rmjudge.calls import Json

PIPED_WIDTH = 100
NARROWEST = 40
GONE: Final = frozenset((errno.EIO, errno.ENXIO))
"""What a terminal answers that is no longer there."""


class _Console(Console):
    """Goes quiet where rich would leave the process with exit code 1, and where it would raise."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        discard(sys.stderr if self.stderr else sys.stdout)

    @property
    def file(self) -> IO[str]:
        """The stream; a terminal may be gone before the run is over."""
        return cast("IO[str]", _Outliving(super().file))

    @file.setter
    def file(self, stream: IO[str]) -> None:
        self._file = stream


class _Outliving:
    """A stream that may be a terminal's. Once that is gone, what is written goes nowhere.

    A run goes on without anybody to look: its files tell what came of it.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with _outliving(self._stream):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write out what is left, or drop it."""
        with _outliving(self._stream):
            self._stream.flush()


@contextmanager
def _outliving(stream: IO[str]) -> Iterator[None]:
    """Let go of a terminal that is gone (a window was closed, a connection dropped)."""
    try:
        yield
    except OSError as error:
        if not terminal_is_gone(error, stream):
            raise
        discard(stream)


def terminal_is_gone(error: OSError, stream: IO[str]) -> bool:
    """Whether this is what a closed terminal answers, and no disk. It is no terminal any more."""
    return error.errno in GONE and stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)


def discard(stream: IO[str]) -> None:
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
    """One line for people, freed of control characters; into the log, too, where there is one."""
    import logging

    from rmjudge.text import clean

    logging.getLogger("rmjudge.said").info("%s", line)
    people().print(clean(line), soft_wrap=True)


def print_json(value: Mapping[str, Json]) -> None:
    """One JSON object on standard output, ASCII, and nothing else there."""
    print_text(json.dumps(value, indent=2, allow_nan=False))


def print_text(text: str) -> None:
    """Text for a file or a pipe on standard output."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and not terminal_is_gone(error, sys.stdout):
            raise
        discard(sys.stdout)
