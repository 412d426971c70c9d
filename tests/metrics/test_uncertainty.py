"""Ties and contradictions between the orders are two things; each has its interval."""

from __future__ import annotations

from typing import Final

import pytest
from statsmodels.stats.proportion import proportion_confint

from rmjudge.metrics.compute import compute_metrics, with_intervals
from rmjudge.metrics.position import position_of
from rmjudge.metrics.report import Interval, Metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import Order

HALF: Final[Credits] = ((0.5,) * 3,) * 3
ALL: Final[Credits] = ((1.0,) * 3,) * 3
NONE: Final[Credits] = ((0.0,) * 3,) * 3
UNASKED: Final[Credits] = ((None,) * 3,) * 3


def judged(credits: list[Credits], order: Order, splits: list[Credits] | None) -> Metrics:
    given = None if splits is None else {"chat": splits}
    return compute_metrics("a/b", "pairwise", order, {"chat": credits}, splits=given)


def both(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


def test_a_judge_that_always_says_a_is_split_and_never_tied() -> None:
    found = judged([HALF] * 10, "both", [ALL] * 10)
    assert (found.tie_rate, found.split_rate) == (0.0, 1.0)
    assert (found.domains["chat"].tie_rate, found.domains["chat"].split_rate) == (0.0, 1.0)


def test_a_judge_that_always_says_tie_is_tied_and_never_split() -> None:
    found = judged([HALF] * 10, "both", [NONE] * 10)
    assert (found.tie_rate, found.split_rate) == (1.0, 0.0)


def test_asked_in_one_order_nothing_is_split_and_nobody_knows_what_would_be() -> None:
    found = judged([HALF, ALL], "seeded", [UNASKED] * 2)
    assert (found.tie_rate, found.split_rate) == (0.5, None)


def test_ties_are_not_known_of_both_orders_whose_verdicts_are_not() -> None:
    found = judged([HALF] * 4, "both", None)
    assert (found.tie_rate, found.split_rate, found.rates.tie) == (None, None, None)


def test_rates_without_variation_have_wilsons_interval_of_statsmodels() -> None:
    rates = judged([HALF] * 12, "both", [ALL] * 12).rates
    none = proportion_confint(0, 12, method="wilson")
    every = proportion_confint(12, 12, method="wilson")
    assert both(rates.tie) == pytest.approx(none, abs=1e-6)
    assert both(rates.split) == pytest.approx(every, abs=1e-6)
    assert both(rates.unscored) == pytest.approx(none, abs=1e-6)


def test_position_and_swap_have_intervals_around_them() -> None:
    found = position_of([], [ALL, ALL, NONE] * 10)
    low, high = proportion_confint(20, 30, method="wilson")
    # All nine pairs of a tuple are alike here: thirty cases, and t instead of z.
    assert both(found.swap_interval) == pytest.approx((low, high), abs=0.02)
    assert found.first_interval is None


def test_a_file_of_before_gets_the_intervals_that_its_tuples_tell() -> None:
    fresh = judged([ALL, NONE, HALF] * 5, "seeded", [UNASKED] * 15)
    old = judged([ALL], "seeded", [UNASKED])
    found = with_intervals(old, {"chat": [ALL, NONE, HALF] * 5})
    assert found.intervals == fresh.intervals
    assert found.tie_rate == fresh.tie_rate
    assert found.headline == old.headline
