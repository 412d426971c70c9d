"""diskcache, without its pickles, its eviction and its open file modes.

diskcache unpickles any row that is marked as pickled (CVE-2025-69872, no fixed release), so
this `Disk` refuses every mode but plain text in the database. The row's text carries its
own JSON and checksum (`rmjudge.cache.records`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NoReturn

import diskcache
from diskcache.core import DBNAME, MODE_RAW

from rmjudge.cache.grouped import GroupedCache

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
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite does, which gives its journal files the mode of this one.
    os.close(os.open(folder / DBNAME, os.O_CREAT | os.O_RDWR, 0o600))
    return GroupedCache(str(folder), timeout=LOCK_TIMEOUT_S, disk=TextDisk, **SETTINGS)
