"""Committing: durable when acknowledged, many in one transaction, never on the loop's thread."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rmjudge.cache import AnswerCache, database
from rmjudge.cache.database import open_database
from rmjudge.cache.writer import GROUP_ROWS, Writer
from rmjudge.calls import Json, Reply, Reward
from rmjudge.errors import StorageStopped

IDENTITY: dict[str, Json] = {"provider": "test", "model": "m"}

LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
database.execute("ROLLBACK")
"""


@contextmanager
def locked_by_another_process(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold the write lock; what is yielded lets it go."""
    holder = subprocess.Popen(
        [sys.executable, "-c", LOCK, str(folder / "cache.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"locked\n"

    def unlock() -> None:
        holder.communicate(b"\n")

    try:
        yield unlock
    finally:
        holder.kill()
        holder.communicate()


def rows(folder: Path) -> dict[str, str]:
    connection = sqlite3.connect(folder / "cache.db")
    try:
        return dict(connection.execute("SELECT key, value FROM Cache"))
    finally:
        connection.close()


class Traced:
    """Opens real caches and writes down the statements that SQLite runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.statements: list[str] = []

    def open(self) -> Any:
        cache = open_database(self.folder)
        cache._con.set_trace_callback(self.statements.append)
        return cache

    @property
    def transactions(self) -> list[int]:
        """Rows of each committed transaction."""
        sizes: list[int] = []
        inserts: set[str] = set()  # SQLite tells of one again after each of its triggers
        for statement in self.statements:
            if statement.startswith("INSERT INTO Cache"):
                inserts.add(statement)
            if statement == "COMMIT":
                sizes.append(sum(insert.count("('k") for insert in inserts))
                inserts.clear()
        return sizes


@pytest.fixture
def traced(tmp_path: Path) -> Traced:
    return Traced(tmp_path / "answers")


@pytest.fixture
def writer(traced: Traced) -> Iterator[Writer]:
    writer = Writer(traced.open, traced.folder)
    yield writer
    writer.close()


async def test_a_lone_commit_is_committed_at_once_and_by_itself(
    writer: Writer, traced: Traced
) -> None:
    for number in range(5):
        await writer.commit([(f"k{number}", "v")])
        assert rows(traced.folder)[f"k{number}"] == "v"

    assert traced.transactions == [1] * 5


async def test_commits_that_come_during_another_share_a_transaction(
    writer: Writer, traced: Traced
) -> None:
    await writer.commit([("k", "v")])
    with locked_by_another_process(traced.folder) as unlock:
        commits = [
            asyncio.create_task(writer.commit([(f"k{number}", "v")])) for number in range(60)
        ]
        await asyncio.sleep(0.05)  # all are queued behind the one that waits for the lock
        unlock()
        await asyncio.gather(*commits)

    assert sum(traced.transactions) == 61
    assert len(traced.transactions) <= 3
    assert len(rows(traced.folder)) == 61


async def test_a_flood_leaves_gaps_for_other_processes(writer: Writer, traced: Traced) -> None:
    flood = GROUP_ROWS * 4
    await asyncio.gather(*(writer.commit([(f"k{number}", "v")]) for number in range(flood)))

    assert sum(traced.transactions) == flood
    assert max(traced.transactions) <= GROUP_ROWS


async def test_rows_given_together_are_committed_together(writer: Writer, traced: Traced) -> None:
    await writer.commit([(f"k{number}", "v") for number in range(1000)])

    assert traced.transactions == [1000]


async def test_the_last_of_two_commits_of_a_row_stands(writer: Writer, traced: Traced) -> None:
    await asyncio.gather(*(writer.commit([("k", str(number))]) for number in range(200)))

    assert rows(traced.folder) == {"k": "199"}


def test_closing_commits_what_is_queued(traced: Traced) -> None:
    writer = Writer(traced.open, traced.folder)

    async def leave() -> None:
        waiting = [asyncio.create_task(writer.commit([(f"k{i}", "v")])) for i in range(50)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()

    asyncio.run(leave())
    writer.close()

    assert len(rows(traced.folder)) == 50


async def test_the_loop_keeps_turning_while_another_process_holds_the_lock(
    tmp_path: Path,
) -> None:
    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)
        with locked_by_another_process(tmp_path) as unlock:
            commit = asyncio.create_task(cache.commit(scorer, [("c" * 32, Reply(Reward(1.0)))]))
            for _ in range(100):  # one second at least
                await asyncio.sleep(0.01)
                assert not commit.done()
            unlock()
            await commit

        assert await cache.lookup(scorer, ["c" * 32]) == {"c" * 32: Reply(Reward(1.0))}


async def test_reading_does_not_wait_for_another_process_s_lock(tmp_path: Path) -> None:
    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)
        await cache.commit(scorer, [("c" * 32, Reply(Reward(1.0)))])
        with locked_by_another_process(tmp_path):
            assert await cache.lookup(scorer, ["c" * 32]) == {"c" * 32: Reply(Reward(1.0))}


