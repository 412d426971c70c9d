"""From a tuple to its comparisons and back: few calls, every cell, and credit to the right side."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import pytest
from planned import ALL_TIES, CHOSEN, REJECTED, UNPARSED, bench, judged, pairwise, pointwise

from rmjudge.calls import Answer, CompareCall, Reward, Verdict
from rmjudge.dataset import load
from rmjudge.dataset.tuples import Triple
from rmjudge.metrics.tallies import Credits
from rmjudge.planning.plan import Answers, PairwisePlan, Plan, plan_tuple
from rmjudge.vocabulary import ORDERS, Order


def first_wins(_call: CompareCall) -> Answer:
    return Verdict(1.0)


def preferring(better: Callable[[str], bool]) -> Callable[[CompareCall], Answer]:
    """A judge without position bias: the better text wins, two alike tie."""

    def judge(call: CompareCall) -> Answer:
        return Verdict((better(call.first) - better(call.second)) / 2 + 0.5)

    return judge


def asked(plan: PairwisePlan, judge: Callable[[CompareCall], Answer | None]) -> Answers:
    """Go through the calls as a run does: a call that waits is asked only once it may be."""
    answers: list[Answer | None] = []
    for number, call in enumerate(plan.calls):
        leader = plan.after(number)
        worth_asking = leader is None or isinstance(answers[leader.call], Verdict)
        answers.append(judge(call) if worth_asking else None)
    return answers


def triples() -> Iterator[tuple[Triple, Triple]]:
    """Every way in which six texts can be equal, up to three different ones."""
    for a, b, c, d, e, f in product("xyz", repeat=6):
        yield (a, b, c), (d, e, f)


# Pairwise: how many calls


@pytest.mark.parametrize(("order", "calls"), [("seeded", 9), ("both", 18), ("adaptive", 18)])
def test_a_judge_is_asked_about_every_cell(order: Order, calls: int) -> None:
    assert len(set(pairwise(bench(), order).calls)) == calls


def test_seeded_asks_about_every_pair_once() -> None:
    plan = pairwise(bench())
    pairs = {frozenset((call.first, call.second)) for call in plan.calls}
    assert pairs == {frozenset(pair) for pair in product(CHOSEN, REJECTED)}


@pytest.mark.parametrize("order", ["both", "adaptive"])
def test_both_orders_of_every_pair_are_asked(order: Order) -> None:
    plan = pairwise(bench(), order)
    assert {(call.first, call.second) for call in plan.calls} == {
        *product(CHOSEN, REJECTED),
        *product(REJECTED, CHOSEN),
    }


def test_both_asks_what_seeded_asks_first() -> None:
    assert pairwise(bench(), "both").calls[:9] == pairwise(bench(), "seeded").calls


def test_the_prompt_is_part_of_every_call() -> None:
    assert {call.prompt for call in pairwise(bench()).calls} == {"the prompt"}


def test_equal_pairs_are_one_call() -> None:
    plan = pairwise(bench(("c0", "c1", "c1")))
    assert len(plan.calls) == len(set(plan.calls)) == 6


def test_a_chosen_that_equals_a_rejected_is_not_asked_about() -> None:
    plan = pairwise(bench(("c0", "same", "c2"), ("r0", "r1", "same")))
    assert not [call for call in plan.calls if call.first == call.second]


def test_a_chosen_that_equals_a_rejected_is_a_tie() -> None:
    plan = pairwise(bench(("c0", "same", "c2"), ("r0", "r1", "same")))
    credits = judged(plan, preferring(lambda text: text[0] in "cs"))
    assert credits == ((1.0, 1.0, 0.5), (1.0, 1.0, 0.5), (1.0, 1.0, 0.5))
    assert plan.questions[1][2] == ()


@pytest.mark.parametrize("order", ORDERS)
def test_six_equal_texts_are_nine_ties_without_a_call(order: Order) -> None:
    plan = pairwise(bench(("x", "x", "x"), ("x", "x", "x")), order)
    assert (plan.calls, plan.credits([])) == ((), ALL_TIES)


@pytest.mark.parametrize("order", ORDERS)
def test_no_pair_of_texts_is_asked_about_twice_in_one_order(order: Order) -> None:
    for chosen, rejected in triples():
        calls = pairwise(bench(chosen, rejected), order).calls
        assert len(calls) == len(set(calls))


# Pairwise: whose credit


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("id", range(8))
def test_the_credit_is_the_chosens_whoever_is_shown_first(order: Order, id: int) -> None:
    plan = pairwise(bench(id=id), order)
    assert judged(plan, preferring(CHOSEN.__contains__)) == ((1.0, 1.0, 1.0),) * 3
    assert judged(plan, preferring(REJECTED.__contains__)) == ((0.0, 0.0, 0.0),) * 3


@pytest.mark.parametrize("order", ORDERS)
def test_every_cell_has_its_own_credit_whatever_texts_are_equal(order: Order) -> None:
    worth = {"x": 0.0, "y": 0.4, "z": 1.0}

    def judge(call: CompareCall) -> Answer:
        return Verdict((worth[call.first] - worth[call.second]) / 2 + 0.5)

    for chosen, rejected in triples():
        credits = judged(pairwise(bench(chosen, rejected), order), judge)
        assert credits == tuple(
            tuple(pytest.approx((worth[c] - worth[r]) / 2 + 0.5) for r in rejected) for c in chosen
        )


def test_a_judge_that_always_prefers_the_first_wins_four_or_five_cells() -> None:
    wins = {
        sum(credit or 0.0 for row in judged(pairwise(item), first_wins) for credit in row)
        for item in (replace(bench(), prompt=f"p{number}") for number in range(50))
    }
    assert wins == {4.0, 5.0}


@pytest.mark.parametrize("order", ["both", "adaptive"])
def test_a_judge_that_always_prefers_the_first_ties_everywhere_in_both_orders(
    order: Order,
) -> None:
    assert judged(pairwise(bench(), order), first_wins) == ALL_TIES


def test_both_credits_the_mean_of_the_two_orders() -> None:
    plan = pairwise(bench(), "both")
    credits = judged(plan, lambda call: Verdict(0.7 if call.first in CHOSEN else 0.9))
    assert [credit for row in credits for credit in row] == [pytest.approx(0.4)] * 9


def test_a_win_and_a_tie_are_three_quarters() -> None:
    plan = pairwise(bench(), "both")
    credits = judged(plan, lambda call: Verdict(1.0 if call.first in CHOSEN else 0.5))
    assert credits == ((0.75, 0.75, 0.75),) * 3


@pytest.mark.parametrize("missing", [None, UNPARSED])
def test_a_failure_leaves_its_cell_absent_and_no_other(missing: Answer | None) -> None:
    plan = pairwise(bench())
    lost = {("c1", "r2"), ("r2", "c1")}
    credits = judged(
        plan,
        lambda call: (
            missing if (call.first, call.second) in lost else Verdict(float(call.first in CHOSEN))
        ),
    )
    assert credits == ((1.0, 1.0, 1.0), (1.0, 1.0, None), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("lost", [("c1", "r2"), ("r2", "c1")])
def test_a_failure_in_either_order_leaves_the_cell_absent(lost: tuple[str, str]) -> None:
    plan = pairwise(bench(), "both")
    credits = judged(plan, lambda call: None if (call.first, call.second) == lost else Verdict(0.5))
    assert credits == ((0.5, 0.5, 0.5), (0.5, 0.5, None), (0.5, 0.5, 0.5))


def test_a_reward_is_no_verdict() -> None:
    plan = pairwise(bench())
    assert plan.credits([Reward(1.0)] * 9) == ((None, None, None),) * 3


def test_a_verdict_is_no_reward() -> None:
    assert pointwise(bench()).credits([Verdict(1.0)] * 6) == ((None, None, None),) * 3


# Adaptive


def test_the_second_order_waits_for_the_first_of_its_pair() -> None:
    plan = pairwise(bench(), "adaptive")
    for number in range(9):
        assert plan.after(number) is None
    for number in range(9, 18):
        leader = plan.after(number)
        assert leader is not None
        one, other = plan.calls[leader.call], plan.calls[number]
        assert (one.first, one.second) == (other.second, other.first)


@pytest.mark.parametrize("order", ["seeded", "both"])
def test_nothing_waits_in_the_other_orders(order: Order) -> None:
    plan = pairwise(bench(), order)
    assert {plan.after(number) for number in range(len(plan.calls))} == {None}


def test_the_second_order_is_not_asked_where_the_first_is_unscored() -> None:
    plan = pairwise(bench(), "adaptive")
    answers = asked(plan, lambda call: UNPARSED if "c0" in (call.first, call.second) else None)
    assert answers.count(UNPARSED) == 3


def test_adaptive_credits_what_both_credits_when_everything_is_scored() -> None:
    rng = random.Random(5)
    for id in range(50):
        verdicts = {pair: Verdict(rng.choice([0.0, 0.5, 1.0, 0.3])) for pair in _pairs()}
        assert _credits("adaptive", verdicts, id) == _credits("both", verdicts, id)


def test_adaptive_credits_what_both_credits_when_some_calls_fail() -> None:
    rng = random.Random(6)
    for id in range(50):
        verdicts = {
            pair: rng.choice([Verdict(0.0), Verdict(1.0), Verdict(0.5), UNPARSED, None])
            for pair in _pairs()
        }
        assert _credits("adaptive", verdicts, id) == _credits("both", verdicts, id)


def _pairs() -> Sequence[tuple[str, str]]:
    return [*product(CHOSEN, REJECTED), *product(REJECTED, CHOSEN)]


def _credits(order: Order, answers: Mapping[tuple[str, str], Answer | None], id: int) -> Credits:
    plan = pairwise(bench(id=id), order)
    return plan.credits(asked(plan, lambda call: answers[call.first, call.second]))


# The swap


def test_a_verdict_that_follows_the_text_survives_the_swap() -> None:
    plan = pairwise(bench(), "both")
    answers = asked(plan, preferring(CHOSEN.__contains__))
    assert plan.swap_matrix(answers) == ((1.0, 1.0, 1.0),) * 3


def test_a_tie_in_both_orders_survives_the_swap() -> None:
    plan = pairwise(bench(), "both")
    assert plan.swap_matrix([Verdict(0.5)] * 18) == ((1.0, 1.0, 1.0),) * 3


def test_a_verdict_that_follows_the_position_does_not_survive_the_swap() -> None:
    plan = pairwise(bench(), "both")
    assert plan.swap_matrix([Verdict(1.0)] * 18) == ((0.0, 0.0, 0.0),) * 3


def test_a_win_and_a_tie_do_not_survive_the_swap() -> None:
    plan = pairwise(bench(), "both")
    answers = asked(plan, lambda call: Verdict(1.0 if call.first in CHOSEN else 0.5))
    assert plan.swap_matrix(answers) == ((0.0, 0.0, 0.0),) * 3


def test_two_probabilities_for_one_winner_survive_the_swap() -> None:
    plan = pairwise(bench(), "both")
    answers = asked(plan, lambda call: Verdict(0.9 if call.first in CHOSEN else 0.4))
    assert plan.swap_matrix(answers) == ((1.0, 1.0, 1.0),) * 3


def test_the_swap_is_unknown_where_one_order_was_asked() -> None:
    assert pairwise(bench()).swap_matrix([Verdict(1.0)] * 9) == ((None, None, None),) * 3


def test_the_swap_is_unknown_where_an_order_is_unscored_or_the_texts_are_equal() -> None:
    plan = pairwise(bench(("same", "c1", "c2"), ("same", "r1", "r2")), "both")
    answers = asked(
        plan,
        lambda call: UNPARSED if (call.first, call.second) == ("r2", "c2") else Verdict(0.5),
    )
    assert plan.swap_matrix(answers) == ((None, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, None))


# Whatever else runs


@pytest.mark.parametrize("order", ORDERS)
def test_a_subset_of_the_data_is_asked_what_the_whole_is_asked(order: Order) -> None:
    data = load(["sample"])
    whole = {item.name: plan_tuple(item, "pairwise", order).calls for item in data}
    part = data.select(["code"], 3)
    plans: list[Plan] = [plan_tuple(item, "pairwise", order) for item in part]
    assert len(plans) == 3
    assert all(whole[plan.item.name] == plan.calls for plan in plans)


def test_another_seed_swaps_orders_and_asks_about_the_same_pairs() -> None:
    plans = [pairwise(bench(id=7), "seeded", seed) for seed in (0, 1)]
    zero, one = ({(call.first, call.second) for call in plan.calls} for plan in plans)
    assert zero != one
    assert {frozenset(pair) for pair in zero} == {frozenset(pair) for pair in one}


def test_a_judge_of_positions_is_seen_in_every_cell() -> None:
    plan = pairwise(bench(), "both")
    always_first = plan.first_matrix([Verdict(1.0)] * 18)
    assert always_first == ((1.0, 1.0, 1.0),) * 3
    ties = plan.first_matrix([Verdict(0.5)] * 18)
    assert ties == ((None, None, None),) * 3
