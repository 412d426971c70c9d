"""Answers of one scorer taken over by another: copied under its key, the old ones stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from rmjudge.cache.database import connect, keep_newest, open_database
from rmjudge.cache.keys import answer_row, canonical, identity_row, scorer_key
from rmjudge.cache.queries import scan
from rmjudge.cache.rows import DamagedRecordError, decode, seal
from rmjudge.cache.sharing import Share
from rmjudge.cache.troubles import storage_stopped
from rmjudge.calls import Json


def copy_answers(folder: Path, old_key: str, identity: Mapping[str, Json]) -> tuple[int, int]:
    """Copy a scorer's sound answers to the key of `identity`; return (copied, there already).

    What is kept under the new key already stays as it is.

    Raises:
        StorageStopped: the cache cannot be read or written.
    """
    key = scorer_key(identity)
    copied = known = 0
    try:
        with closing(Share(folder)):
            open_database(folder).close()
            rows = list(scan(folder, answer_row(old_key, "")))
            with closing(connect(folder)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                _put(connection, identity_row(key), seal(canonical(identity)), 0.0)
                for row, text, stored in rows:
                    with suppress(DamagedRecordError):
                        decode(text)
                        new = answer_row(key, row.rpartition(":")[2])
                        added = _put(connection, new, text, stored)
                        copied += added
                        known += not added
                connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as cause:
        raise storage_stopped(folder, cause) from cause
    return copied, known


def _put(connection: sqlite3.Connection, key: str, text: str, stored: float) -> bool:
    found = connection.execute("SELECT 1 FROM Cache WHERE key = ? AND raw = 1", (key,)).fetchone()
    if found is None:
        keep_newest(connection, key, text, stored)
    return found is None
