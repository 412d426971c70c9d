"""Tuples needed, against statsmodels and by trying it out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.power import normal_sample_size_one_tail

from rmjudge.statistics.power import tuples_needed
from rmjudge.statistics.testing import mcnemar

Floats = NDArray[np.float64]


def differences(size: int, mean: float, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 0.0, 1.0], size=size, p=[0.2 - mean / 2, 0.6, 0.2 + mean / 2])


@pytest.mark.parametrize("size", [12, 200])
def test_one_domain_needs_what_statsmodels_says(size: int) -> None:
    d = differences(size, 0.1, seed=1)
    expected = normal_sample_size_one_tail(d.mean(), 0.8, 0.025, d.std(ddof=1))
    assert tuples_needed([d]) == int(np.ceil(expected))


def test_fewer_than_six_tuples_cannot_show_anything() -> None:
    assert mcnemar([np.ones(5)]).p_value > 0.05
    assert mcnemar([np.ones(6)]).p_value < 0.05
    assert tuples_needed([np.array([1.0, 1.0, 1.0, 0.9])]) == 6


def test_twice_the_difference_needs_a_quarter_of_the_tuples() -> None:
    spread = np.array([-1.0, 1.0] * 50)
    near, far = tuples_needed([spread + 0.1]), tuples_needed([spread + 0.2])
    assert near is not None
    assert far is not None
    assert near / far == pytest.approx(4, rel=0.01)


def test_so_many_tuples_show_the_difference_four_times_in_five() -> None:
    d = differences(4000, 0.15)
    needed = tuples_needed([d])
    assert needed is not None
    rng = np.random.default_rng(1)
    seen = [mcnemar([rng.choice(d, size=needed)]).p_value < 0.05 for _ in range(800)]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


def test_several_domains_show_their_mean_difference_four_times_in_five() -> None:
    parts = [differences(300, 0.05, 1), differences(900, 0.2, 2)]
    needed = tuples_needed(parts)
    assert needed is not None
    rng = np.random.default_rng(3)
    sizes = [round(needed / 4), round(needed * 3 / 4)]
    seen = [
        mcnemar([rng.choice(d, size=n) for d, n in zip(parts, sizes, strict=True)]).p_value < 0.05
        for _ in range(800)
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    "parts",
    [
        [np.array([1.0, -1.0])],
        [np.zeros(9)],
        [np.array([1.0])],
        [np.array([1.0, 0.0]), np.array([1.0])],
        [np.full(5, 0.5)],
    ],
)
def test_without_a_difference_or_a_spread_there_is_no_number(parts: list[Floats]) -> None:
    assert tuples_needed(parts) is None
