"""What a run says beyond its tables: `-v` on the screen, `--log-file` with dates in a file.

The rooms log by Python's `logging`, below the name `rmjudge`; without either option nobody listens.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.text import one_line

SAID: Final = logging.getLogger("rmjudge.said")
"""What people were told on the screen: for the file alone."""
PROGRESS: Final = logging.getLogger("rmjudge.progress")
"""How far each scorer is: for the file alone."""
_FOR_THE_FILE: Final = frozenset((SAID.name, PROGRESS.name))


class _File(logging.FileHandler):
    """A line a record, freed of what a terminal would obey. A full disk does not end the run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass


class _Screen(logging.Handler):
    """Above the progress, as everything that is said."""

    def emit(self, record: logging.LogRecord) -> None:
        from rmjudge.cli.console import say

        if record.name not in _FOR_THE_FILE:
            say(record.getMessage())


@contextmanager
def logged(file: Path | None, *, verbose: bool) -> Iterator[None]:
    """Write what happens to a file, and say it with `verbose`.

    Raises:
        UsageError: the file cannot be written.
    """
    handlers: list[logging.Handler] = [_Screen()] if verbose else []
    if file is not None:
        try:
            handlers.append(_File(file))
        except OSError as error:
            raise UsageError(f"--log-file {file} cannot be written: {error.strerror}") from error
    logger = logging.getLogger("rmjudge")
    before = logger.level, logger.propagate
    if handlers:
        logger.setLevel(logging.INFO)
        logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
        logger.level, logger.propagate = before
