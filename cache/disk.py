"""diskcache, without its pickles, its eviction and its open file modes.

diskcache unpickles any row that is marked as pickled (CVE-2025-69872, no fixed release), so
this `Disk` refuses every mode but plain text in the database. The row's text carries its
own JSON and checksum (`rmjudge.cache.records`).
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NoReturn

import diskcache
from diskcache.core import DBNAME, MODE_RAW

from rmjudge.cache.grouped import GroupedCache
from rmjudge.errors import StorageStopped

FORMAT: Final = 1
"""Of the whole folder, kept as SQLite's `user_version`. 0 is from before it was written down."""
SETTINGS: Final[dict[str, Any]] = {
    "eviction_policy": "none",  # the default drops paid answers at 1 GiB
    "cull_limit": 0,
    "size_limit": 2**62,
    "statistics": 0,
    "tag_index": 0,
    # Values over this size would go to side files, which are not synced to disk.
    "disk_min_file_size": 2**31 - 1,
    "sqlite_journal_mode": "wal",
    "sqlite_synchronous": 2,  # FULL: a committed answer survives a power cut
    "sqlite_auto_vacuum": 0,
    "sqlite_mmap_size": 2**26,
}
LOCK_TIMEOUT_S: Final = 60.0


class TextDisk(diskcache.Disk):  # type: ignore[misc]
    """Text keys, text values, both in the database; it can neither pickle nor unpickle."""

    def __init__(self, directory: str, **_settings: Any) -> None:
        # diskcache hands on every `disk_` setting it finds in the folder, whoever set it.
        super().__init__(directory)

    def put(self, key: Any) -> tuple[str, bool]:
        """Encode a key."""
        return self._text(key), True

    def get(self, key: Any, raw: Any) -> str:
        """Decode a key."""
        if not raw:
            self._refuse()
        return self._text(key)

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, str]:
        """Encode a value."""
        return 0, MODE_RAW, None, self._text(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        """Decode a value."""
        if mode != MODE_RAW or filename is not None:
            self._refuse()
        return self._text(value)

    def _text(self, value: Any) -> str:
        return value if isinstance(value, str) else self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError("the cache holds plain text only; this row was not written by rmjudge")


def open_cache(folder: Path) -> GroupedCache:
    """Open (and make) the cache folder, readable by its owner alone.

    Raises:
        OSError: the folder cannot be made or written.
        sqlite3.Error: the database is damaged, locked or full.
        StorageStopped: a newer rmjudge wrote it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite does, which gives its journal files the mode of this one.
    os.close(os.open(folder / DBNAME, os.O_CREAT | os.O_RDWR, 0o600))
    refuse_newer(folder)
    cache = GroupedCache(str(folder), timeout=LOCK_TIMEOUT_S, disk=TextDisk, **SETTINGS)
    with closing(connect(folder)) as connection:
        if _format_of(connection) != FORMAT:
            connection.execute(f"PRAGMA user_version = {FORMAT}")
    return cache


def refuse_newer(folder: Path) -> None:
    """Go on only if this rmjudge knows the cache's format.

    Raises:
        StorageStopped: a newer rmjudge wrote it.
        sqlite3.Error: the database cannot be read.
    """
    with closing(connect(folder)) as connection:
        found = _format_of(connection)
    if found > FORMAT:
        raise StorageStopped(
            f"the cache {folder} was written by a newer rmjudge (format {found}; this one knows "
            f"{FORMAT}): upgrade rmjudge, or use another --cache-dir"
        )


def _format_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def connect(folder: Path) -> sqlite3.Connection:
    """Connect without diskcache, whose own `set` knows no time of storing but now."""
    connection = sqlite3.connect(folder / DBNAME, timeout=LOCK_TIMEOUT_S, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def keep_newest(connection: sqlite3.Connection, key: str, text: str, stored: float) -> None:
    """Write a row as diskcache does, unless one that was stored later is there."""
    connection.execute(
        "INSERT INTO Cache (key, raw, store_time, expire_time, access_time, access_count, tag, "
        "size, mode, filename, value) VALUES (?1, 1, ?2, NULL, ?2, 0, NULL, 0, ?3, NULL, ?4) "
        "ON CONFLICT (key, raw) DO UPDATE SET value = ?4, store_time = ?2 "
        "WHERE store_time < ?2",
        (key, stored, MODE_RAW, text),
    )
