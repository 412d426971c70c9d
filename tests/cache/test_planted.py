"""What others have put into the cache's files: it is neither run nor believed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from cache_files import CALL, IDENTITY, execute

from rmjudge.cache import AnswerCache
from rmjudge.cache.database import open_database
from rmjudge.calls import Reply, Reward


class Trap:
    """Whoever unpickles this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))

    @property
    def sprung(self) -> bool:
        return self.path.exists()


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """A trap of which it is known that it works."""
    trial = Trap(tmp_path / "trial")
    pickle.loads(pickle.dumps(trial))  # noqa: S301
    assert trial.sprung
    return Trap(tmp_path / "sprung")


async def planted(cache: AnswerCache, trap: Trap, mode: int, raw: int = 1) -> str:
    scorer = await cache.register(IDENTITY)
    value = pickle.dumps(trap)
    key: object = f"a:{scorer}:{CALL}" if raw else value
    execute(
        cache.folder,
        "INSERT INTO Cache (key, raw, mode, value, store_time) VALUES (?, ?, ?, ?, 1)",
        key,
        raw,
        mode,
        value,
    )
    return scorer


MODES = {"none": 0, "raw": 1, "binary": 2, "text": 3, "pickle": 4}


@pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))
async def test_a_planted_pickle_is_neither_run_nor_returned(
    cache: AnswerCache, trap: Trap, mode: int
) -> None:
    scorer = await planted(cache, trap, mode)

    assert await cache.lookup(scorer, [CALL]) == {}
    assert not trap.sprung


@pytest.mark.parametrize("mode", [0, 2, 3, 4])
async def test_a_row_that_is_not_marked_as_text_is_another_program_s(
    cache: AnswerCache, mode: int
) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])
    execute(cache.folder, "UPDATE Cache SET mode = ? WHERE key LIKE 'a:%'", mode)

    assert await cache.lookup(scorer, [CALL]) == {}
    assert cache.damaged == 0


async def test_diskcache_itself_refuses_a_planted_pickle(cache: AnswerCache, trap: Trap) -> None:
    scorer = await planted(cache, trap, MODES["pickle"])
    opened = open_database(cache.folder)

    with pytest.raises(ValueError, match="plain text only"):
        opened.get(f"a:{scorer}:{CALL}")
    opened.close()
    assert not trap.sprung


async def test_diskcache_itself_refuses_a_pickled_key(cache: AnswerCache, trap: Trap) -> None:
    await planted(cache, trap, MODES["raw"], raw=0)
    opened = open_database(cache.folder)

    with pytest.raises(ValueError, match="plain text only"):
        list(opened)
    opened.close()
    assert not trap.sprung


def test_nothing_but_text_can_be_written(folder: Path) -> None:
    opened = open_database(folder)

    with pytest.raises(ValueError, match="plain text only"):
        opened.set("key", {"a": 1})
    with pytest.raises(ValueError, match="plain text only"):
        opened.set(("a", 1), "value")
    opened.close()


async def test_an_answer_takes_the_place_of_a_planted_row(cache: AnswerCache, trap: Trap) -> None:
    scorer = await planted(cache, trap, MODES["pickle"])
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])

    assert await cache.lookup(scorer, [CALL]) == {CALL: Reply(Reward(1.0))}


async def test_a_row_that_points_at_a_file_reads_no_file(
    cache: AnswerCache, tmp_path: Path
) -> None:
    scorer = await cache.register(IDENTITY)
    await cache.commit(scorer, [(CALL, Reply(Reward(1.0)))])
    (text,) = execute(cache.folder, "SELECT value FROM Cache WHERE key LIKE 'a:%'")[0]
    (tmp_path / "elsewhere").write_text(text)
    execute(
        cache.folder,
        "UPDATE Cache SET mode = 3, filename = ?, value = NULL WHERE key LIKE 'a:%'",
        str(tmp_path / "elsewhere"),
    )

    assert await cache.lookup(scorer, [CALL]) == {}
