"""The answer cache on a real folder: what goes in comes out, in time and in private."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diskcache
import pytest
from cache_files import CALL, IDENTITY, execute

from rmjudge.cache import AnswerCache, default_folder
from rmjudge.calls import (
    UNSCORED_STATUSES,
    Answer,
    Reply,
    Reward,
    Unscored,
    Usage,
    Verdict,
)

OTHER = "1" * 32
HOSTILE = "\udfff \ud800 \0 \x1b[31m \u202e \r\n \U0001f600 '; DROP TABLE Cache; --"
KINDS: list[Answer] = [
    Reward(0.1 + 0.2),
    Reward(-5e-324),
    Reward(1.7e308),
    Reward(-0.0),
    Reward(7),
    Verdict(1.0),
    Verdict(0.5),
    Verdict(0.0),
    Verdict(0.123456789012345678),
    *(Unscored(status, HOSTILE) for status in sorted(UNSCORED_STATUSES)),  # type: ignore[arg-type]
]


def modes(folder: Path) -> dict[str, str]:
    """Permissions of the folder and of everything in it."""
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in (folder, *folder.rglob("*"))
    }


async def kept(cache: AnswerCache, reply: Reply) -> Reply:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, reply)])
    return (await cache.lookup(scorer, [CALL]))[CALL]


@pytest.mark.parametrize("answer", KINDS, ids=ascii)
async def test_every_kind_of_answer_comes_back_as_it_was(
    cache: AnswerCache, answer: Answer
) -> None:
    reply = Reply(answer, "raw", "parser/1", Usage(10, 0, None), "model")
    found = await kept(cache, reply)

    assert found == reply
    assert repr(found) == repr(reply)  # 7 is not 7.0, -0.0 is not 0.0


@pytest.mark.parametrize(
    "text", ["", HOSTILE, "x\ud800" * 2**19], ids=["nothing", "hostile characters", "over 1 MB"]
)
async def test_any_text_comes_back_as_it_was(cache: AnswerCache, text: str) -> None:
    reply = Reply(Unscored("unparsed", text), text, text, Usage(), text)

    assert await kept(cache, reply) == reply


async def test_a_megabyte_reply_stays_in_the_synced_database(
    cache: AnswerCache, folder: Path
) -> None:
    await kept(cache, Reply(Verdict(1.0), "x" * 2**20))

    assert set(modes(folder)) == {".", "cache.db", "cache.db-shm", "cache.db-wal"}


async def test_answers_are_there_after_closing_and_opening(folder: Path) -> None:
    with AnswerCache(folder) as cache:
        scorer = await cache.register(IDENTITY)
        await cache.commit(scorer, [(CALL, Reply(Reward(1.5)))])
    with AnswerCache(folder) as cache:
        assert await cache.lookup(await cache.register(IDENTITY), [CALL, OTHER]) == {
            CALL: Reply(Reward(1.5))
        }


async def test_thousands_of_calls_are_looked_up_at_once(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    replies = {f"{number:032x}": Reply(Reward(float(number))) for number in range(1203)}
    await cache.commit(scorer, list(replies.items()))

    assert await cache.lookup(scorer, [*replies, "f" * 32]) == replies


async def test_one_scorer_s_answers_are_not_another_s(cache: AnswerCache) -> None:
    one = await cache.register(IDENTITY)
    two = await cache.register({**IDENTITY, "model": "other"})
    await cache.commit(one, [(CALL, Reply(Reward(1.0)))])

    assert await cache.lookup(two, [CALL]) == {}


async def test_a_second_answer_to_a_call_takes_the_first_one_s_place(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])
    await cache.commit(scorer, [(CALL, Reply(Reward(2.0)))])

    assert await cache.lookup(scorer, [CALL]) == {CALL: Reply(Reward(2.0))}


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
async def test_only_the_owner_can_read_the_files_while_they_are_open(folder: Path) -> None:
    with AnswerCache(folder) as cache:
        scorer = await cache.register(IDENTITY)
        async with cache.claim(scorer, lambda: None):
            found = modes(folder)

    assert found == {
        ".": "0o700",
        "cache.db": "0o600",
        "cache.db-wal": "0o600",
        "cache.db-shm": "0o600",
        "claims": "0o700",
        f"claims/{scorer}.lock": "0o600",
    }


def test_the_default_folder_is_the_user_s_own() -> None:
    assert default_folder() == Path(os.environ["XDG_CACHE_HOME"]) / "rmjudge" / "answers"


DAMAGES = {
    "a flipped character": "replace(value, '1.5', '2.5')",
    "cut short": "substr(value, 1, 60)",
    "bytes that are no UTF-8": "CAST(CAST(value AS BLOB) || x'ff80' AS TEXT)",
    "a blob": "CAST(value AS BLOB)",
    "a number": "5",
    "nothing": "NULL",
    "an empty text": "''",
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=list(DAMAGES))
async def test_a_damaged_row_is_missing_and_counted_and_left_in_place(
    cache: AnswerCache, change: str
) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.5))), (OTHER, Reply(Reward(2.0)))])
    statement = f"UPDATE Cache SET value = {change} WHERE key LIKE 'a:%{CALL}'"  # noqa: S608
    execute(cache.folder, statement)
    before = execute(cache.folder, "SELECT key, hex(value) FROM Cache")

    assert await cache.lookup(scorer, [CALL, OTHER]) == {OTHER: Reply(Reward(2.0))}
    assert cache.damaged == 1
    assert execute(cache.folder, "SELECT key, hex(value) FROM Cache") == before


async def test_a_damaged_row_that_is_met_twice_counts_once(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.5))), (OTHER, Reply(Reward(2.0)))])
    execute(cache.folder, "UPDATE Cache SET value = 'x' WHERE key LIKE 'a:%'")
    await cache.lookup(scorer, [CALL])
    await cache.lookup(scorer, [CALL, OTHER])

    assert cache.damaged == 2


async def test_a_damaged_row_is_mended_by_buying_again(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.5)))])
    execute(cache.folder, "UPDATE Cache SET value = 'x' WHERE key LIKE 'a:%'")
    await cache.commit(scorer, [(CALL, Reply(Reward(1.5)))])

    assert await cache.lookup(scorer, [CALL]) == {CALL: Reply(Reward(1.5))}


def settings(folder: Path) -> dict[str, Any]:
    return dict(execute(folder, "SELECT key, value FROM Settings"))


NEVER_LOSES = {"eviction_policy": "none", "cull_limit": 0, "sqlite_synchronous": 2}


def test_a_new_cache_keeps_everything_and_syncs_every_commit(folder: Path) -> None:
    AnswerCache(folder).close()
    found = settings(folder)

    assert {name: found[name] for name in NEVER_LOSES} == NEVER_LOSES
    assert found["size_limit"] > 2**60
    assert execute(folder, "PRAGMA journal_mode") == [("wal",)]


def test_a_folder_that_diskcache_made_with_its_defaults_loses_them(folder: Path) -> None:
    diskcache.Cache(str(folder), size_limit=2**16).close()
    assert settings(folder)["eviction_policy"] == "least-recently-stored"
    AnswerCache(folder).close()

    assert {name: settings(folder)[name] for name in NEVER_LOSES} == NEVER_LOSES


def test_a_folder_made_with_another_kind_of_disk_can_be_opened(folder: Path) -> None:
    diskcache.Cache(str(folder), disk=diskcache.JSONDisk, disk_compress_level=3).close()

    AnswerCache(folder).close()


async def test_nothing_is_evicted_from_a_cache_that_was_made_to_evict(folder: Path) -> None:
    diskcache.Cache(str(folder), size_limit=2**16, cull_limit=10).close()
    replies = {f"{number:032x}": Reply(Reward(1.0), "x" * 4096) for number in range(200)}
    with AnswerCache(folder) as cache:
        scorer = await cache.register(IDENTITY)
        for call, reply in replies.items():
            await cache.commit(scorer, [(call, reply)])

        assert await cache.lookup(scorer, list(replies)) == replies


async def test_a_program_that_opens_it_with_diskcache_s_defaults_removes_nothing(
    cache: AnswerCache,
) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])
    other = diskcache.Cache(str(cache.folder))
    other.set("theirs", "x")
    assert other.cull() == 0
    assert other.expire() == 0
    other.close()

    assert await cache.lookup(scorer, [CALL]) == {CALL: Reply(Reward(1.0))}


async def test_no_answer_has_a_day_on_which_it_expires(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])

    assert execute(cache.folder, "SELECT DISTINCT expire_time FROM Cache") == [(None,)]


@pytest.mark.parametrize(
    "name", ["a$HOME", "~x", "~", "$x", "${x}", "%x%", "file:x?mode=ro", "a b"]
)
@pytest.mark.parametrize("relative", [True, False])
def test_a_folder_is_used_whatever_signs_its_name_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, relative: bool
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.setenv("x", str(elsewhere))
    monkeypatch.chdir(tmp_path)
    folder = Path(name) if relative else tmp_path / name
    reply = Reply(Reward(1.5))
    with AnswerCache(folder) as cache:
        assert asyncio.run(kept(cache, reply)) == reply
    with AnswerCache(folder) as cache:
        scorer = asyncio.run(cache.register(IDENTITY))
        assert asyncio.run(cache.lookup(scorer, [CALL])) == {CALL: reply}

    assert (tmp_path / name / "cache.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_working_directory_may_have_such_signs_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work$HOME").mkdir()
    monkeypatch.chdir(tmp_path / "work$HOME")
    AnswerCache(Path("cache")).close()

    assert (tmp_path / "work$HOME" / "cache" / "cache.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["work$HOME"]
