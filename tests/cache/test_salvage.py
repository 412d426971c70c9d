"""A damaged cache file is set aside, what can be read is saved, and nobody misses it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cache_files import IDENTITY

from rmjudge.cache import AnswerCache, salvage, sharing
from rmjudge.cache.database import open_database
from rmjudge.cache.inspect import verify
from rmjudge.cache.keys import scorer_key
from rmjudge.cache.rows import encode
from rmjudge.calls import Reply, Reward
from rmjudge.errors import StorageStopped

ANSWERS = {f"{n:032x}": Reply(Reward(float(n)), "x" * (n % 7 * 900)) for n in range(400)}


SCORER = scorer_key(IDENTITY)


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def fill(folder: Path) -> None:
        with AnswerCache(folder) as cache:
            assert await cache.register(IDENTITY) == SCORER
            await cache.commit(SCORER, list(ANSWERS.items()))

    folder = tmp_path_factory.mktemp("filled") / "cache"
    asyncio.run(fill(folder))
    return folder


@pytest.fixture
def folder(_filled: Path, tmp_path: Path) -> Path:
    """A cache with 400 answers."""
    return shutil.copytree(_filled, tmp_path / "cache")


@pytest.fixture
def crashed(folder: Path, tmp_path: Path) -> Path:
    """The same as a kill leaves it: the last commits lie in the log."""
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM Cache").fetchall()
        connection.execute("UPDATE Cache SET access_time = 1 WHERE rowid > 100")
        return shutil.copytree(folder, tmp_path / "crashed")


async def kept(folder: Path) -> dict[str, Reply]:
    """The answers in the cache, every one as it was bought."""
    with AnswerCache(folder) as cache:
        found = await cache.lookup(await cache.register(IDENTITY), list(ANSWERS))
    assert all(ANSWERS[call] == reply for call, reply in found.items())
    return found


def stopped(folder: Path) -> str:
    with pytest.raises(StorageStopped) as error:
        AnswerCache(folder).close()
    return str(error.value)


def overwrite(database: Path, first: int, last: int, byte: bytes = b"\xa5") -> None:
    content = bytearray(database.read_bytes())
    content[first:last] = byte * (min(last, len(content)) - first)
    database.write_bytes(content)


def set_aside(folder: Path) -> list[Path]:
    return [path / "cache.db" for path in folder.glob("damaged-*")]


DAMAGE: dict[str, Callable[[Path], None]] = {
    "its magic is gone": lambda path: overwrite(path, 0, 16),
    "its first page is gone": lambda path: overwrite(path, 0, 4096),
    "a byte of its header is another": lambda path: overwrite(path, 18, 19, b"\x09"),
    "it is cut in half": lambda path: os.truncate(path, path.stat().st_size // 2 + 17),
    "its schema is gone": lambda path: overwrite(path, 100, 4096, b"\0"),
}
LEFT = 60
"""At least so many of the 400 answers can be read after each of these."""


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
async def test_what_can_be_read_is_saved_and_told_once(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder / "cache.db")
    damaged = (folder / "cache.db").read_bytes()
    told = stopped(folder)

    found = await kept(folder)
    assert len(found) >= LEFT
    assert f"{len(found)} answers were saved into a new file" in told
    (aside,) = set_aside(folder)
    assert f"the damaged file is kept in {aside.parent}; nothing was bought" in told
    assert aside.read_bytes() == damaged
    assert verify(folder).sound


async def test_a_first_page_that_is_gone_costs_no_answer(folder: Path) -> None:
    overwrite(folder / "cache.db", 0, 4096)
    stopped(folder)

    assert await kept(folder) == ANSWERS


async def test_a_page_that_is_damaged_where_no_one_looks_is_found_when_it_is_read(
    folder: Path,
) -> None:
    overwrite(folder / "cache.db", 20 * 4096, 60 * 4096)

    with AnswerCache(folder) as cache, pytest.raises(StorageStopped) as first:
        await cache.lookup(SCORER, list(ANSWERS))
    assert "its file is damaged (database disk image is malformed); the same command again" in str(
        first.value
    )
    assert "answers were saved into a new file" in stopped(folder)
    assert LEFT <= len(await kept(folder)) < len(ANSWERS)


async def test_verify_leaves_damage_to_the_next_run(folder: Path) -> None:
    overwrite(folder / "cache.db", 20 * 4096, 60 * 4096)

    assert verify(folder).database_problems == ("database disk image is malformed",)
    assert "was damaged (database disk image is malformed)" in stopped(folder)


async def test_rows_that_were_seen_but_cannot_be_read_are_counted(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.execute("UPDATE Cache SET value = replace(value, '1', '2') WHERE rowid < 12")
    overwrite(folder / "cache.db", 0, 16)

    assert "390 answers were saved into a new file, 10 could not be read" in stopped(folder)


@pytest.mark.parametrize(
    "content", [b"not a database " * 1000, b"SQLite format 3\0" + b"\1" * 9000]
)
async def test_that_nothing_could_be_read_is_said_loudly(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache.db").write_bytes(content)
    told = stopped(tmp_path)

    assert "NO ANSWER COULD BE SAVED: all that it held would be bought again" in told
    assert "`rmjudge cache import` brings it back from a backup first" in told
    assert [path.read_bytes() for path in set_aside(tmp_path)] == [content]
    assert await kept(tmp_path) == {}


async def test_a_log_is_salvaged_with_its_database(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM Cache WHERE rowid > 200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rest = dict(list(ANSWERS.items())[199:])
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM Cache").fetchall()  # keeps the log as it is
        with AnswerCache(folder) as cache:
            await cache.commit(SCORER, list(rest.items()))
        crashed = shutil.copytree(folder, tmp_path / "crashed")
    overwrite(crashed / "cache.db", 0, 16)

    assert "400 answers were saved into a new file;" in stopped(crashed)
    assert await kept(crashed) == ANSWERS
    assert set_aside(crashed)[0].with_name("cache.db-wal").exists()


@pytest.mark.parametrize("at", [0, 10, 26, 40, 4000, 6000, 20_000, 100_000])
async def test_what_follows_a_damaged_place_in_the_log_is_missing_and_never_wrong(
    crashed: Path, at: int
) -> None:
    overwrite(crashed / "cache.db-wal", at, at + 1, b"\x5a")

    assert await kept(crashed) == ANSWERS  # `kept` holds every answer against what was bought


async def test_of_two_versions_of_a_row_the_newer_is_saved(folder: Path, tmp_path: Path) -> None:
    newer = Reply(Reward(-1.0), "bought again")
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("SELECT count(*) FROM Cache").fetchall()
        connection.execute(
            "UPDATE Cache SET value = ?, store_time = store_time + 1 WHERE key LIKE 'a:%' || ?",
            (encode(newer), "0" * 31 + "7"),
        )
        crashed = shutil.copytree(folder, tmp_path / "crashed")
    overwrite(crashed / "cache.db", 0, 16)

    assert "400 answers were saved" in stopped(crashed)
    with AnswerCache(crashed) as cache:
        assert await cache.lookup(SCORER, ["0" * 31 + "7"]) == {"0" * 31 + "7": newer}


async def test_a_log_beside_an_emptied_database_is_set_aside_and_not_deleted(
    crashed: Path,
) -> None:
    (crashed / "cache.db").write_bytes(b"")
    log = (crashed / "cache.db-wal").read_bytes()

    assert "the database is empty" in stopped(crashed)
    assert set_aside(crashed)[0].with_name("cache.db-wal").read_bytes() == log
    await kept(crashed)


async def test_an_emptied_database_of_a_cache_that_was_used_is_told(folder: Path) -> None:
    with AnswerCache(folder) as cache:
        async with cache.claim(SCORER, lambda: None):
            pass
    (folder / "cache.db").write_bytes(b"")

    assert "the database is empty): NO ANSWER COULD BE SAVED" in stopped(folder)


async def test_a_crash_s_log_is_no_damage(crashed: Path) -> None:
    log = (crashed / "cache.db-wal").read_bytes()
    (crashed / "cache.db-wal").write_bytes(log[:-1000])

    assert await kept(crashed) == ANSWERS
    assert set_aside(crashed) == []


@pytest.mark.parametrize("stage", ["noted", "moved in part", "moved", "copied in part"])
async def test_a_salvage_that_was_killed_goes_on_where_it_was(crashed: Path, stage: str) -> None:
    overwrite(crashed / "cache.db", 0, 16)
    damaged = (crashed / "cache.db").read_bytes()
    aside = crashed / "damaged-then"
    note = {"why": "torn", "to": aside.name}
    if stage != "noted":
        aside.mkdir()
        (crashed / "cache.db-wal").rename(aside / "cache.db-wal")
    if stage in ("moved", "copied in part"):
        (crashed / "cache.db").rename(aside / "cache.db")
        note["moved"] = "yes"
    if stage == "copied in part":
        open_database(crashed).close()
    (crashed / salvage.NOTE).write_text(str(note).replace("'", '"'))

    assert "was damaged (torn): 400 answers were saved" in stopped(crashed)
    assert await kept(crashed) == ANSWERS
    assert (aside / "cache.db").read_bytes() == damaged
    assert sorted(path.name for path in aside.iterdir() if "shm" not in path.name) == [
        "cache.db",
        "cache.db-wal",
    ]


OPEN = """
import sys
from pathlib import Path
from rmjudge.cache import AnswerCache
from rmjudge.errors import StorageStopped
try:
    with AnswerCache(Path(sys.argv[1])):
        print("open", flush=True)
        sys.stdin.read()
