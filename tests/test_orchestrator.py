"""Running jobs: what is kept, what is asked, what stops, and what goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from rmjudge import (
    Interrupted,
    PairwiseScorer,
    PointwiseScorer,
    ProviderStopped,
    Scorer,
    StorageStopped,
)
from rmjudge.cache import AnswerCache
from rmjudge.cache.keys import call_key
from rmjudge.calls import (
    Answer,
    Call,
    Failure,
    Outcome,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
)
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.job import Job
from rmjudge.orchestrator import Orchestrator
from rmjudge.plan import plan_tuple
from rmjudge.store import key_fields
from rmjudge.vocabulary import Order

CHOSEN: Triple = ("c0", "c1", "c2")
REJECTED: Triple = ("r0", "r1", "r2")


class Rewards(PointwiseScorer):
    """The length of the response; remembers what it was asked."""

    name, version = "mine/rewards", "1"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.closed = 0

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        self.asked.append(response)
        return float(len(response))

    async def aclose(self) -> None:
        self.closed += 1


class Other(Rewards):
    name = "mine/other"


class Judge(PairwiseScorer):
    """Prefers the chosen; says nothing about responses that it was told not to score."""

    name, version = "mine/judge", "1"

    def __init__(self, *unscored: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.unscored = unscored

    def compare(self, prompt: str, first: str, second: str) -> float:
        self.asked.append(f"{first}>{second}")
        return float("nan") if {first, second} & set(self.unscored) else float(first < second)


class Gate(Rewards):
    """Answers nothing until the gate is opened."""

    name = "mine/gate"
    concurrency = 2

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.drained = False

    async def reward(self, prompt: str, response: str) -> float:
        self.asked.append(response)
        await self.gate.wait()
        return 1.0

    def drain(self) -> None:
        self.drained = True


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
    """Has a bug that shows after a number of answers."""

    name = "mine/buggy"

    def __init__(self, answers: int, error: Exception) -> None:
        super().__init__()
        self.answers = answers
        self.error = error

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        if len(self.asked) == self.answers:
            raise self.error
        return super().reward(prompt, response)


class Batches(Rewards):
    """Takes several calls at once and remembers how many."""

    name = "mine/batches"
    batch = 4

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        self.sizes.append(len(calls))
        return await super().answer(calls)


class WholeTuples(Batches):
    name = "mine/whole-tuples"
    batch = 16
    whole_tuples = True


class Cluster(Rewards):
    """Takes everything at once; answers the last call first, and `parts` parts at most."""

    name = "mine/cluster"

    def __init__(self, parts: int = 10**6) -> None:
        super().__init__()
        self.parts = parts
        self.given: list[int] = []

    async def answer_all(
        self, calls: Sequence[Call]
    ) -> AsyncIterator[Sequence[tuple[int, Outcome]]]:
        self.given.append(len(calls))
        for number in reversed(range(len(calls))):
            if not self.parts:
                raise ProviderStopped("the cluster is gone")
            self.parts -= 1
            yield [(number, outcome) for outcome in await self.answer([calls[number]])]


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


class Witness(AnswerCache):
    """Looks, after every commit, what is on disk and what the job has counted by then."""

    job: Job
    seen: list[tuple[int, int, bool]]
    kept: int = 0

    async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
        await super().commit(scorer, replies)
        stored = await self.lookup(scorer, [key for key, _ in replies])
        self.kept += len(stored)
        written = sum(self.job.work[key].answer is not None for key, _ in replies)
        self.seen.append((len(stored), written, self.job.counts.answered < self.kept))


def bench(id: int = 1, prompt: str = "p") -> BenchTuple:
    return BenchTuple(id, "chat", None, prompt, CHOSEN, REJECTED)


def job_of(scorer: Scorer, items: Sequence[BenchTuple] = (), order: Order = "seeded") -> Job:
    plans = [plan_tuple(item, scorer.method, order) for item in items or [bench()]]
    return Job(scorer, plans, lambda call: call_key(key_fields(call)))


def many(count: int) -> list[BenchTuple]:
    """Tuples that share no call."""
    return [bench(number, f"p{number}") for number in range(count)]


async def run(folder: Path, *jobs: Job) -> None:
    with AnswerCache(folder) as cache:
        await Orchestrator(cache).run(jobs)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells when a call is under way
            await asyncio.sleep(0.001)


# What is asked, what is kept


async def test_every_call_is_asked_and_answered(tmp_path: Path) -> None:
    scorer = Rewards()
    job = job_of(scorer, many(3))
    await run(tmp_path, job)
    assert sorted(scorer.asked) == sorted([*CHOSEN, *REJECTED] * 3)
    assert job.answers == [[Reward(2.0)] * 6] * 3
    assert (job.counts.planned, job.counts.sent, job.counts.answered) == (18, 18, 18)
    assert (job.counts.in_flight, job.finished, job.stopped) == (0, True, None)


async def test_an_answer_is_on_disk_before_it_counts(tmp_path: Path) -> None:
    with Witness(tmp_path) as cache:
        cache.job, cache.seen = job_of(Rewards()), []
        await Orchestrator(cache).run([cache.job])
    assert cache.seen == [(1, 0, True)] * 6


class SlowToKeep(AnswerCache):
    """Commits only when let; counts what waits."""

    waiting = 0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.let = asyncio.Event()

    async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
        self.waiting += len(replies)
        await self.let.wait()
        await super().commit(scorer, replies)


async def test_while_answers_go_to_disk_others_are_asked_for_and_no_more_than_a_quarter(
    tmp_path: Path,
) -> None:
    scorer = Busy(8)
    job = job_of(scorer, many(10))
    with SlowToKeep(tmp_path) as cache:
        running = asyncio.create_task(Orchestrator(cache).run([job]))
        await until(lambda: cache.waiting == 10)
        for _ in range(50):
            await asyncio.sleep(0.001)
        asked = job.counts.sent
        cache.let.set()
        await running
    assert asked == 10  # eight at once, and two more while their answers wait
    assert (scorer.most, job.counts.answered) == (8, 60)


async def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    first, second = job_of(Rewards(), many(3)), job_of(Rewards(), many(3))
    await run(tmp_path, first)
    await run(tmp_path, second)
    assert isinstance(second.scorer, Rewards)
    assert second.scorer.asked == []
    assert (second.counts.from_cache, second.counts.sent) == (18, 0)
    assert second.answers == first.answers


async def test_a_run_that_went_on_asks_what_is_missing_only(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Rewards(), many(3)))
    scorer = Rewards()
    job = job_of(scorer, many(4))
    await run(tmp_path, job)
    assert scorer.asked == [*CHOSEN, *REJECTED]
    assert (job.counts.planned, job.counts.from_cache, job.counts.sent) == (24, 18, 6)


async def test_another_scorer_has_answers_of_its_own(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Rewards()))
    other = Other()
    await run(tmp_path, job_of(other))
    assert len(other.asked) == 6


async def test_equal_calls_in_different_tuples_are_asked_once(tmp_path: Path) -> None:
    scorer = Rewards()
    job = job_of(scorer, [bench(1), bench(2), bench(3)])
    await run(tmp_path, job)
    assert scorer.asked == [*CHOSEN, *REJECTED]
    assert job.answers == [[Reward(2.0)] * 6] * 3


async def test_two_runs_at_once_buy_every_answer_once(tmp_path: Path) -> None:
    one, other = Rewards(), Rewards()
    jobs = job_of(one, many(3)), job_of(other, many(3))
    await asyncio.gather(*(run(tmp_path, job) for job in jobs))
    assert len(one.asked) + len(other.asked) == 18
    assert jobs[0].answers == jobs[1].answers


class Undecided(Judge):
    """Is paid for replies without a verdict."""

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        await super().answer(calls)
        return [Reply(Unscored("unparsed"))] * len(calls)


async def test_a_reply_without_a_score_is_kept_and_not_asked_again(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Undecided()))
    judge = Undecided()
    job = job_of(judge)
    await run(tmp_path, job)
    assert judge.asked == []
    assert (job.counts.unscored, job.statuses) == (9, {"unparsed": 9})
    assert job.plans[0].credits(job.answers[0])[0] == (None, None, None)


async def test_a_value_that_is_no_score_is_not_kept_and_mended_code_is_asked(
    tmp_path: Path,
) -> None:
    job = job_of(Judge("c0"))
    await run(tmp_path, job)
    assert (job.counts.failed, job.statuses) == (3, {"not-a-number": 3})
    judge = Judge()
    await run(tmp_path, job_of(judge))
    assert len(judge.asked) == 3


class Flaky(Rewards):
    """Gets no reply for some responses."""

    name = "mine/flaky"

    def __init__(self, *lost: str) -> None:
        super().__init__()
        self.lost = lost

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        (call,) = calls
        assert isinstance(call, RewardCall)
        if call.response in self.lost:
            self.asked.append(call.response)
            return [Failure("timeout", "nothing came")]
        return await super().answer(calls)


async def test_a_call_that_brought_no_reply_is_counted_and_asked_again_by_the_next_run(
    tmp_path: Path,
) -> None:
    job = job_of(Flaky("c1", "r0"))
    await run(tmp_path, job)
    assert (job.counts.answered, job.counts.failed) == (4, 2)
    assert (job.statuses, job.finished, job.stopped) == ({"timeout": 2}, True, None)
    again = Flaky()
    await run(tmp_path, job_of(again))
    assert again.asked == ["c1", "r0"]


class Rereading(Rewards):
    """Keeps its replies' text; a later version reads it in another way."""

    name = "mine/rereading"
    parser = "reading/2"

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        self.asked.extend("x" for _ in calls)
        return [Reply(Reward(1.0), raw="2.5", parser="reading/1") for _ in calls]

    def parse(self, call: Call, raw: str) -> Answer:
        return Reward(float(raw))


