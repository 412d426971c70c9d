"""How the figures of the statistics are written."""

from __future__ import annotations

import math

import pytest

from rmjudge.metrics.report import Interval
from rmjudge.render.figures import chance, points, points_range, scope, signed_half
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
    assert signed_half(1.0, Interval(0.5, 1.5)) == "+1.00 ±0.50"
    assert signed_half(1.0, None) == "+1.00"


def test_only_an_average_over_all_four_domains_is_called_all() -> None:
    assert scope(None, DOMAINS) == "all"
    assert scope(None, ("chat", "safety")) == "chat+safety"
    assert scope("math", DOMAINS) == "math"
