"""Calls that wait for another: the lead that fills a prompt cache."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pytest

from rmjudge import PairwiseScorer, PointwiseScorer, Scorer
from rmjudge.cache import AnswerCache
from rmjudge.calls import (
    Answer,
    Call,
    Failure,
    Json,
    Outcome,
    Reply,
    Reward,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.planning.plan import plan_tuple
from rmjudge.running.job import Work
from rmjudge.running.orchestrator import Orchestrator
from rmjudge.running.tuples import TupleJob
from rmjudge.store import key_fields
from rmjudge.vocabulary import Method, Order

if TYPE_CHECKING:
    from pathlib import Path

CHOSEN: Final[Triple] = ("c0", "c1", "c2")
REJECTED: Final[Triple] = ("r0", "r1", "r2")
LOST: Final = Failure("http-400", "too long")
UNPARSED: Final = Unscored("unparsed")


class Judge(PairwiseScorer):
    name, version = "mine/judge", "1"

    def compare(self, prompt: str, first: str, second: str) -> float:
        return 0.5


class Rewards(PointwiseScorer):
    name, version = "mine/rewards", "1"

    def reward(self, prompt: str, response: str) -> float:
        return 0.0


def bench(
    id: int = 1, chosen: Triple = CHOSEN, rejected: Triple = REJECTED, prompt: str = "p"
) -> BenchTuple:
    return BenchTuple(id, "chat", None, prompt, chosen, rejected)


def job_of(
    *items: BenchTuple,
    scorer: Scorer | None = None,
    order: Order = "seeded",
    votes: int = 1,
    lead: bool = True,
) -> TupleJob:
    judge = scorer or Judge()
    plans = [
        plan_tuple(item, judge.method, order, votes=votes, lead=lead)
        for item in items or (bench(),)
    ]
    return TupleJob(judge, plans, lambda call: "|".join(key_fields(call)))


def numbers(work: Sequence[Work]) -> list[int]:
    """The places of these in the plan of the first tuple."""
    return [number for item in work for index, number in item.places if index == 0]


@pytest.mark.parametrize("scorer", [Judge(), Rewards()], ids=["pairwise", "pointwise"])
def test_only_the_lead_is_asked_at_first(scorer: Scorer) -> None:
    job = job_of(scorer=scorer)
    assert numbers(job.first_questions()) == [0]
    assert job.counts.planned == 1


@pytest.mark.parametrize("answer", [Verdict(1.0), UNPARSED], ids=["scored", "unscored"])
def test_the_siblings_follow_once_the_lead_is_answered(answer: Answer) -> None:
    job = job_of()
    (lead,) = job.first_questions()
    assert numbers(job.settle(lead, answer)) == list(range(1, 9))
    assert job.counts.planned == 9


def test_the_siblings_follow_when_the_lead_fails_too() -> None:
    job = job_of()
    (lead,) = job.first_questions()
    assert numbers(job.fail(lead, LOST)) == list(range(1, 9))


def test_a_sibling_releases_nothing() -> None:
    job = job_of()
    (lead,) = job.first_questions()
    siblings = job.settle(lead, Verdict(1.0))
    assert [job.settle(work, Verdict(1.0)) for work in siblings] == [[]] * 8


@pytest.mark.parametrize("votes", [1, 3])
def test_all_votes_wait_for_the_first(votes: int) -> None:
    job = job_of(votes=votes)
    (lead,) = job.first_questions()
    assert numbers(job.settle(lead, Verdict(1.0))) == list(range(1, 9 * votes))


def test_each_tuple_has_a_lead_of_its_own() -> None:
    job = job_of(bench(1, prompt="p"), bench(2, prompt="q"))
    one, other = job.first_questions()
    assert (one.call.prompt, other.call.prompt) == ("p", "q")
    assert {work.call.prompt for work in job.settle(other, Verdict(1.0))} == {"q"}


def test_two_equal_tuples_have_one_lead_and_each_sibling_once() -> None:
    job = job_of(bench(1), bench(1))
    (lead,) = job.first_questions()
    assert lead.places == [(0, 0), (1, 0)]
    assert len(job.settle(lead, Verdict(1.0))) == 8


def test_a_lead_without_siblings_releases_nothing() -> None:
    job = job_of(bench(chosen=("c", "c", "c"), rejected=("r", "r", "r")))
    (lead,) = job.first_questions()
    assert job.settle(lead, Verdict(1.0)) == []


# Through the orchestrator


class Watched:
    """A pointwise scorer that notes how many of its tuple's calls were finished before each."""

    name = "mine/watched"
    method: Method = "pointwise"
    identity: Mapping[str, Json] = {"provider": "python", "model": "watched"}
    parser = ""
    concurrency = 6
    batch = 1
    whole_tuples = False
    votes = 1
    lead_characters: int | None = 0
    output_tokens_estimate = 0

    def __init__(self, lead: Outcome) -> None:
        self.activity = Judge().activity
        self.lead = lead
        self.finished: Counter[str] = Counter()
        self.finished_before: dict[str, list[int]] = {}

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        (call,) = calls
        before = self.finished_before.setdefault(call.prompt, [])
        before.append(self.finished[call.prompt])
        outcome = self.lead if len(before) == 1 else Reply(Reward(1.0))
        await self.ask(call)
        self.finished[call.prompt] += 1
        return [outcome]

    async def ask(self, call: Call) -> None:
        await asyncio.sleep(0)

    def most_tokens(self, call: Call) -> Usage | None:
        return None

    def parse(self, call: Call, raw: str) -> Answer:
        return UNPARSED

    def drain(self) -> None: ...

    async def aclose(self) -> None: ...


class Gathering(Watched):
    """The siblings of a lead are answered once all five are under way."""

    def __init__(self) -> None:
        super().__init__(Reply(Reward(1.0)))
        self.together = asyncio.Barrier(5)

    async def ask(self, call: Call) -> None:
        if len(self.finished_before[call.prompt]) > 1:
            async with asyncio.timeout(10):
                await self.together.wait()


async def run(scorer: Scorer, tuples: int, cache_folder: Path) -> TupleJob:
    items = [bench(number, prompt=f"p{number}") for number in range(tuples)]
    job = job_of(*items, scorer=scorer)
    with AnswerCache(cache_folder) as cache:
        await Orchestrator(cache).run([job])
    return job


@pytest.mark.parametrize(
    "lead", [Reply(Reward(1.0)), Reply(UNPARSED), LOST], ids=["scored", "unscored", "failed"]
)
async def test_no_sibling_is_sent_before_its_lead_is_settled(tmp_path: Path, lead: Outcome) -> None:
    scorer = Watched(lead)
    job = await run(scorer, 4, tmp_path / "cache")
    assert job.counts.done == 24
    for before in scorer.finished_before.values():
        assert len(before) == 6
        assert before[0] == 0
        assert min(before[1:]) >= 1


async def test_the_siblings_of_a_single_lead_are_sent_together(tmp_path: Path) -> None:
    job = await run(Gathering(), 1, tmp_path / "cache")
    assert job.counts.answered == 6
