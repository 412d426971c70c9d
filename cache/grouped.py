"""diskcache that stores many rows in one statement.

`set` takes half a dozen steps of Python a row, and a thread that commits while the event loop is
busy has to wait for the interpreter's lock after each of them. One statement waits once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Final, TypeAlias

import diskcache
from diskcache.core import MODE_RAW

Row: TypeAlias = tuple[str, str]
ROWS_A_STATEMENT: Final = 300
"""Two variables a row; SQLite takes 999 in the oldest builds in use."""


class GroupedCache(diskcache.Cache):  # type: ignore[misc]
    """A cache with `set_many`; the rows are those that `set` would have written."""

    def set_many(self, rows: Sequence[Row]) -> None:
        """Store texts under their keys, in this order, in one transaction.

        Raises:
            sqlite3.Error: another process holds the lock; the database is damaged or full.
        """
        now = time.time()
        connection: sqlite3.Connection = self._con
        connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(rows), ROWS_A_STATEMENT):
                chunk = rows[start : start + ROWS_A_STATEMENT]
                fields = [field for row in chunk for field in row]
                connection.execute(_insert(len(chunk)), (now, *fields))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            raise


def _insert(rows: int) -> str:
    values = ", ".join(
        f"(?{2 * row + 2}, 1, ?1, ?1, {MODE_RAW}, ?{2 * row + 3})" for row in range(rows)
    )
    return (
        f"INSERT INTO Cache (key, raw, store_time, access_time, mode, value) VALUES {values} "  # noqa: S608
        "ON CONFLICT (key, raw) DO UPDATE SET store_time = excluded.store_time, "
        "expire_time = NULL, access_time = excluded.access_time, access_count = 0, tag = NULL, "
        "size = 0, mode = excluded.mode, filename = NULL, value = excluded.value"
    )
