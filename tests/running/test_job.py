"""A job's books: distinct calls, the places that each answer goes to, and the counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rmjudge import PairwiseScorer, PointwiseScorer, ProviderStopped, Scorer
from rmjudge.calls import (
    Answer,
    Call,
    CompareCall,
    Failure,
    Reward,
    RewardCall,
    Spent,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.planning.plan import plan_tuple
from rmjudge.running.job import Work
from rmjudge.running.tuples import TupleJob
from rmjudge.store import key_fields
from rmjudge.vocabulary import Order

CHOSEN: Triple = ("c0", "c1", "c2")
REJECTED: Triple = ("r0", "r1", "r2")
SAME: Triple = ("x", "x", "x")


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


def job_of(scorer: Scorer, items: Sequence[BenchTuple], order: Order = "seeded") -> TupleJob:
    plans = [plan_tuple(item, scorer.method, order) for item in items]
    return TupleJob(scorer, plans, lambda call: "|".join(key_fields(call)))


def texts(work: Sequence[Work]) -> list[str]:
    return [_responses(item.call) for item in work]


def _responses(call: Call) -> str:
    return call.response if isinstance(call, RewardCall) else f"{call.first}>{call.second}"


def swapped(call: Call) -> str:
    assert isinstance(call, CompareCall)
    return f"{call.second}>{call.first}"


def test_first_questions_stand_in_plan_order() -> None:
    job = job_of(Rewards(), [bench(1, prompt="p"), bench(2, prompt="q")])
    assert texts(job.first_questions()) == [*CHOSEN, *REJECTED] * 2


def test_first_questions_are_planned() -> None:
    job = job_of(Judge(), [bench()], "both")
    job.first_questions()
    assert job.counts.planned == 18


def test_equal_calls_of_different_tuples_are_one() -> None:
    job = job_of(Rewards(), [bench(1), bench(2, ("c0", "other", "c2"))])
    assert len(job.first_questions()) == 7


def test_an_answer_goes_to_every_place_that_asks_for_it() -> None:
    job = job_of(Rewards(), [bench(1), bench(2)])
    for work in job.first_questions():
        job.settle(work, Reward(float(len(work.places))))
    assert job.answers == [[Reward(2.0)] * 6] * 2


def test_the_same_texts_under_another_prompt_are_another_call() -> None:
    job = job_of(Rewards(), [bench(1, prompt="p"), bench(2, prompt="q")])
    job.settle(job.first_questions()[0], Reward(1.0))
    assert job.answers == [[Reward(1.0), *[None] * 5], [None] * 6]


# Follow-up questions


@pytest.mark.parametrize("order", ["seeded", "both"])
def test_no_other_order_raises_anything(order: Order) -> None:
    job = job_of(Judge(), [bench()], order)
    assert not any(job.settle(work, Verdict(0.5)) for work in job.first_questions())


# Counts


def test_done_is_what_needs_nothing_more() -> None:
    job = job_of(Rewards(), [bench()])
    first, *_ = job.first_questions()
    job.counts.from_cache, job.counts.answered = 2, 3
    assert (job.counts.done, job.finished) == (5, False)
    job.fail(first, Failure("timeout"))
    assert (job.counts.done, job.finished) == (6, True)


def test_why_calls_have_no_score_is_counted() -> None:
    job = job_of(Rewards(), [bench()])
    one, two, three, four, *_ = job.first_questions()
    job.fail(three, Failure("timeout", "after 60 s"))
    job.fail(four, Failure("timeout", "after 61 s"))
    job.settle(one, Unscored("not-a-number", "NaN"))
    job.settle(two, Reward(1.0))
    assert job.statuses == {"timeout": 2, "not-a-number": 1}
    assert job.failure_details == {"timeout": "after 60 s", "not-a-number": "NaN"}
    assert (job.counts.failed, job.counts.unscored) == (2, 1)


def test_the_models_that_answer_are_counted_where_they_say_who_they_are() -> None:
    job = job_of(Rewards(), [bench()])
    for model in ("gpt-1", "gpt-2", "gpt-1", None, ""):
        job.note_model(model)
    assert job.models == {"gpt-1": 2, "gpt-2": 1}


def test_tokens_add_up() -> None:
    spent = Spent()
    spent.add(Usage(100, 10, 64))
    spent.add(Usage(50, 5, None))
    assert spent == Spent(150, 15, 64, uncounted_replies=0, replies=2)


def test_a_reply_without_a_token_count_is_noted() -> None:
    spent = Spent()
    spent.add(Usage())
    assert spent == Spent(0, 0, 0, uncounted_replies=1, replies=1)


# What the display of a run under way shows


@pytest.mark.parametrize("last", [Reward(0.0), Unscored("not-a-number")])
def test_a_tuple_is_shown_once_all_its_calls_are_answered(last: Answer) -> None:
    job = job_of(Rewards(), [bench()])
    work = job.first_questions()
    for item in work[:5]:
        job.settle(item, Reward(1.0))
    assert job.live == {}
    job.settle(work[5], last)
    assert job.live["chat"].tuples == 1


def test_a_shown_tuple_adds_its_credits_cell_by_cell() -> None:
    job = job_of(Rewards(), [bench()])
    rewards = {"c0": 2.0, "c1": 1.0, "c2": None, "r0": 0.0, "r1": 1.0, "r2": 2.0}
    for item in job.first_questions():
        reward = rewards[_responses(item.call)]
        job.settle(item, Unscored("not-a-number") if reward is None else Reward(reward))
    assert job.live["chat"].credit == [1.0, 1.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0]
    assert job.live["chat"].scored == [1, 1, 1, 1, 1, 1, 0, 0, 0]
    means = [job.live["chat"].mean(cell, "strict") for cell in range(9)]
    assert means == [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, None, None, None]
    assert job.live["chat"].mean(2, "half_credit") == 0.5


def test_a_tuple_of_six_equal_texts_needs_nothing_asked() -> None:
    job = job_of(Judge(), [bench(1, SAME, SAME)])
    assert job.first_questions() == []
    assert job.finished
    assert job.live["chat"].credit == [0.5] * 9


def test_a_job_that_waits_for_another_process_says_so() -> None:
    job = job_of(Judge(), [bench()])
    job.note_waiting()
    assert job.scorer.activity.note == "waiting: another process is buying the same answers"


def test_a_job_that_waits_gives_up_when_it_is_stopped() -> None:
    job = job_of(Judge(), [bench()])
    job.stopped = ProviderStopped("enough")
    with pytest.raises(ProviderStopped, match="enough"):
        job.note_waiting()
