"""What is asked of the database without changing it, many rows a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from rmjudge.cache.database import TEXT, connect_to_read

KEYS_A_STATEMENT: Final = 500
"""SQLite takes 999 variables in the oldest builds in use."""


def read_rows(folder: Path, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of those rows that exist. Rows not written by rmjudge are left out.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    with closing(connect_to_read(folder)) as connection:
        for start in range(0, len(keys), KEYS_A_STATEMENT):
            chunk = keys[start : start + KEYS_A_STATEMENT]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT key, value FROM Cache WHERE raw = 1 AND mode = ? AND key IN ({marks})"  # noqa: S608
            for key, value in connection.execute(query, (TEXT, *chunk)):
                yield str(key), str(value)


def scan(folder: Path, prefix: str) -> Iterator[tuple[str, str, float]]:
    """Yield (key, text, store time) of every row whose key starts so, in key order.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    query = (
        "SELECT key, value, store_time FROM Cache "
        "WHERE raw = 1 AND mode = ? AND key >= ? AND key < ? ORDER BY key"
    )
    bounds = (TEXT, prefix, prefix + "\U0010ffff")
    with closing(connect_to_read(folder)) as connection:
        for key, value, stored in connection.execute(query, bounds):
            yield str(key), str(value), float(stored)


def foreign_rows(folder: Path) -> int:
    """Count rows that rmjudge did not write (other modes, binary keys, other names)."""
    query = (
        "SELECT count(*) FROM Cache WHERE NOT (raw = 1 AND mode = ? AND typeof(key) = 'text' "
        "AND substr(key, 1, 2) IN ('a:', 's:', 'b:'))"
    )
    with closing(connect_to_read(folder)) as connection:
        return int(connection.execute(query, (TEXT,)).fetchone()[0])


def integrity(folder: Path) -> tuple[str, ...]:
    """What SQLite finds wrong with the database itself; empty when it is sound."""
    with closing(connect_to_read(folder)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    return () if found == ["ok"] else tuple(found)
