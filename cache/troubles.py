"""What SQLite and the system say of a cache that cannot be used, in plain words with advice."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

import diskcache

from rmjudge.cache.database import is_damage
from rmjudge.cache.salvage import mark
from rmjudge.errors import StorageStopped

NO_ROOM_BYTES: Final = 2**16


def storage_stopped(folder: Path, cause: Exception) -> StorageStopped:
    """Say in plain words why the cache cannot keep answers, and what to do.

    Damage is remembered in the folder, for whoever opens it next.
    """
    # An OSError's own text names the path, which may hold any word.
    text = (isinstance(cause, OSError) and cause.strerror) or str(cause)
    if isinstance(cause, diskcache.Timeout) or "locked" in text:
        why = "another process has kept it busy for over a minute"
        advice = "wait for that process, or use another --cache-dir"
    elif _is_for_want_of_room(folder, cause):
        why, advice = "the disk is full", "free some space"
    elif "readonly" in text or "read-only" in text.lower() or isinstance(cause, PermissionError):
        why, advice = "it cannot be written", "make it writable, or use another --cache-dir"
    elif is_damage(cause):
        mark(folder, text)
        why = f"its file is damaged ({text})"
        advice = "the same command again sets it aside and saves what can be read"
    else:
        why, advice = text, "use another --cache-dir"
    return StorageStopped(f"the cache {folder} cannot keep answers: {why}; {advice}")


def cannot_be_read(folder: Path, cause: sqlite3.Error) -> StorageStopped:
    """Say why nothing can be read, for commands that leave the answers as they are.

    Damage is remembered in the folder, for whoever opens it next.
    """
    if _is_for_want_of_room(folder, cause):
        why = "the disk is full, and SQLite needs a little room beside the database; free some"
    elif is_damage(cause):
        mark(folder, str(cause))
        why = f"its file is damaged ({cause}); the next run sets it aside and saves what it can"
    elif not os.access(folder, os.W_OK):
        why = "its folder cannot be written, and SQLite makes a file there; copy it elsewhere"
    else:
        why = str(cause)
    return StorageStopped(f"the cache {folder} cannot be read: {why}")


def _is_for_want_of_room(folder: Path, cause: Exception) -> bool:
    """Whether the disk has no room left, which SQLite may call an I/O error."""
    if isinstance(cause, OSError):
        return cause.errno == errno.ENOSPC
    text = str(cause)
    return "full" in text or ("I/O" in text and _is_full(folder))


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < NO_ROOM_BYTES
    except OSError:
        return False
