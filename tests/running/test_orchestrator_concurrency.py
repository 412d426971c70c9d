"""How much is under way at once, and in what portions a scorer is given its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from orchestrated import Gate, Rewards, job_of, many, run, until

from rmjudge import ProviderStopped
from rmjudge.cache import AnswerCache
from rmjudge.calls import Call, Outcome, Reply, Reward
from rmjudge.running.orchestrator import Orchestrator


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
