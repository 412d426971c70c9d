"""Running jobs: what is asked, what is kept, and what is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from orchestrated import CHOSEN, REJECTED, Judge, Other, Rewards, bench, job_of, many, run

from rmjudge.cache import AnswerCache
from rmjudge.calls import Answer, Call, Failure, Outcome, Reply, Reward, RewardCall, Unscored, Usage
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.running.job import Job
from rmjudge.running.orchestrator import Orchestrator


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


async def test_both_orders_serve_the_seeded_one(tmp_path: Path) -> None:
    await run(tmp_path, job_of(Judge(), [bench()], "both"))
    judge = Judge()
    await run(tmp_path, job_of(judge, [bench()], "seeded"))
    assert judge.asked == []
