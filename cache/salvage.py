"""A damaged cache file: set aside, never deleted; what can be read is saved into a new one.

SQLite reads a copy of it, from both ends of the table towards the damage and then between the
damaged places. Each row's own checksum says whether it is what was written.

A note in the folder says that there is damage and how far the salvage has come, so that one
that is killed half-way goes on where it was. Only who has the cache alone may salvage.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from rmjudge.cache.database import (
    DATABASE,
    INDEX_OF_LOG,
    LOG,
    TEXT,
    connect,
    connect_to_read,
    is_damage,
    keep_newest,
    note_batches,
    open_database,
)
from rmjudge.cache.rows import DamagedRecordError, unseal
from rmjudge.errors import StorageStopped

NOTE: Final = "damage.json"
_FILES: Final = (LOG, INDEX_OF_LOG, DATABASE)
"""In this order: a log beside a new database would be played into it."""
_COPY: Final = "salvaging"
_TRIES: Final = 200_000
"""Damaged places that are met before the search ends: some ten seconds."""
BATCH: Final = "b:"
"""How the keys of batches begin. Their rows are kept, damaged or not: one that cannot be read keeps
the next command from buying its calls a second time, and one that is gone would not."""
_UNREADABLE: Final = "this row could not be read from the damaged file"
_SMALLEST_ROW: Final = 64
_MOST: Final = 2**63 - 1
_FIRST_PAGE: Final = 4096


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was saved: answers in the new file, answers known to be lost, the old file.

    `whole` says that every key could be read, so that `lost` is exact and not a lower bound.
    """

    folder: Path
    why: str
    saved: int
    lost: int
    whole: bool
    kept: Path

    def stopped(self) -> StorageStopped:
        """Say it, before anything is bought."""
        if self.saved:
            what = f"{self.saved:,} answers were saved into a new file{self._lost()}"
        else:
            what = "NO ANSWER COULD BE SAVED: all that it held would be bought again"
        return StorageStopped(
            f"the cache {self.folder} was damaged ({self.why}): {what}; the damaged file is kept "
            f"in {self.kept}; nothing was bought; the same command again goes on and buys what "
            "is missing, unless `rmjudge cache import` brings it back from a backup first"
        )

    def _lost(self) -> str:
        if self.lost:
            return f", {'' if self.whole else 'at least '}{self.lost:,} could not be read"
        return "" if self.whole else ", how many could not be read is not known"


def mark(folder: Path, why: str) -> None:
    """Remember damage for who opens the cache next; a folder that cannot be written forgets it."""
    with suppress(OSError):
        if not (folder / NOTE).exists():
            _note(folder, {"why": why})


def marked(folder: Path) -> str | None:
    """What is wrong with the cache, where that is known."""
    return str(_read(folder)["why"]) if (folder / NOTE).exists() else None


def salvage(folder: Path, why: str) -> Salvage:
    """Set the damaged files aside and save what can be read. The caller has the cache alone.

    Raises:
        OSError, sqlite3.Error: the folder or the new file cannot be written; another attempt
            goes on from there.
    """
    note = _read(folder)
    why = str(note.get("why", why))
    kept = folder / str(note.get("to") or _new_name(folder))
    if not note.get("moved"):
        _note(folder, {"why": why, "to": kept.name})
        kept.mkdir(mode=0o700, exist_ok=True)
        for name in _FILES:
            with suppress(FileNotFoundError):
                (folder / name).rename(kept / name)
        _note(folder, {"why": why, "to": kept.name, "moved": True})
    saved, lost, whole = _save(kept, folder)
    (folder / NOTE).unlink()
    return Salvage(folder, why, saved, lost, whole, kept)