async def test_another_parser_reads_the_stored_replies_again_without_asking(
    tmp_path: Path,
) -> None:
    await run(tmp_path, job_of(Rereading()))
    scorer = Rereading()
    job = job_of(scorer)
    await run(tmp_path, job)
    assert scorer.asked == []
    assert job.answers == [[Reward(2.5)] * 6]


class Priced(Rewards):
    """Says what a reply took and who wrote it."""

    name = "mine/priced"

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        return [Reply(Reward(1.0), usage=Usage(10, 2, 5), model="m-2") for _ in calls]


async def test_tokens_are_those_of_the_replies_bought_in_this_run(tmp_path: Path) -> None:
    first, second = job_of(Priced()), job_of(Priced())
    await run(tmp_path, first)
    await run(tmp_path, second)
    assert (first.spent.input_tokens, first.spent.output_tokens) == (60, 12)
    assert (second.spent.input_tokens, second.spent.output_tokens) == (0, 0)


async def test_the_model_that_answered_is_known_from_the_cache_too(tmp_path: Path) -> None:
    first, second = job_of(Priced()), job_of(Priced())
    await run(tmp_path, first)
    await run(tmp_path, second)
    assert first.models == second.models == {"m-2": 6}


async def test_nothing_to_do_is_done_at_once(tmp_path: Path) -> None:
    await run(tmp_path)
    item = BenchTuple(1, "chat", None, "p", ("x", "x", "x"), ("x", "x", "x"))
    job = job_of(Judge(), [item])
    await run(tmp_path, job)
    assert (job.counts.planned, job.finished, job.stopped) == (0, True, None)


