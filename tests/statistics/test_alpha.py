"""Krippendorff's alpha: published and independent numbers, and an interval that leaves a doubt."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import fleiss_kappa

from rmjudge.statistics.alpha import alpha_of

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers, twelve
# units, values missing; nominal alpha is 0.743.
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def counts(observers: list[list[int | None]], values: int) -> NDArray[np.float64]:
    return np.array(
        [
            [unit.count(value) for value in range(1, values + 1)]
            for unit in zip(*observers, strict=True)
        ],
        dtype=np.float64,
    )


def test_the_published_example_with_missing_values() -> None:
    found = alpha_of(counts(PUBLISHED, 5), np.arange(12))
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.units == 11  # one unit has a single value


def random_counts(units: int = 60) -> NDArray[np.float64]:
    random = np.random.default_rng(2)
    truth = random.integers(0, 3, units)
    said = np.where(
        random.random((units, 4)) < 0.7, truth[:, None], random.integers(0, 3, (units, 4))
    )
    return np.stack([(said == value).sum(axis=1) for value in range(3)], axis=1).astype(np.float64)


def test_without_missing_values_it_is_fleiss_kappa_with_its_small_sample_correction() -> None:
    table = random_counts()
    n = table.sum()
    expected = 1 - (1 - float(fleiss_kappa(table, method="fleiss"))) * (n - 1) / n
    assert alpha_of(table, np.arange(len(table))).value == pytest.approx(expected)


def test_the_interval_is_about_that_of_a_bootstrap_over_tuples() -> None:
    table = random_counts(240)
    clusters = np.repeat(np.arange(60), 4)
    found = alpha_of(table, clusters)
    random = np.random.default_rng(0)
    draws = []
    for _ in range(400):
        chosen = random.integers(0, 60, 60)
        rows = np.concatenate([table[clusters == cluster] for cluster in chosen])
        value = alpha_of(rows, np.arange(len(rows))).value
        assert value is not None
        draws.append(value)
    low, high = np.quantile(draws, [0.025, 0.975])
    assert found.interval is not None
    assert found.interval.low == pytest.approx(float(low), abs=0.03)
    assert found.interval.high == pytest.approx(float(high), abs=0.03)


def test_full_agreement_leaves_a_doubt() -> None:
    table = np.array([[2.0, 0.0], [0.0, 2.0]] * 10)
    found = alpha_of(table, np.arange(20))
    assert (found.value, found.agreed) == (1.0, 1.0)
    assert found.interval is not None
    assert found.interval.low < 0.9
    assert found.interval.high == 1.0


@pytest.mark.parametrize("table", [[[3.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
def test_where_chance_agrees_fully_or_nobody_is_paired_there_is_none(
    table: list[list[float]],
) -> None:
    found = alpha_of(np.array(table), np.arange(2))
    assert (found.value, found.interval) == (None, None)
