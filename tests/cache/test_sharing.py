"""Two processes on one cache: each answer is bought once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cache_files import IDENTITY

from rmjudge.cache import AnswerCache, answers
from rmjudge.calls import Reply, Reward
from rmjudge.errors import Interrupted, StorageStopped

CALL = "c" * 32

BUY = """
import asyncio, sys
from pathlib import Path
from rmjudge.cache import AnswerCache
from rmjudge.calls import Reply, Reward

async def main():
    with AnswerCache(Path(sys.argv[1])) as cache:
        scorer = await cache.register({"provider": "test", "model": "m"})
        async with cache.claim(scorer, lambda: None):
            print("claimed", flush=True)
            sys.stdin.readline()
            await cache.commit(scorer, [("c" * 32, Reply(Reward(1.0)))])

asyncio.run(main())
"""


@contextmanager
def buying(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the claim, until it is told to buy and leave."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUY, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"claimed\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "CLAIM_POLL_S", 0.02)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[AnswerCache]:
    with AnswerCache(tmp_path) as cache:
        yield cache


async def test_the_second_process_waits_and_then_finds_the_answers(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    waits = 0
    with buying(cache.folder) as other:

        def waiting() -> None:
            nonlocal waits
            waits += 1
            if waits == 10 and other.stdin is not None:
                other.stdin.write(b"\n")
                other.stdin.flush()

        async with cache.claim(scorer, waiting):
            found = await cache.lookup(scorer, [CALL])

    assert waits >= 10
    assert found == {CALL: Reply(Reward(1.0))}


async def test_a_killed_process_has_no_claim(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    waits = 0
    with buying(cache.folder) as other:

        def waiting() -> None:
            nonlocal waits
            waits += 1
            if waits == 3:
                other.send_signal(signal.SIGKILL)

        async with cache.claim(scorer, waiting):
            assert other.wait() == -signal.SIGKILL

    assert waits >= 3


async def test_waiting_for_a_claim_can_be_given_up(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)

    def waiting() -> None:
        raise Interrupted("enough")

    with buying(cache.folder), pytest.raises(Interrupted, match="enough"):
        async with cache.claim(scorer, waiting):
            pytest.fail("two processes have the claim")


async def test_a_claim_on_one_scorer_does_not_hold_up_another(cache: AnswerCache) -> None:
    other = await cache.register({**IDENTITY, "model": "other"})
    with buying(cache.folder):
        async with cache.claim(other, lambda: pytest.fail("it had to wait")):
            pass


async def test_a_claim_is_free_again_after_an_error(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    with pytest.raises(Interrupted):
        async with cache.claim(scorer, lambda: None):
            raise Interrupted("the run is ending")

    with AnswerCache(cache.folder) as again:
        async with again.claim(scorer, lambda: pytest.fail("it had to wait")):
            pass


async def test_a_lock_file_that_cannot_be_made_stops_with_advice(cache: AnswerCache) -> None:
    scorer = await cache.register(IDENTITY)
    (cache.folder / "claims").write_text("in the way")

    with pytest.raises(StorageStopped, match=r"cannot keep answers: .*--cache-dir"):
        async with cache.claim(scorer, lambda: None):
            pytest.fail("there is no lock")
