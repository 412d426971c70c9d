"""What replies cost: list prices, the user's own, and what cannot be known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rmjudge import UsageError
from rmjudge.calls import Spent, Usage
from rmjudge.running.pricing import FREE, Price, cost_of, listed, price_table


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
    table = price_table()
    vendors = {name.partition("/")[0] for name in table}
    assert vendors >= {
        *("openai", "anthropic", "gemini", "deepseek", "mistral", "xai"),
        *("groq", "together", "openrouter"),
    }
    for price in table.values():
        assert 0 < price.input <= price.output
        assert price.cached <= price.input <= price.stored
        assert price.source.startswith("https://")
        assert date.fromisoformat(price.date).year >= 2026


@pytest.mark.parametrize(
    ("dated", "plain"),
    [
        ("openai/gpt-4.1-2025-04-14", "openai/gpt-4.1"),
        ("openai-responses/gpt-4.1-2025-04-14", "openai/gpt-4.1"),
        ("openai-responses/gpt-4.1", "openai/gpt-4.1"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
    ],
)
def test_a_dated_name_has_the_price_of_the_plain_one(dated: str, plain: str) -> None:
    table = price_table()
    assert listed(table, dated) == table[plain]


def test_a_dated_name_with_a_price_of_its_own_keeps_it() -> None:
    table = price_table()
    assert listed(table, "openai/gpt-4o-2024-05-13") == Price(5.0, 15.0)
    assert table["openai/gpt-4o"] == Price(2.5, 10.0, 1.25)


@pytest.mark.parametrize("name", ["openai/gpt-4.1-turbo", "openai/gpt-4.1-0414", "nobody/gpt-4.1"])
def test_another_name_has_no_price(name: str) -> None:
    assert listed(price_table(), name) is None


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


def in_batches(input_tokens: int, cached: int, output: int) -> Spent:
    spent = Spent()
    usage = Usage(input_tokens, output, cached_tokens=cached)
    spent.add(usage.in_batch)
    return spent


def test_groqs_batches_are_not_cheaper_on_top_of_its_prompt_cache() -> None:
    own = {"groq/m": {"input": 1.0, "output": 2.0, "cached_input": 0.4, "batch": 0.5}}
    price = price_table(own)["groq/m"]
    cost = cost_of(in_batches(1_000_000, 250_000, 100_000), price)
    assert cost == pytest.approx(0.75 * 0.5 + 0.25 * 0.4 + 0.1 * 2.0 * 0.5)


def test_other_vendors_batches_are() -> None:
    own = {"openai/m": {"input": 1.0, "output": 2.0, "cached_input": 0.4, "batch": 0.5}}
    cost = cost_of(in_batches(1_000_000, 250_000, 100_000), price_table(own)["openai/m"])
    assert cost == pytest.approx(0.5 * (0.75 * 1.0 + 0.25 * 0.4 + 0.1 * 2.0))


def test_a_token_from_groqs_prompt_cache_costs_at_most_what_another_one_does() -> None:
    price = price_table({"groq/m": {"input": 1.0, "output": 2.0, "batch": 0.5}})["groq/m"]
    assert cost_of(in_batches(1_000_000, 250_000, 0), price) == pytest.approx(0.5)
