"""Files that are written as a whole or not at all, and synced."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rmjudge.errors import StorageStopped, UsageError


def check_writable(folder: Path) -> None:
    """See before anything is bought that files can be written to a folder, there or not yet.

    Raises:
        UsageError: they cannot.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise UsageError(f"the results cannot be written to {folder}: {nearest} is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"the results cannot be written to {folder}: {nearest} is read-only")


def replace_file(path: Path, lines: Iterable[str]) -> None:
    """Put ASCII lines in a file's place; a crash leaves the old file or the new one.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a file of ASCII text as a whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    try:
        replace_file(path, [text])
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def write_report(path: Path, text: str) -> None:
    """Write what a finished run is told by, in ASCII, as a whole or not at all.

    Raises:
        StorageStopped: it cannot be written there. The results are.
    """
    try:
        replace_file(path, [text])
    except OSError as error:
        raise StorageStopped(f"{path} cannot be written: {error.strerror}") from error


def append_report(path: Path, text: str) -> None:
    """Add lines to a file, or begin it.

    Raises:
        StorageStopped: it cannot be written. The results are.
    """
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise StorageStopped(f"{path} cannot be written: {error.strerror}") from error
