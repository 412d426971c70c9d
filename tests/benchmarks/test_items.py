"""An item of any set gives the calls of a tuple's own plan, so that no answer is bought twice."""

from __future__ import annotations

import pytest

from rmjudge.benchmarks.descriptors import shipped
from rmjudge.benchmarks.items import Item, Response, Turn, item_of
from rmjudge.cache.keys import call_key
from rmjudge.calls import Call, Verdict
from rmjudge.dataset import load
from rmjudge.planning.items import plan_items
from rmjudge.planning.plan import plan_tuple
from rmjudge.store import key_fields
from rmjudge.vocabulary import Method, Order

TUPLES = list(load(["sample"]))


def keys(calls: tuple[Call, ...]) -> list[str]:
    return [call_key(key_fields(call)) for call in calls]


@pytest.mark.parametrize("votes", [1, 2])
@pytest.mark.parametrize(
    ("method", "order"), [("pointwise", "seeded"), ("pairwise", "seeded"), ("pairwise", "both")]
)
def test_a_tuple_as_an_item_has_the_keys_of_its_own_plan(
    method: Method, order: Order, votes: int
) -> None:
    for one in TUPLES:
        own = plan_tuple(one, method, order, 7, votes=votes)
        (plan,) = plan_items(
            [item_of(one)], shipped()["pairs"], method, both=order == "both", seed=7, votes=votes
        )
        assert keys(plan.calls) == keys(own.calls)


def test_a_tuple_as_an_item_has_the_credits_of_its_own_plan() -> None:
    for one in TUPLES:
        own = plan_tuple(one, "pairwise", "seeded", 3)
        (plan,) = plan_items([item_of(one)], shipped()["pairs"], "pairwise", seed=3)
        answers = [Verdict((k % 3) / 2) for k in range(len(own.calls))]
        credits = [credit for row in own.credits(answers) for credit in row]
        assert [votes[0] for _, _, votes in plan.outcome(answers).votes or ()] == credits


def test_one_message_of_a_user_is_the_prompt_as_it_is_and_more_are_written_out() -> None:
    responses = (Response("a", 1.0), Response("b", 0.0))
    one = Item(0, "", (Turn("user", "Hi {x}"),), responses)
    more = Item(0, "", (Turn("system", "Be brief."), Turn("user", "Hi")), responses)
    assert (one.prompt, one.is_conversation) == ("Hi {x}", False)
    assert more.is_conversation
    assert more.prompt == "[system]\nBe brief.\n\n[user]\nHi"


def test_two_equal_responses_are_a_tie_that_nobody_is_asked_about() -> None:
    item = Item(0, "", (Turn("user", "Hi"),), (Response("a", 1.0), Response("a", 0.0)))
    (plan,) = plan_items([item], shipped()["pairs"], "pairwise")
    assert plan.calls == ()
    assert plan.outcome([]).votes == ((0, 1, (0.5,)),)
