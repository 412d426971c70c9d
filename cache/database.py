"""The database of a cache folder: diskcache's own, and the one place that opens it.

diskcache unpickles any row that is marked as pickled (CVE-2025-69872, no fixed release), so
`TextDisk` refuses every mode but plain text in the database. The row's text carries its own
JSON and checksum (`rmjudge.cache.rows`).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import diskcache
from diskcache.core import DBNAME, MODE_RAW

from rmjudge.errors import StorageStopped

Row: TypeAlias = tuple[str, str]
"""A key and a text."""

DATABASE: Final = DBNAME
LOG: Final = f"{DBNAME}-wal"
INDEX_OF_LOG: Final = f"{DBNAME}-shm"
TEXT: Final = MODE_RAW
"""The `mode` of rmjudge's rows."""
FORMAT: Final = 1
"""Of the whole folder, kept as SQLite's `user_version`. 0 is from before it was written down."""
WITH_BATCHES: Final = 2
"""The format from the first batch on: an older rmjudge, which knows of none, must not buy here."""
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
_PUT: Final = (
    "INSERT INTO Cache (key, raw, store_time, access_time, mode, value) "  # noqa: S608
    f"VALUES (?1, 1, ?2, ?2, {TEXT}, ?3) ON CONFLICT (key, raw) DO UPDATE SET "
    "store_time = excluded.store_time, expire_time = NULL, access_time = excluded.access_time, "
    "access_count = 0, tag = NULL, size = 0, mode = excluded.mode, filename = NULL, "
    "value = excluded.value"
)
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


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
        return 0, TEXT, None, self._text(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> str:
        """Decode a value."""
        if mode != TEXT or filename is not None:
            self._refuse()
        return self._text(value)

    def _text(self, value: Any) -> str:
        return value if isinstance(value, str) else self._refuse()

    def _refuse(self) -> NoReturn:
        raise ValueError("the cache holds plain text only; this row was not written by rmjudge")


class Database(diskcache.Cache):  # type: ignore[misc]
    """diskcache in exactly the folder that it is given.

    diskcache expands `~` and `$NAME` in its directory, which would lead to another folder where
    a name holds such a sign. So it is given the root, and its own result is dropped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder.absolute())
        super().__init__(os.sep, timeout=LOCK_TIMEOUT_S, disk=TextDisk, **SETTINGS)

    @property
    def _directory(self) -> str:
        return self._folder

    @_directory.setter
    def _directory(self, expanded: str) -> None:
        """Drop what diskcache made of its directory."""

    def store(self, rows: Sequence[Row]) -> None:
        """Keep texts under their keys, in this order, in one transaction.

        The rows are those that `set` writes, with one statement each where `set` needs three:
        the thread that commits waits for the interpreter after each statement.

        Raises:
            sqlite3.Error: another process holds the lock; the database is damaged or full.
        """
        now = time.time()
        connection: sqlite3.Connection = self._con
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_PUT, [(key, now, text) for key, text in rows])


def open_database(folder: Path) -> Database:
    """Open (and make) the cache folder, readable by its owner alone.

    Raises:
        OSError: the folder cannot be made or written.
        sqlite3.Error: the database is damaged, locked or full.
        StorageStopped: a newer rmjudge wrote it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite does, which gives its journal files the mode of this one.
    os.close(os.open(folder / DATABASE, os.O_CREAT | os.O_RDWR, 0o600))
    refuse_newer(folder)
    database = Database(folder)
    with closing(connect(folder)) as connection:
        if _format_of(connection) < FORMAT:
            connection.execute(f"PRAGMA user_version = {FORMAT}")
    return database


def note_batches(folder: Path) -> None:
    """Say in the folder that there are batches, so that an older rmjudge refuses it.

    Raises:
        sqlite3.Error: the database cannot be written.
    """
    with closing(connect(folder)) as connection:
        connection.execute(f"PRAGMA user_version = {WITH_BATCHES}")


def connect(folder: Path) -> sqlite3.Connection:
    """Connect without diskcache, whose own `set` knows no time of storing but now."""
    connection = _connect(folder)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def connect_to_read(folder: Path) -> sqlite3.Connection:
    """Connect to read many rows in one statement, which takes a tenth of one `get` a key."""
    connection = _connect(folder)
    connection.execute("PRAGMA query_only = 1")
    # A damaged text must not stop the others from being read.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _connect(folder: Path) -> sqlite3.Connection:
    # An absolute name: SQLite may take one that begins with "file:" for an address.
    file = (folder / DATABASE).absolute()
    return sqlite3.connect(file, timeout=LOCK_TIMEOUT_S, isolation_level=None)


def refuse_newer(folder: Path) -> None:
    """Go on only if this rmjudge knows the cache's format.

    Raises:
        StorageStopped: a newer rmjudge wrote it.
        sqlite3.Error: the database cannot be read.
    """
    with closing(connect(folder)) as connection:
        found = _format_of(connection)
    if found > WITH_BATCHES:
        raise StorageStopped(
            f"the cache {folder} was written by a newer rmjudge (format {found}; this one knows "
            f"{WITH_BATCHES}): upgrade rmjudge, or use another --cache-dir"
        )


def _format_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_damage(error: Exception) -> bool:
    """Whether SQLite says that the file is damaged, and not merely locked or full."""
    code = getattr(error, "sqlite_errorcode", None)
    text = str(error)
    in_words = "malformed" in text or "not a database" in text
    return isinstance(error, sqlite3.DatabaseError) and (
        in_words if code is None else code & 0xFF in _DAMAGE
    )


def keep_newest(connection: sqlite3.Connection, key: str, text: str, stored: float) -> None:
    """Write a row as diskcache does, unless one that was stored later is there."""
    connection.execute(f"{_PUT} WHERE store_time < excluded.store_time", (key, stored, text))
