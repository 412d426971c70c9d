"""The cache's database, read and changed behind the cache's back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from rmjudge.calls import Json

IDENTITY: dict[str, Json] = {"provider": "test", "model": "m"}
CALL = "0" * 32


def execute(folder: Path, statement: str, *values: object) -> list[Any]:
    """Run a statement on the database of a cache; return its rows."""
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        return connection.execute(statement, values).fetchall()
