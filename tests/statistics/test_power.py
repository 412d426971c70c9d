"""What a run could have shown, against statsmodels and by trying it out."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.power import normal_power

from rmjudge.metrics.intervals import Sample, weighted
from rmjudge.statistics.power import detectable
from rmjudge.statistics.testing import mcnemar

Floats = NDArray[np.float64]


def differences(size: int, mean: float, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 0.0, 1.0], size=size, p=[0.2 - mean / 2, 0.6, 0.2 + mean / 2])


def even(size: int) -> Floats:
    """Differences with the exact shares that `differences` draws by, and no mean."""
    return np.repeat([-1.0, 0.0, 1.0], [size // 5, size - 2 * (size // 5), size // 5])


def sample(values: Floats) -> Sample | None:
    return weighted(values[:, None].tolist(), (1.0,))


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 19])
def test_the_power_at_the_detectable_difference_is_that_of_statsmodels(alpha: float) -> None:
    d = differences(2000, 0.0)
    found = detectable([sample(d)], alpha)
    assert found is not None
    power = normal_power(found, 2000, alpha, sigma=float(d.std(ddof=1)))
    assert power == pytest.approx(0.8, abs=0.002)


def test_such_a_difference_is_found_four_times_in_five() -> None:
    found = detectable([sample(even(200))])
    assert found is not None
    seen = [
        mcnemar([differences(200, found, seed=1000 + draw)]).p_value < 0.05 for draw in range(800)
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.06)


def test_several_domains_show_the_mean_of_their_differences() -> None:
    sizes = (60, 180)
    found = detectable([sample(even(n)) for n in sizes])
    assert found is not None
    seen = [
        mcnemar([differences(n, found, 5000 + draw * n) for n in sizes]).p_value < 0.05
        for draw in range(800)
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.06)


def test_what_was_found_does_not_matter() -> None:
    spread = np.array([-1.0, 1.0] * 50)
    assert detectable([sample(spread * 0.2 + 0.1)]) == pytest.approx(
        detectable([sample(spread * 0.2 + 0.4)])
    )


@pytest.mark.parametrize("values", [[np.array([1.0])], [differences(9, 0.0), np.array([1.0])]])
def test_without_a_spread_in_every_domain_there_is_no_number(values: list[Floats]) -> None:
    assert detectable([sample(one) for one in values]) is None


def test_too_few_tuples_can_show_nothing_at_all() -> None:
    assert detectable([sample(np.array([-1.0, 1.0]))]) is None