async def test_a_lock_that_is_never_freed_stops_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.1)
    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)
        with locked_by_another_process(tmp_path) as unlock:
            with pytest.raises(StorageStopped) as stopped:
                await cache.commit(scorer, [("c" * 32, Reply(Reward(1.0)))])
            unlock()
        await cache.commit(scorer, [("d" * 32, Reply(Reward(1.0)))])  # and it goes on after

    assert str(stopped.value) == (
        f"the cache {tmp_path} cannot keep answers: another process has kept it busy for over a "
        "minute; wait for that process, or use another --cache-dir"
    )


async def test_a_full_disk_stops_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    AnswerCache(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "cache.db", isolation_level=None)
    # diskcache hands this on to SQLite, which then finds the disk full at 40 pages.
    connection.execute("INSERT INTO Settings VALUES ('sqlite_max_page_count', 40)")
    connection.close()
    acknowledged = {}
    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)

        async def fill() -> None:
            for number in range(1000):
                reply = Reply(Reward(float(number)), "x" * 2000)
                await cache.commit(scorer, [(f"{number:032x}", reply)])
                acknowledged[f"{number:032x}"] = reply

        with pytest.raises(StorageStopped, match="the disk is full; free some space"):
            await fill()
        assert await cache.lookup(scorer, [f"{number:032x}" for number in range(100)]) == (
            acknowledged
        )
    assert len(acknowledged) > 5


COMMIT_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from rmjudge.cache import AnswerCache
from rmjudge.calls import Reply, Reward

async def main():
    with AnswerCache(Path(sys.argv[1])) as cache:
        scorer = await cache.register({"provider": "test", "model": "m"})
        async def worker(first):
            for number in range(first, 10**6, 8):
                await cache.commit(scorer, [(f"{number:032x}", Reply(Reward(float(number))))])
                print(number, flush=True)
        await asyncio.gather(*map(worker, range(8)))

asyncio.run(main())
"""


def acknowledged_before_a_kill(folder: Path) -> list[int]:
    with subprocess.Popen(
        [sys.executable, "-c", COMMIT_FOR_EVER, str(folder)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines(keepends=True)
    return acknowledged + [int(line) for line in rest if line.endswith(b"\n")]


async def test_no_acknowledged_answer_is_lost_by_a_kill(tmp_path: Path) -> None:
    acknowledged = acknowledged_before_a_kill(tmp_path)

    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)
        found = await cache.lookup(scorer, [f"{number:032x}" for number in acknowledged])
    assert len(found) == len(acknowledged) >= 200


COMMIT_200 = """
import asyncio, sys
from pathlib import Path
from rmjudge.cache import AnswerCache
from rmjudge.calls import Reply, Reward

async def main(first):
    with AnswerCache(Path(sys.argv[1])) as cache:
        scorer = await cache.register({"provider": "test", "model": "m"})
        await asyncio.gather(*(
            cache.commit(scorer, [(f"{number:032x}", Reply(Reward(float(number))))])
            for number in range(first, first + 200)
        ))

asyncio.run(main(int(sys.argv[2])))
"""


def write_at_once(folder: Path) -> list[int]:
    """Exit codes of three processes that write at the same time."""
    processes = [
        subprocess.Popen([sys.executable, "-c", COMMIT_200, str(folder), str(first)])
        for first in (0, 200, 400)
    ]
    return [process.wait() for process in processes]


async def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    assert write_at_once(tmp_path) == [0, 0, 0]

    with AnswerCache(tmp_path) as cache:
        scorer = await cache.register(IDENTITY)
        found = await cache.lookup(scorer, [f"{number:032x}" for number in range(600)])
    assert [reply.answer for reply in found.values()] == [
        Reward(float(int(call, 16))) for call in found
    ]
    assert len(found) == 600