# Follow-up questions


async def test_adaptive_asks_both_orders_of_everything_that_is_scored(tmp_path: Path) -> None:
    judge = Judge()
    job = job_of(judge, [bench()], "adaptive")
    await run(tmp_path, job)
    assert len(set(judge.asked)) == len(judge.asked) == job.counts.planned == 18
    assert job.plans[0].credits(job.answers[0]) == ((1.0, 1.0, 1.0),) * 3


async def test_adaptive_asks_no_second_order_where_the_first_is_unscored(tmp_path: Path) -> None:
    judge = Judge("c1")
    job = job_of(judge, [bench()], "adaptive")
    await run(tmp_path, job)
    assert len(judge.asked) == job.counts.planned == 9 + 6
    assert job.finished


async def test_adaptive_finds_the_first_orders_of_a_seeded_run_in_the_cache(
    tmp_path: Path,
) -> None:
    await run(tmp_path, job_of(Judge(), [bench()], "seeded"))
    judge = Judge()
    job = job_of(judge, [bench()], "adaptive")
    await run(tmp_path, job)
    assert (job.counts.planned, job.counts.from_cache, job.counts.sent) == (18, 9, 9)


@pytest.mark.parametrize("order", ["both", "adaptive"])
async def test_a_run_of_either_order_serves_the_other(tmp_path: Path, order: Order) -> None:
    await run(tmp_path, job_of(Judge(), [bench()], "both" if order == "adaptive" else "adaptive"))
    judge = Judge()
    await run(tmp_path, job_of(judge, [bench()], order))
    assert judge.asked == []


