# ruff: noqa: RUF001  the en dash is what is tested
"""How figures are written: percent, costs, colours, and those of the statistics."""

from __future__ import annotations

import math

import pytest

from rmjudge.metrics.report import Interval
from rmjudge.render.figures import (
    chance,
    dollars,
    heat,
    percent,
    points,
    points_range,
    scope,
    signed_ends,
)
from rmjudge.vocabulary import DOMAINS


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+12.3"), (-0.0001, "+0.0"), (None, "-"), (math.nan, "-")]
)
def test_points_have_a_sign_and_no_negative_nothing(value: float | None, text: str) -> None:
    assert points(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "<0.001"), (0.0, "<0.001"), (0.05, "0.050"), (None, "-")]
)
def test_a_p_value_is_never_nought(value: float | None, text: str) -> None:
    assert chance(value) == text


def test_intervals_are_written_with_what_they_are_around() -> None:
    assert points_range(Interval(-0.05, 0.1)) == "-5.0 to 10.0"
    assert points_range(None) == "-"
    assert signed_ends(1.0, Interval(0.5, 1.5)) == "+1.00 (+0.50 to +1.50)"
    assert signed_ends(1.0, None) == "+1.00"


def test_only_an_average_over_all_four_domains_is_called_all() -> None:
    assert scope(None, DOMAINS) == "all"
    assert scope(None, ("chat", "safety")) == "chat+safety"
    assert scope("math", DOMAINS) == "math"


@pytest.mark.parametrize(
    ("cost", "cost_known", "expected"),
    [
        (0.0123, True, "$0.0123"),
        (12.3456, True, "$12.35"),
        (1234.5, True, "$1,234.50"),
        (0.00001, True, "<$0.0001"),
        (0.0, True, "–"),
        (None, True, "–"),
        (math.nan, True, "–"),
        (None, False, "unknown"),
        (0.5, False, "unknown"),
    ],
)
def test_a_cost_is_never_a_made_up_zero(
    cost: float | None, cost_known: bool, expected: str
) -> None:
    assert dollars(cost, cost_known=cost_known) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0.0"), (1.0, "100.0"), (0.4806, "48.1"), (None, "–"), (math.nan, "–"), (math.inf, "–")],
)
def test_a_percentage_has_one_decimal_or_is_a_dash(value: float | None, expected: str) -> None:
    assert percent(value) == expected


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (0.0, "#f18d3b"),
        (0.5, "#f7f4ec"),
        (1.0, "#67a9de"),
        (0.25, "#f4c094"),
        (None, None),
        (math.nan, None),
        (7.0, "#67a9de"),
    ],
)
def test_heat_runs_from_orange_over_white_to_blue(value: float | None, colour: str | None) -> None:
    assert heat(value) == colour
