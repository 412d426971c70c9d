"""Votes: every question asked several times, each time as a call of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from rmjudge.cache.keys import call_key
from rmjudge.calls import Answer, Call, CompareCall, Reward, RewardCall, Unscored, Verdict
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.planning.plan import PairwisePlan, Plan, PointwisePlan, plan_tuple
from rmjudge.store import key_fields
from rmjudge.vocabulary import Method, Order

CHOSEN: Final[Triple] = ("c0", "c1", "c2")
REJECTED: Final[Triple] = ("r0", "r1", "r2")
NOTHING: Final = Unscored("unparsed")
CALLS_OF_ONE_VOTE: Final[dict[Order, int]] = {"seeded": 9, "both": 18}


def bench(chosen: Triple = CHOSEN, rejected: Triple = REJECTED) -> BenchTuple:
    return BenchTuple(1, "chat", None, "the prompt", chosen, rejected)


def pairwise(votes: int, order: Order = "seeded", item: BenchTuple | None = None) -> PairwisePlan:
    plan = plan_tuple(item or bench(), "pairwise", order, votes=votes)
    assert isinstance(plan, PairwisePlan)
    return plan


def pointwise(votes: int, item: BenchTuple | None = None) -> PointwisePlan:
    plan = plan_tuple(item or bench(), "pointwise", votes=votes)
    assert isinstance(plan, PointwisePlan)
    return plan


def key(call: Call) -> str:
    return call_key(key_fields(call))


def answers(plan: Plan, by: Callable[[Call], Answer | None]) -> list[Answer | None]:
    calls: Sequence[Call] = plan.calls
    return [by(call) for call in calls]


def chosen_is_first(call: Call) -> bool:
    return isinstance(call, CompareCall) and call.first.startswith("c")


def for_chosen(call: Call, credit: float) -> Verdict:
    return Verdict(credit if chosen_is_first(call) else 1 - credit)


@pytest.mark.parametrize("votes", [1, 2, 5])
@pytest.mark.parametrize("order", ["seeded", "both"])
def test_a_judge_is_asked_every_question_once_a_vote(order: Order, votes: int) -> None:
    calls = pairwise(votes, order).calls
    assert len(calls) == len(set(calls)) == votes * CALLS_OF_ONE_VOTE[order]


@pytest.mark.parametrize("votes", [1, 2, 5])
def test_a_reward_model_is_asked_for_every_response_once_a_vote(votes: int) -> None:
    calls = pointwise(votes).calls
    assert len(calls) == len(set(calls)) == votes * 6


@pytest.mark.parametrize("method", ["pairwise", "pointwise"])
def test_equal_texts_are_asked_about_once_a_vote(method: Method) -> None:
    item = bench(("c0", "c1", "c1"), ("r0", "r0", "r2"))
    once, thrice = (len(plan_tuple(item, method, votes=votes).calls) for votes in (1, 3))
    assert once == {"pairwise": 4, "pointwise": 4}[method]
    assert thrice == 3 * once


@pytest.mark.parametrize("order", ["seeded", "both"])
def test_every_vote_on_a_question_has_a_key_of_its_own(order: Order) -> None:
    assert len({key(call) for call in pairwise(4, order).calls}) == 4 * CALLS_OF_ONE_VOTE[order]
    assert len({key(call) for call in pointwise(4).calls}) == 4 * 6


@pytest.mark.parametrize("order", ["seeded", "both"])
def test_more_votes_keep_the_keys_of_fewer(order: Order) -> None:
    fewer, more = ({key(call) for call in pairwise(votes, order).calls} for votes in (3, 5))
    assert fewer < more
    assert {key(call) for call in pointwise(3).calls} < {key(call) for call in pointwise(5).calls}


@pytest.mark.parametrize("call", [CompareCall("p", "a", "b"), RewardCall("p", "a")])
def test_the_first_vote_has_the_key_of_a_question_without_votes(call: Call) -> None:
    texts = {
        CompareCall: ("compare", "p", "a", "b"),
        RewardCall: ("reward", "p", "a"),
    }[type(call)]
    assert key_fields(call) == texts


def test_a_text_that_reads_like_a_vote_is_no_vote() -> None:
    assert key(RewardCall("p", "a", 1)) != key(CompareCall("p", "a", "vote 1"))
    assert key(RewardCall("p", "vote 1")) != key(RewardCall("p", "", 1))


@pytest.mark.parametrize("order", ["seeded", "both"])
def test_all_votes_on_a_question_show_the_same_response_first(order: Order) -> None:
    plan = pairwise(3, order)
    for questions in (cell or () for row in plan.questions for cell in row):
        for question in questions:
            shown = {(plan.calls[k].first, plan.calls[k].second) for k in question.calls}
            assert len(shown) == 1
            assert [plan.calls[k].vote for k in question.calls] == [0, 1, 2]


def test_a_question_of_both_orders_asks_one_order_of_its_own_cell() -> None:
    plan = pairwise(2, "both")
    for i, row in enumerate(plan.questions):
        for j, (one, other) in enumerate(cell or () for cell in row):
            assert one.chosen_first is not other.chosen_first
            for question in (one, other):
                expected = (CHOSEN[i], REJECTED[j])
                shown = expected if question.chosen_first else expected[::-1]
                calls = [plan.calls[k] for k in question.calls]
                assert {(call.first, call.second) for call in calls} == {shown}


def test_a_cell_is_the_mean_of_its_votes() -> None:
    credits = pairwise(3).credits(
        answers(pairwise(3), lambda call: for_chosen(call, (1.0, 1.0, 0.0)[call.vote]))
    )
    assert [cell for row in credits for cell in row] == pytest.approx([2 / 3] * 9)


def test_votes_are_averaged_before_the_two_orders_are() -> None:
    # The order with the chosen first has votes 1 and 0.5, the other one vote 0 and one lost:
    # (0.75 + 0) / 2, not the mean of three votes.
    def judge(call: Call) -> Answer:
        if chosen_is_first(call):
            return Verdict((1.0, 0.5)[call.vote])
        return (Verdict(1.0), NOTHING)[call.vote]

    plan = pairwise(2, "both")
    assert plan.credits(answers(plan, judge)) == ((0.375,) * 3,) * 3


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("nothing", [NOTHING, None], ids=["unscored", "no reply"])
def test_a_lost_vote_leaves_the_mean_of_the_others(lost: int, nothing: Answer | None) -> None:
    credit = (1.0, 0.5, 0.0)

    def judge(call: Call) -> Answer | None:
        return nothing if call.vote == lost else for_chosen(call, credit[call.vote])

    plan = pairwise(3)
    expected = (sum(credit) - credit[lost]) / 2
    assert plan.credits(answers(plan, judge)) == ((expected,) * 3,) * 3


def test_a_cell_that_lost_every_vote_has_no_credit() -> None:
    def judge(call: Call) -> Answer:
        assert isinstance(call, CompareCall)
        return NOTHING if {call.first, call.second} == {"c0", "r2"} else for_chosen(call, 1.0)

    plan = pairwise(3)
    assert plan.credits(answers(plan, judge)) == ((1.0, 1.0, None), (1.0,) * 3, (1.0,) * 3)


def test_with_both_orders_a_cell_that_lost_every_vote_of_one_has_no_credit() -> None:
    plan = pairwise(2, "both")
    found = plan.credits(
        answers(plan, lambda call: for_chosen(call, 1.0) if chosen_is_first(call) else NOTHING)
    )
    assert found == ((None,) * 3,) * 3


def test_a_verdict_survives_the_swap_by_the_majority_of_its_votes() -> None:
    # 2 of 3 for the chosen when it is first, 3 of 3 when it is second: the same winner.
    def judge(call: Call) -> Answer:
        return for_chosen(call, float(not (chosen_is_first(call) and call.vote == 1)))

    plan = pairwise(3, "both")
    assert plan.swap_matrix(answers(plan, judge)) == ((1.0,) * 3,) * 3


def test_split_votes_do_not_survive_a_swap_that_gives_a_winner() -> None:
    def judge(call: Call) -> Answer:
        return for_chosen(call, float(call.vote) if chosen_is_first(call) else 1.0)

    plan = pairwise(2, "both")
    assert plan.swap_matrix(answers(plan, judge)) == ((0.0,) * 3,) * 3


def test_a_reward_is_the_mean_of_its_votes() -> None:
    rewards = {"c0": (1.0, 2.0), "c1": (5.0, 5.0), "c2": (0.0, 8.0)}

    def score(call: Call) -> Answer:
        assert isinstance(call, RewardCall)
        return Reward(rewards.get(call.response, (3.0, 3.0))[call.vote])

    plan = pointwise(2)
    chosen, rejected = plan.scores(answers(plan, score))
    assert (chosen, rejected) == ((1.5, 5.0, 4.0), (3.0, 3.0, 3.0))
    assert plan.credits(answers(plan, score)) == ((0.0,) * 3, (1.0,) * 3, (1.0,) * 3)


def test_a_lost_vote_leaves_the_mean_of_the_other_rewards() -> None:
    def score(call: Call) -> Answer | None:
        return (Reward(1.0), NOTHING, None, Reward(4.0))[call.vote]

    plan = pointwise(4)
    assert plan.scores(answers(plan, score)) == ((2.5,) * 3, (2.5,) * 3)


def test_a_response_that_lost_every_vote_has_no_reward() -> None:
    def score(call: Call) -> Answer:
        assert isinstance(call, RewardCall)
        return NOTHING if call.response == "c1" else Reward(float(call.response[0] == "c"))

    plan = pointwise(2)
    assert plan.scores(answers(plan, score))[0] == (1.0, None, 1.0)
    assert plan.credits(answers(plan, score)) == ((1.0,) * 3, (None,) * 3, (1.0,) * 3)


def test_equal_mean_rewards_tie() -> None:
    def score(call: Call) -> Answer:
        assert isinstance(call, RewardCall)
        return Reward((1.0, 3.0)[call.vote] if call.response[0] == "c" else 2.0)

    plan = pointwise(2)
    assert plan.credits(answers(plan, score)) == ((0.5,) * 3,) * 3


# Who waits for whom


def test_without_a_lead_nothing_waits_for_the_first_call() -> None:
    for plan in (pairwise(2), pairwise(2, "both"), pointwise(2)):
        assert {plan.after(call) for call in range(len(plan.calls))} == {None}


@pytest.mark.parametrize("votes", [1, 3])
@pytest.mark.parametrize("method", ["pairwise", "pointwise"])
def test_with_a_lead_every_other_call_waits_for_the_first_to_be_settled(
    method: Method, votes: int
) -> None:
    plan = plan_tuple(bench(), method, votes=votes, lead=True)
    waits = [plan.after(call) for call in range(len(plan.calls))]
    assert waits == [None, *[0] * (len(waits) - 1)]