# How much at once


class Busy(Rewards):
    """Remembers how many calls were under way at once."""

    name = "mine/busy"

    def __init__(self, concurrency: int) -> None:
        super().__init__()
        self.concurrency = concurrency
        self.under_way = self.most = 0

    async def reward(self, prompt: str, response: str) -> float:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.002)
        self.under_way -= 1
        return 1.0


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_as_many_calls_are_under_way_as_the_scorer_takes(
    tmp_path: Path, concurrency: int
) -> None:
    scorer = Busy(concurrency)
    await run(tmp_path, job_of(scorer, many(8)))
    assert scorer.most == concurrency


async def test_a_scorer_is_given_no_more_at_once_than_it_takes(tmp_path: Path) -> None:
    scorer = Batches()
    job = job_of(scorer, many(3))
    await run(tmp_path, job)
    assert scorer.sizes == [4, 4, 4, 4, 2]
    assert job.answers == [[Reward(2.0)] * 6] * 3


async def test_calls_under_way_are_counted_while_they_are(tmp_path: Path) -> None:
    gate = Gate()
    job = job_of(gate)
    running = asyncio.create_task(run(tmp_path, job))
    await until(lambda: len(gate.asked) == 2)
    assert (job.counts.in_flight, job.counts.sent, job.counts.answered) == (2, 2, 0)
    gate.gate.set()
    await running
    assert (job.counts.in_flight, job.counts.sent, job.counts.answered) == (0, 6, 6)


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


async def test_a_scorer_that_wants_whole_tuples_never_gets_a_part_of_one(tmp_path: Path) -> None:
    scorer = WholeTuples()
    await run(tmp_path, job_of(scorer, many(5)))
    assert scorer.sizes == [12, 12, 6]


async def test_a_cluster_is_given_everything_at_once_and_every_answer_finds_its_call(
    tmp_path: Path,
) -> None:
    scorer = Cluster()
    streamed, plain = job_of(scorer, many(3)), job_of(Rewards(), many(3))
    await run(tmp_path / "a", streamed)
    await run(tmp_path / "b", plain)
    assert scorer.given == [18]
    assert streamed.finished
    assert streamed.answers == plain.answers


async def test_what_a_lost_cluster_answered_is_kept_and_the_rest_is_asked_again(
    tmp_path: Path,
) -> None:
    lost = job_of(Cluster(parts=7), many(3))
    await run(tmp_path, lost)
    scorer = Cluster()
    again = job_of(scorer, many(3))
    await run(tmp_path, again)
    assert "the cluster is gone" in str(lost.stopped)
    assert lost.counts.answered == 7
    assert (again.counts.from_cache, scorer.given) == (7, [11])


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
