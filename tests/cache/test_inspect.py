"""Looking into a cache: what it holds, whether it is sound, why something was not found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import diskcache
import pytest
from cache_files import execute

from rmjudge.cache import AnswerCache
from rmjudge.cache.inspect import explain, info, require, verify
from rmjudge.calls import Json, Reply, Reward, Unscored
from rmjudge.errors import StorageStopped, UsageError

OLD: dict[str, Json] = {"model": "m", "template": "one", "params": {"seed": 1}, "gone": 2}
NEW: dict[str, Json] = {"model": "m", "template": "two", "params": {"seed": 1}, "added": True}
CALLS = [f"{number:032x}" for number in range(6)]


async def fill(folder: Path, identity: dict[str, Json], calls: list[str]) -> str:
    with AnswerCache(folder) as cache:
        scorer = await cache.register(identity)
        await cache.commit(scorer, [(call, Reply(Reward(1.0), "x" * 500)) for call in calls])
    return scorer


def test_a_folder_without_a_cache_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path} holds no cache.*--cache-dir"):
        require(tmp_path)
    assert not (tmp_path / "cache.db").exists()


async def test_info_counts_answers_by_scorer(tmp_path: Path) -> None:
    old = await fill(tmp_path, OLD, CALLS[:4])
    new = await fill(tmp_path, NEW, CALLS[:1])
    with AnswerCache(tmp_path) as cache:
        await cache.commit(new, [(CALLS[1], Reply(Unscored("refusal", "no")))])
    found = info(tmp_path)
    scorers = {rows.key: rows for rows in found.scorers}

    assert set(scorers) == {old, new}
    assert (scorers[old].identity, scorers[old].answers, scorers[old].unscored) == (OLD, 4, 0)
    assert (scorers[new].identity, scorers[new].answers, scorers[new].unscored) == (NEW, 2, 1)
    assert found.size_bytes == (tmp_path / "cache.db").stat().st_size


async def test_info_tells_when_the_first_and_the_last_answer_came(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, CALLS[:3])
    for number, call in enumerate(CALLS[:3]):
        execute(
            tmp_path, "UPDATE Cache SET store_time = ? WHERE key LIKE ?", 50 + number, f"%{call}"
        )
    (rows,) = info(tmp_path).scorers

    assert (rows.first, rows.last) == (50.0, 52.0)


async def test_info_shows_a_scorer_without_answers(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, [])
    (rows,) = info(tmp_path).scorers

    assert (rows.answers, rows.first, rows.last) == (0, None, None)


async def test_an_untouched_cache_is_sound(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, CALLS)
    found = verify(tmp_path)

    assert found.sound
    assert found.rows == 7


@pytest.mark.parametrize(
    "value", ["replace(value, '1.0', '2.0')", "x'ff'", "NULL", "5", "CAST(x'ff61' AS TEXT)"]
)
async def test_verify_names_a_damaged_answer(tmp_path: Path, value: str) -> None:
    scorer = await fill(tmp_path, OLD, CALLS)
    statement = f"UPDATE Cache SET value = {value} WHERE key LIKE 'a:%{CALLS[2]}'"  # noqa: S608
    execute(tmp_path, statement)
    found = verify(tmp_path)

    assert found.damaged == (f"a:{scorer}:{CALLS[2]}: checksum does not match",)
    assert not found.sound
    assert found.rows == 7


async def test_verify_names_a_damaged_identity(tmp_path: Path) -> None:
    scorer = await fill(tmp_path, OLD, CALLS)
    execute(tmp_path, "UPDATE Cache SET value = replace(value, 'one', 'two') WHERE key LIKE 's:%'")

    assert verify(tmp_path).damaged == (f"s:{scorer}: checksum does not match",)


async def test_verify_counts_rows_that_another_program_wrote(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, CALLS)
    other = diskcache.Cache(str(tmp_path))
    for key, value in (("text", "text"), (b"a:x", "x"), (("a", 1), "x"), ("a:pickle", {"a": 1})):
        other.set(key, value)
    other.close()
    found = verify(tmp_path)

    assert found.foreign == 4
    assert (found.rows, found.damaged) == (7, ())
    assert not found.sound


async def test_verify_tells_of_a_damaged_database_and_reads_what_it_can(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, [f"{number:032x}" for number in range(400)])
    database = tmp_path / "cache.db"
    content = bytearray(database.read_bytes())
    content[20 * 4096 : 60 * 4096] = b"\xa5" * (40 * 4096)
    database.write_bytes(content)
    found = verify(tmp_path)

    assert found.database_problems == ("database disk image is malformed",)
    assert 0 < found.rows < 401
    assert not found.sound
    assert database.read_bytes() == content


def test_verify_tells_of_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"not a database " * 1000)

    assert verify(tmp_path).database_problems == ("file is not a database",)


async def test_verify_tells_of_an_index_that_lacks_rows(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, CALLS)
    # SQLite is told that the index is another: its own check finds out.
    connection = sqlite3.connect(tmp_path / "cache.db", isolation_level=None)
    connection.execute("PRAGMA writable_schema = 1")
    connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, '(expire_time)', '(store_time)') "
        "WHERE name = 'Cache_expire_time'"
    )
    connection.close()

    assert any("Cache_expire_time" in line for line in verify(tmp_path).database_problems)


def test_a_file_that_is_no_database_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"not a database " * 1000)

    with pytest.raises(StorageStopped, match=r"cannot be read: .*\(file is not a database\)"):
        info(tmp_path)


async def test_explain_shows_which_parts_of_the_identity_differ(tmp_path: Path) -> None:
    old = await fill(tmp_path, OLD, CALLS)
    found = explain(tmp_path, NEW, CALLS)

    assert (found.calls, found.found, found.missing) == (6, 0, 6)
    (candidate,) = found.candidates
    assert (candidate.key, candidate.answered) == (old, 6)
    assert candidate.differs == {
        "template": ("two", "one"),
        "added": (True, None),
        "gone": (None, 2),
    }


async def test_explain_puts_the_scorer_with_most_answers_first(tmp_path: Path) -> None:
    few = await fill(tmp_path, {"model": "few"}, CALLS[:2])
    many = await fill(tmp_path, {"model": "many"}, CALLS)
    await fill(tmp_path, {"model": "none"}, ["f" * 32])
    found = explain(tmp_path, NEW, CALLS)

    assert [(item.key, item.answered) for item in found.candidates] == [(many, 6), (few, 2)]


async def test_explain_counts_only_calls_that_are_missing(tmp_path: Path) -> None:
    await fill(tmp_path, NEW, CALLS[:4])
    await fill(tmp_path, OLD, CALLS)
    found = explain(tmp_path, NEW, [*CALLS, CALLS[0]])

    assert (found.calls, found.found, found.missing) == (6, 4, 2)
    assert [item.answered for item in found.candidates] == [2]


async def test_explain_lives_with_rows_of_odd_names(tmp_path: Path) -> None:
    await fill(tmp_path, OLD, CALLS)
    for name in ("a:", "a:x", "a:x:y:z"):
        execute(
            tmp_path,
            "INSERT INTO Cache (key, raw, mode, value, store_time) VALUES (?, 1, 1, 'x', 1)",
            name,
        )

    assert explain(tmp_path, NEW, CALLS).candidates[0].answered == 6
    assert len(verify(tmp_path).damaged) == 3
