"""Texts of a user's own as calls, and what their answers amount to."""

from __future__ import annotations

from itertools import permutations

from rmjudge.calls import CompareCall, RewardCall, Unscored, Verdict
from rmjudge.planning.texts import plan_texts


def test_each_vote_of_each_order_of_each_pair_is_a_call_of_its_own() -> None:
    plan = plan_texts("p", ["a", "b", "c"], "pairwise", votes=2)
    assert set(plan.calls) == {
        CompareCall("p", one, other, vote)
        for one, other in permutations("abc", 2)
        for vote in range(2)
    }
    assert len(plan.calls) == 12


def test_equal_responses_share_their_call() -> None:
    plan = plan_texts("p", ["a", "b", "a"], "pointwise")
    assert plan.calls == (RewardCall("p", "a"), RewardCall("p", "b"))


def test_a_pair_without_a_verdict_in_one_order_has_no_credit() -> None:
    plan = plan_texts("p", ["a", "b", "c"], "pairwise")
    answers = [
        Unscored("unparsed") if call == CompareCall("p", "b", "a") else Verdict(1.0)
        for call in plan.calls
    ]
    assert [pair.credit for pair in plan.comparisons(answers)] == [None, 0.5, 0.5]
    assert plan.wins(answers) == (None, None, 0.5)


def test_a_leading_call_goes_ahead_of_the_others() -> None:
    plan = plan_texts("p", ["a", "b"], "pointwise", lead=True)
    waits = [plan.after(number) for number in range(len(plan.calls))]
    assert waits == [None, 0]
