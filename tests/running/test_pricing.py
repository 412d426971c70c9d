"""What replies cost: list prices, the user's own, and what cannot be known."""

from __future__ import annotations

from typing import Any

import pytest

from rmjudge import UsageError
from rmjudge.calls import Spent
from rmjudge.running.pricing import FREE, Price, cost_of, price_table


def test_a_cost_is_tokens_times_price_per_million() -> None:
    spent = Spent(input_tokens=1_000_000, output_tokens=500_000)
    assert cost_of(spent, Price(input=2.0, output=8.0)) == pytest.approx(2.0 + 4.0)


def test_cached_tokens_are_part_of_the_input_and_cost_their_own_price() -> None:
    spent = Spent(input_tokens=1_000_000, cached_tokens=400_000)
    price = Price(input=2.0, output=8.0, cached_input=0.5)
    assert cost_of(spent, price) == pytest.approx(0.6 * 2.0 + 0.4 * 0.5)


def test_cached_tokens_cost_the_full_price_where_there_is_no_other() -> None:
    spent = Spent(input_tokens=1_000_000, cached_tokens=400_000)
    assert cost_of(spent, Price(input=2.0, output=8.0)) == pytest.approx(2.0)


def test_cached_tokens_may_be_free() -> None:
    spent = Spent(input_tokens=1_000_000, cached_tokens=400_000)
    price = Price(input=2.0, output=8.0, cached_input=0.0)
    assert cost_of(spent, price) == pytest.approx(1.2)


def test_tokens_written_to_the_cache_are_part_of_the_input_and_cost_their_own_price() -> None:
    spent = Spent(input_tokens=1_000_000, cached_tokens=400_000, stored_tokens=100_000)
    price = Price(input=2.0, output=8.0, cached_input=0.5, stored_input=2.5)
    assert cost_of(spent, price) == pytest.approx(0.5 * 2.0 + 0.4 * 0.5 + 0.1 * 2.5)


def test_tokens_written_to_the_cache_cost_the_full_price_where_there_is_no_other() -> None:
    spent = Spent(input_tokens=1_000_000, stored_tokens=400_000)
    assert cost_of(spent, Price(input=2.0, output=8.0)) == pytest.approx(2.0)


def test_nothing_bought_costs_nothing() -> None:
    assert cost_of(Spent(), Price(2.0, 8.0)) == 0.0


def test_an_unknown_price_is_an_unknown_cost_and_not_zero() -> None:
    assert cost_of(Spent(input_tokens=100), None) is None


def test_a_reply_without_a_token_count_makes_the_cost_unknown() -> None:
    assert cost_of(Spent(input_tokens=100, uncounted_replies=1), Price(2.0, 8.0)) is None


def test_what_cannot_be_charged_has_no_cost() -> None:
    assert cost_of(Spent(input_tokens=100), FREE) is None


def test_the_package_knows_prices_of_models() -> None:
    table = price_table()
    assert table["openai/gpt-4.1"] == Price(input=2.0, output=8.0, cached_input=0.5)


def test_every_shipped_price_makes_sense() -> None:
    for name, price in price_table().items():
        assert "/" in name
        assert 0 < price.input < price.output
        assert price.cached_input is not None
        assert price.cached_input < price.input


def test_a_price_of_the_users_own_is_laid_over_the_packages() -> None:
    table = price_table({"openai/gpt-4.1": {"input": 1, "output": 3}})
    assert table["openai/gpt-4.1"] == Price(1.0, 3.0, None)
    assert table["openai/gpt-4o"] == price_table()["openai/gpt-4o"]


def test_a_model_that_the_package_does_not_know_can_be_given_a_price() -> None:
    table = price_table({"vllm/mine": {"input": 0, "output": 0.5, "cached_input": 0}})
    assert table["vllm/mine"] == Price(0.0, 0.5, 0.0)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"input": 1},
        {"output": 1},
        {"input": 1, "output": 2, "batch": 3},
        {"input": "1", "output": 2},
        {"input": -1, "output": 2},
        {"input": True, "output": 2},
        {"input": 1, "output": float("nan")},
        {"input": 1, "output": float("inf")},
        {"input": 1, "output": 10**400},
        {"input": 1, "output": 2, "cached_input": None},
        3,
        None,
        [1, 2],
        "free",
    ],
)
def test_what_is_no_price_is_told_with_its_model(entry: Any) -> None:
    with pytest.raises(UsageError, match=r'^\[prices\."openai/mine"\] needs `input` and `output`'):
        price_table({"openai/mine": entry})