def _save(kept: Path, folder: Path) -> tuple[int, int, bool]:
    """Return how many answers are in the new file, how many are lost, and if that is exact."""
    open_database(folder).close()
    # Read before SQLite opens the file again: closing it would end SQLite's locks on it.
    with (folder / DATABASE).open("rb") as file:
        first_page = file.read(_FIRST_PAGE)
    copy = folder / _COPY
    _copy(kept, copy)
    if not _has_a_schema(copy):
        _copy(kept, copy)  # SQLite may have changed the one that it gave up
        _replace_first_page(copy / DATABASE, first_page)
    known: set[str] = set()
    with closing(connect_to_read(copy)) as damaged, closing(connect(folder)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for key, text, stored in _rows(damaged, _bytes_in(copy) // _SMALLEST_ROW):
            known.add(key)
            with suppress(DamagedRecordError, UnicodeEncodeError):  # the latter of a key
                if not key.startswith(BATCH):
                    unseal(text)
                keep_newest(connection, key, text, stored)
        keys, whole = _keys(damaged)
        batches = {key for key in known | keys if key.startswith(BATCH)}
        for key in batches - known:
            keep_newest(connection, key, _UNREADABLE, 0.0)
        connection.execute("COMMIT")
        if batches:
            note_batches(folder)
        saved = {str(key) for (key,) in connection.execute("SELECT key FROM Cache")}
    shutil.rmtree(copy)
    return len(_answers(saved)), len(_answers((known | keys) - saved)), whole


def _copy(kept: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o700)
    for name in (DATABASE, LOG):
        with suppress(FileNotFoundError):
            shutil.copyfile(kept / name, copy / name)


def _answers(keys: set[str]) -> set[str]:
    return {key for key in keys if key.startswith("a:")}


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _has_a_schema(folder: Path) -> bool:
    """Whether SQLite knows the file for a database with diskcache's table in it."""
    try:
        with closing(connect_to_read(folder)) as connection:
            connection.execute("SELECT key FROM Cache LIMIT 0")
    except sqlite3.DatabaseError as error:
        if is_damage(error) or "no such table" in str(error):
            return False
        raise
    return True


def _replace_first_page(database: Path, first_page: bytes) -> None:
    """Give a database the header and schema of a new one; diskcache makes all of them alike."""
    database.touch(mode=0o600)
    page = bytearray(first_page)
    # https://www.sqlite.org/fileformat2.html, section 1.3: pages in the file, and no free ones
    page[28:32] = max(1, database.stat().st_size // _FIRST_PAGE).to_bytes(4)
    page[32:40] = bytes(8)
    with database.open("r+b") as file:
        file.write(page)


_ROWS: Final = (
    "SELECT rowid, key, value, store_time FROM Cache NOT INDEXED WHERE rowid BETWEEN ? AND ? "
    "AND raw = 1 AND mode = ? AND filename IS NULL AND substr(key, 1, 2) IN ('a:', 's:', 'b:') "
    "AND typeof(key) = 'text' AND typeof(value) = 'text' AND typeof(store_time) = 'real' "
    "ORDER BY rowid "
)
_KEYS: Final = "SELECT key FROM Cache INDEXED BY Cache_key_raw ORDER BY key "


def _rows(connection: sqlite3.Connection, most: int) -> Iterator[tuple[str, str, float]]:
    """Yield (key, text, store time) of every row of rmjudge's that SQLite can read.

    A gap is read upwards and then downwards, each as far as that goes. What is left of it is
    cut in two, until it is one damaged row. A file holds at most `most` rows.
    """
    gaps = deque([(-_MOST, _MOST)])
    for _ in range(_TRIES):
        if not gaps:
            return
        low, high = gaps.popleft()
        upwards = _Rows(connection, _ROWS + "ASC", (low, high, TEXT))
        for rowid, key, text, stored in upwards:
            low = max(low, rowid + 1)
            yield key, text, stored
        if upwards.whole:
            continue
        for rowid, key, text, stored in _Rows(connection, _ROWS + "DESC", (low, high, TEXT)):
            high = min(high, rowid - 1)
            yield key, text, stored
        low = max(low, 0)
        high = min(high, low + most)
        middle = (low + high) // 2
        if low < high:
            gaps += [(low, middle), (middle + 1, high)]


def _keys(connection: sqlite3.Connection) -> tuple[set[str], bool]:
    """The keys in the index, read from both its ends, and whether these are all."""
    upwards = _Rows(connection, _KEYS + "ASC")
    keys = {str(key) for (key,) in upwards}
    if not upwards.whole:
        keys |= {str(key) for (key,) in _Rows(connection, _KEYS + "DESC")}
    return keys, upwards.whole


class _Rows:
    """The rows of a query up to the first that SQLite cannot read; `whole` if there is none."""

    def __init__(
        self, connection: sqlite3.Connection, query: str, bounds: tuple[int, ...] = ()
    ) -> None:
        self.whole = False
        self._ask = partial(connection.execute, query, bounds)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._ask()
            self.whole = True
        except sqlite3.DatabaseError as error:
            if not (is_damage(error) or isinstance(error, sqlite3.DataError)):
                raise


def _new_name(folder: Path) -> str:
    name = time.strftime("damaged-%Y-%m-%dT%H%M%SZ", time.gmtime())
    taken = len(list(folder.glob(f"{name}*")))
    return f"{name}-{taken + 1}" if taken else name


def _read(folder: Path) -> dict[str, Any]:
    try:
        note = json.loads((folder / NOTE).read_text("ascii"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        note = None
    return note if isinstance(note, dict) and "why" in note else {"why": "it was found damaged"}


def _note(folder: Path, note: dict[str, Any]) -> None:
    draft = folder / f".{NOTE}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NOTE)