except StorageStopped as stopped:
    print(stopped, flush=True)
"""


def another(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPEN, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_of_several_processes_one_salvages(folder: Path) -> None:
    overwrite(folder / "cache.db", 0, 16)
    processes = [another(folder) for _ in range(4)]
    told = [process.communicate("")[0] for process in processes]

    assert sum("answers were saved into a new file" in text for text in told) == 1
    assert len(set_aside(folder)) == 1
    assert await kept(folder) == ANSWERS


async def test_who_had_to_wait_for_a_salvage_is_told_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_POLL_S", 0.0)
    first = sharing.Share(folder)
    assert first._lock(alone=True)

    def salvaged_meanwhile(_seconds: float) -> None:
        (folder / "damaged-now").mkdir(exist_ok=True)
        first.close()

    monkeypatch.setattr(time, "sleep", salvaged_meanwhile)
    assert "another process has just saved what can be read of it" in stopped(folder)


async def test_nothing_is_moved_under_another_process(folder: Path) -> None:
    with another(folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        salvage.mark(folder, "a page is torn")
        assert "is damaged, and another process is using it" in stopped(folder)
        assert set_aside(folder) == []
        process.communicate("")
    assert "was damaged (a page is torn): 400 answers were saved" in stopped(folder)


async def test_a_cache_of_a_newer_format_is_refused_and_left_as_it_is(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 3")
    before = (folder / "cache.db").read_bytes()

    assert stopped(folder) == (
        f"the cache {folder} was written by a newer rmjudge (format 3; this one knows 2): "
        "upgrade rmjudge, or use another --cache-dir"
    )
    assert (folder / "cache.db").read_bytes() == before


async def test_a_cache_from_before_formats_were_numbered_is_used(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 0")

    assert await kept(folder) == ANSWERS
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def leaves(database: Path) -> list[int]:
    """Where the table's leaf pages begin."""
    content = database.read_bytes()
    return [at for at in range(4096, len(content), 4096) if content[at] == 0x0D]


