"""What ends a run before its end, and what is kept of it: a scorer, a disk, a person, a bug."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from pathlib import Path

import pytest
from orchestrated import REJECTED, Gate, Other, Rewards, job_of, many, run, until

from rmjudge import Interrupted, ProviderStopped, StorageStopped
from rmjudge.cache import AnswerCache
from rmjudge.calls import Call, Outcome, Reply, Reward, Unscored
from rmjudge.running.orchestrator import Orchestrator


class Quota(Rewards):
    """Stops for good after a number of answers."""

    name = "mine/quota"

    def __init__(self, answers: int) -> None:
        super().__init__()
        self.answers = answers

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        if len(self.asked) == self.answers:
            raise ProviderStopped("the quota is used up")
        return super().reward(prompt, response)


class Buggy(Rewards):
    """A scorer of the Protocol alone, with a bug that shows after a number of answers."""

    name = "mine/buggy"

    def __init__(self, answers: int, error: Exception) -> None:
        super().__init__()
        self.answers = answers
        self.error = error

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        if len(self.asked) == self.answers:
            raise self.error
        return await super().answer(calls)


class FullDisk(AnswerCache):
    """Keeps a number of answers, then no more."""

    def __init__(self, folder: Path, room: int) -> None:
        super().__init__(folder)
        self.room = room

    async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
        self.room -= len(replies)
        if self.room < 0:
            raise StorageStopped("the disk is full")
        await super().commit(scorer, replies)


# A scorer that stops


async def test_a_scorer_that_stops_ends_its_own_job_and_no_other(tmp_path: Path) -> None:
    stopped, other = job_of(Quota(2), many(3)), job_of(Other(), many(3))
    await run(tmp_path, stopped, other)
    assert isinstance(stopped.stopped, ProviderStopped)
    assert (stopped.counts.answered, stopped.counts.sent) == (2, 3)
    assert (other.counts.answered, other.finished, other.stopped) == (18, True, None)


async def test_what_was_answered_before_a_stop_is_not_asked_again(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Quota(2)))
    again = Quota(99)
    job = job_of(again)
    await run(tmp_path, job)
    assert again.asked == ["c2", *REJECTED]
    assert (job.counts.from_cache, job.finished, job.stopped) == (2, True, None)


async def test_the_calls_beside_the_one_that_stopped_are_finished_and_kept(
    tmp_path: Path,
) -> None:
    class Stopping(Gate):
        name = "mine/stopping"

        async def reward(self, prompt: str, response: str) -> float:
            if response == "c1":
                self.gate.set()
                raise ProviderStopped("the key was withdrawn")
            return await super().reward(prompt, response)

    job = job_of(Stopping())
    await run(tmp_path, job)
    assert job.answers == [[Reward(1.0), *[None] * 5]]
    assert isinstance(job.stopped, ProviderStopped)


async def test_a_disk_that_is_full_stops_every_job_and_counts_nothing_unkept(
    tmp_path: Path,
) -> None:
    jobs = job_of(Rewards(), many(20)), job_of(Other(), many(20))
    with FullDisk(tmp_path, room=10) as cache:
        await Orchestrator(cache).run(jobs)
    assert all(isinstance(job.stopped, StorageStopped) for job in jobs)
    assert sum(job.counts.answered for job in jobs) == 10
    scored = [answer for job in jobs for answers in job.answers for answer in answers if answer]
    assert len(scored) == 10


async def test_an_answer_that_cannot_be_kept_stops_the_other_jobs_too(tmp_path: Path) -> None:
    class Hiccup(FullDisk):
        async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
            self.room -= 1
            if self.room == 0:
                raise StorageStopped("a bad moment")
            await AnswerCache.commit(self, scorer, replies)

    jobs = job_of(Rewards(), many(20)), job_of(Other(), many(20))
    with Hiccup(tmp_path, room=10) as cache:
        await Orchestrator(cache).run(jobs)
    assert [str(job.stopped) for job in jobs] == ["a bad moment"] * 2
    assert not any(job.finished for job in jobs)


# Asked to stop


async def test_stop_finishes_what_is_under_way_and_starts_nothing_more(tmp_path: Path) -> None:
    gate = Gate()
    job = job_of(gate)
    reason = Interrupted("enough")
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        running = asyncio.create_task(orchestrator.run([job]))
        await until(lambda: len(gate.asked) == 2)
        orchestrator.stop(reason)
        assert gate.drained
        gate.gate.set()
        await running
    assert gate.asked == ["c0", "c1"]
    assert job.answers == [[Reward(1.0), Reward(1.0), None, None, None, None]]
    assert (job.counts.answered, job.counts.in_flight, job.stopped) == (2, 0, reason)


async def test_what_was_drained_is_in_the_cache(tmp_path: Path) -> None:
    gate = Gate()
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        running = asyncio.create_task(orchestrator.run([job_of(gate)]))
        await until(lambda: len(gate.asked) == 2)
        orchestrator.stop(Interrupted("enough"))
        gate.gate.set()
        await running
    again = Gate()
    again.gate.set()
    await run(tmp_path, job_of(again))
    assert again.asked == ["c2", *REJECTED]


async def test_the_first_reason_to_stop_stands(tmp_path: Path) -> None:
    gate = Gate()
    job = job_of(gate)
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        running = asyncio.create_task(orchestrator.run([job]))
        await until(lambda: len(gate.asked) == 2)
        orchestrator.stop(Interrupted("first"))
        orchestrator.stop(StorageStopped("second"))
        gate.gate.set()
        await running
    assert str(job.stopped) == "first"


async def test_a_job_that_is_finished_is_not_stopped(tmp_path: Path) -> None:
    gate, done = Gate(), job_of(Rewards())
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        running = asyncio.create_task(orchestrator.run([job_of(gate), done]))
        await until(lambda: len(gate.asked) == 2 and done.finished)
        orchestrator.stop(Interrupted("enough"))
        gate.gate.set()
        await running
    assert done.stopped is None


@pytest.mark.parametrize("turns", range(4))
async def test_stop_right_at_the_start_asks_nothing(tmp_path: Path, turns: int) -> None:
    scorer = Rewards()
    job = job_of(scorer)
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        running = asyncio.create_task(orchestrator.run([job]))
        for _ in range(turns):
            await asyncio.sleep(0)
        orchestrator.stop(Interrupted("at once"))
        await running
    assert scorer.asked == []
    assert str(job.stopped) == "at once"


async def test_stop_before_the_start_asks_nothing(tmp_path: Path) -> None:
    job = job_of(Rewards())
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        orchestrator.stop(Interrupted("before"))
        await orchestrator.run([job])
    assert (job.counts.sent, str(job.stopped)) == (0, "before")


async def test_stop_leaves_alone_what_the_cache_answers_in_full(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Rewards()))
    job = job_of(Rewards())
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache)
        orchestrator.stop(Interrupted("before"))
        await orchestrator.run([job])
    assert (job.counts.from_cache, job.finished, job.stopped) == (6, True, None)


async def test_a_call_that_never_ends_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    gate = Gate()
    job = job_of(gate)
    with AnswerCache(tmp_path) as cache:
        orchestrator = Orchestrator(cache, drain_s=0.05)
        running = asyncio.create_task(orchestrator.run([job]))
        await until(lambda: len(gate.asked) == 2)
        orchestrator.stop(Interrupted("enough"))
        await running
    assert isinstance(job.stopped, Interrupted)
    assert (job.counts.answered, job.counts.in_flight) == (0, 0)


# A scorer with a bug


async def test_an_error_of_a_users_scorer_surfaces_as_itself(tmp_path: Path) -> None:
    error = ZeroDivisionError("my own bug")
    with pytest.raises(ZeroDivisionError) as caught:
        await run(tmp_path, job_of(Buggy(2, error)))
    assert caught.value is error


async def test_what_was_answered_before_an_error_is_kept(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        await run(tmp_path, job_of(Buggy(2, KeyError("k"))))
    again = Buggy(99, KeyError("k"))
    await run(tmp_path, job_of(again))
    assert again.asked == ["c2", *REJECTED]


async def test_the_other_jobs_finish_before_an_error_surfaces(tmp_path: Path) -> None:
    other = job_of(Other(), many(5))
    with pytest.raises(RuntimeError, match="bug"):
        await run(tmp_path, job_of(Buggy(0, RuntimeError("bug"))), other)
    assert other.finished
    assert other.counts.answered == 30


class TooFew(Rewards):
    name = "mine/too-few"
    batch = 3

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        return [Reply(Unscored("empty")) for _ in calls[1:]]


async def test_too_few_outcomes_are_an_error_and_nothing_is_kept(tmp_path: Path) -> None:
    job = job_of(TooFew())
    with pytest.raises(ValueError, match="shorter"):
        await run(tmp_path, job)
    assert job.counts.answered == 0


@pytest.mark.parametrize("scorer", [Rewards(), Quota(1), Buggy(1, RuntimeError("bug"))])
async def test_a_scorer_is_closed_once_whatever_happened(tmp_path: Path, scorer: Rewards) -> None:
    await asyncio.gather(run(tmp_path, job_of(scorer)), return_exceptions=True)
    assert scorer.closed == 1
