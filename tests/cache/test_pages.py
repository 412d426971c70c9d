"""Rows read without SQLite, held against what SQLite reads of the same files."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rmjudge.cache import AnswerCache
from rmjudge.cache.pages import FoundRow, found_rows
from rmjudge.cache.wal import is_broken
from rmjudge.calls import Json, Reply, Reward

IDENTITY: dict[str, Json] = {"provider": "test", "model": "m"}
LENGTHS = [0, 100, 3000, 3700, 3800, 3900, 4000, 4092, 4096, 8000, 12_345, 100_000]
"""Texts that lie in a page, at the brim of one, and in chains of overflow pages."""


async def fill(folder: Path, count: int = 240) -> None:
    with AnswerCache(folder) as cache:
        scorer = await cache.register(IDENTITY)
        for first in range(0, count, 40):
            await cache.commit(
                scorer,
                [
                    (f"{n:032x}", Reply(Reward(float(n)), "x" * LENGTHS[n % len(LENGTHS)]))
                    for n in range(first, first + 40)
                ],
            )


def by_sqlite(database: Path) -> set[FoundRow]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT key, value, store_time FROM Cache").fetchall()
    return {FoundRow(*row) for row in rows}


def by_page(folder: Path) -> set[FoundRow]:
    return set(found_rows(folder / "cache.db", folder / "cache.db-wal"))


async def with_its_log(folder: Path, copy: Path) -> Path:
    """A copy of a cache's files as a kill leaves them: the last commits are in the log."""
    await fill(folder, 200)
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        # While this connection is open, no other one merges the log when it closes.
        connection.execute("SELECT count(*) FROM Cache").fetchall()
        await fill(folder)
        shutil.copytree(folder, copy)
    return copy


async def test_every_row_is_found_whatever_its_length(tmp_path: Path) -> None:
    await fill(tmp_path)
    expected = by_sqlite(tmp_path / "cache.db")

    assert by_page(tmp_path) == expected
    assert len(expected) == 241


async def test_rows_that_are_in_the_log_alone_are_found(tmp_path: Path) -> None:
    copy = await with_its_log(tmp_path / "cache", tmp_path / "copy")
    found, database_alone = by_page(copy), set(found_rows(copy / "cache.db", copy / "no-log"))
    expected = by_sqlite(copy / "cache.db")

    assert expected <= found
    assert len({row.key for row in found}) == len(expected) == 241
    assert not expected <= database_alone


@pytest.mark.parametrize("size", [512, 1024, 65536])
async def test_pages_of_another_size_are_read(tmp_path: Path, size: int) -> None:
    await fill(tmp_path / "cache", 40)
    with closing(sqlite3.connect(tmp_path / "cache" / "cache.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute(f"PRAGMA page_size = {size}")
        db.execute("VACUUM")

    assert by_page(tmp_path / "cache") == by_sqlite(tmp_path / "cache" / "cache.db")


async def test_rows_of_other_tables_modes_and_keys_are_left_out(tmp_path: Path) -> None:
    await fill(tmp_path, 40)
    expected = by_sqlite(tmp_path / "cache.db")
    with closing(sqlite3.connect(tmp_path / "cache.db", isolation_level=None)) as db:
        for raw, mode, value in ((0, 1, "x"), (1, 4, b"pickle"), (1, 1, b"bytes"), (1, 1, None)):
            db.execute(
                "INSERT INTO Cache (key, raw, mode, value, store_time) VALUES ('k', ?, ?, ?, 1.0) "
                "ON CONFLICT DO NOTHING",
                (raw, mode, value),
            )

    assert by_page(tmp_path) == expected


@pytest.mark.parametrize("content", [b"", b"\x0d" * 20_000, bytes(range(256)) * 400])
def test_any_bytes_at_all_are_read_to_their_end(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache.db").write_bytes(content)
    (tmp_path / "cache.db-wal").write_bytes(content)

    assert by_page(tmp_path) == set()


async def test_a_log_as_a_kill_leaves_it_is_not_broken(tmp_path: Path) -> None:
    copy = await with_its_log(tmp_path / "cache", tmp_path / "copy")
    log = (copy / "cache.db-wal").read_bytes()

    assert len(log) > 100_000
    for length in (len(log), len(log) - 1, len(log) - 4096, 20_000, 32, 5, 0):
        (copy / "cache.db-wal").write_bytes(log[:length])
        assert not is_broken(copy / "cache.db-wal"), length


async def test_a_frame_that_was_never_committed_may_be_torn(tmp_path: Path) -> None:
    copy = await with_its_log(tmp_path / "cache", tmp_path / "copy")
    log = (copy / "cache.db-wal").read_bytes()
    frames = [log[at : at + 24 + 4096] for at in range(32, len(log), 24 + 4096)]
    open_frame = next(frame for frame in frames if frame[4:8] == bytes(4))
    (copy / "cache.db-wal").write_bytes(log + open_frame)

    assert not is_broken(copy / "cache.db-wal")


@pytest.mark.parametrize("at", [0, 10, 26, 40, 4000, 20_000])
async def test_a_log_with_a_flipped_bit_before_its_last_commit_is_broken(
    tmp_path: Path, at: int
) -> None:
    copy = await with_its_log(tmp_path / "cache", tmp_path / "copy")
    shutil.copytree(copy, tmp_path / "whole")
    log = bytearray((copy / "cache.db-wal").read_bytes())
    log[at] ^= 1
    (copy / "cache.db-wal").write_bytes(log)

    assert is_broken(copy / "cache.db-wal")
    # Which SQLite itself passes over in silence.
    whole = by_sqlite(tmp_path / "whole" / "cache.db")
    assert len(by_sqlite(copy / "cache.db")) < len(whole) == 241