@pytest.mark.parametrize("byte", [b"\0", b"\xa5", b"\xff"])
async def test_every_answer_outside_damaged_pages_is_saved_and_the_others_are_counted(
    folder: Path, byte: bytes
) -> None:
    # The first and the last leaf, one in the middle, and a stretch of ten.
    hit = [leaves(folder / "cache.db")[n] for n in (3, -1, 40, *range(60, 70))]
    lost = {row[0] for row in rows_of_pages(folder, hit)}
    for at in hit:
        overwrite(folder / "cache.db", at, at + 4096, byte)
    salvage.mark(folder, "pages are gone")

    told = stopped(folder)
    found = await kept(folder)
    assert 10 < len(lost) < 100
    assert set(ANSWERS) - set(found) == lost
    assert f"{len(found)} answers were saved into a new file, {len(lost)} could not be read" in told


def rows_of_pages(folder: Path, pages: list[int]) -> list[tuple[str]]:
    """The calls whose rows are read no more once these pages are gone, tried one by one."""
    lost = []
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        rowids = connection.execute("SELECT rowid, substr(key, -32) FROM Cache").fetchall()
    copy = shutil.copytree(folder, folder.with_name("tried"))
    for at in pages:
        overwrite(copy / "cache.db", at, at + 4096)
    with closing(sqlite3.connect(copy / "cache.db")) as connection:
        for rowid, call in rowids:
            try:
                connection.execute("SELECT * FROM Cache WHERE rowid = ?", (rowid,)).fetchall()
            except sqlite3.DatabaseError:
                lost.append((call,))
    return lost


async def test_damage_to_the_list_of_keys_makes_the_count_of_losses_a_lower_bound(
    folder: Path,
) -> None:
    content = (folder / "cache.db").read_bytes()
    indexes = [at for at in range(4096, len(content), 4096) if content[at] == 0x0A]
    for at in indexes[len(indexes) // 2 : len(indexes) // 2 + 1]:
        overwrite(folder / "cache.db", at, at + 4096)
    salvage.mark(folder, "pages are gone")

    assert "400 answers were saved into a new file, how many could not be read is not known" in (
        stopped(folder)
    )
    assert await kept(folder) == ANSWERS
