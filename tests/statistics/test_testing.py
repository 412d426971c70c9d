"""McNemar by tuple and Holm, against statsmodels, scipy and counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from rmjudge.statistics.testing import EXACT, holm, mcnemar

Floats = NDArray[np.float64]
SIGNS = list(product((1, -1), repeat=6))


def one_cell(only_first: int, only_second: int, same: int = 30) -> Floats:
    """Differences of tuples with one cell: McNemar's own case."""
    return np.array([1.0] * only_first + [-1.0] * only_second + [0.0] * same)


@pytest.mark.parametrize(("b", "c"), [(9, 1), (5, 5), (0, 7), (1, 0), (12, 6)])
def test_few_discordant_tuples_of_one_cell_have_mcnemars_exact_p_value(b: int, c: int) -> None:
    found = mcnemar([one_cell(b, c)])
    expected = reference_mcnemar([[10, b], [c, 20]], exact=True).pvalue
    assert found.exact
    assert found.p_value == pytest.approx(expected)


@pytest.mark.parametrize(("b", "c"), [(30, 12), (19, 0), (25, 25), (200, 150)])
def test_many_discordant_tuples_of_one_cell_have_mcnemars_chi_squared(b: int, c: int) -> None:
    found = mcnemar([one_cell(b, c)])
    expected = reference_mcnemar([[10, b], [c, 20]], exact=False, correction=False).pvalue
    assert not found.exact
    assert found.p_value == pytest.approx(expected)


def test_tuples_of_several_cells_have_the_statistic_for_clustered_pairs() -> None:
    rng = np.random.default_rng(0)
    first, second = (rng.random((60, 3)) < chance for chance in (0.7, 0.5))
    b = (first & ~second).sum(axis=1)
    c = (~first & second).sum(axis=1)
    # Durkalski et al. (2003), written out: every cluster has three pairs.
    statistic = (((b - c) / 3).sum()) ** 2 / (((b - c) / 3) ** 2).sum()
    found = mcnemar([(b - c) / 3])
    assert found.discordant > EXACT
    assert found.p_value == pytest.approx(float(stats.chi2.sf(statistic, 1)))


def test_few_discordant_tuples_count_every_pattern_of_signs() -> None:
    steps = [3.0, 2.0, 1.0, -1.0, 0.5, -0.5]
    sums = [sum(s * d for s, d in zip(signs, steps, strict=True)) for signs in SIGNS]
    expected = np.mean([abs(value) >= abs(sum(steps)) for value in sums])
    assert mcnemar([np.array([*steps, 0.0, 0.0])]).p_value == pytest.approx(expected)


def test_scipys_randomisation_test_of_pairs_agrees() -> None:
    d = np.array([2.0, 1.0, -0.5, 3.0, 0.5, 1.0, -1.0, 2.0])
    expected = stats.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert mcnemar([d]).p_value == pytest.approx(float(expected.pvalue))


def test_cells_of_one_tuple_are_not_taken_for_independent_cases() -> None:
    by_tuple = mcnemar([np.array([3.0] * 4 + [-3.0] * 1)]).p_value
    by_cell = reference_mcnemar([[0, 12], [3, 0]], exact=True).pvalue
    assert by_tuple == pytest.approx(2 * 6 / 32)
    assert by_cell < 0.05 < by_tuple


def test_domains_weigh_the_same_however_many_tuples_they_have() -> None:
    small, large = one_cell(30, 10, 0), one_cell(300, 310, 400)
    d = np.concatenate([small / len(small), large / len(large)])
    expected = float(stats.chi2.sf(d.sum() ** 2 / (d**2).sum(), 1))
    found = mcnemar([small, large]).p_value
    assert found == pytest.approx(expected)
    assert found < 0.01 < mcnemar([np.concatenate([small, large])]).p_value


def test_scorers_that_never_differ_are_not_different() -> None:
    found = mcnemar([np.zeros(40)])
    assert (found.p_value, found.discordant) == (1.0, 0)


@pytest.mark.parametrize("size", [EXACT - 2, EXACT + 6])
def test_five_of_a_hundred_tests_of_equal_scorers_are_wrong(size: int) -> None:
    rng = np.random.default_rng(size)
    draws = rng.integers(-3, 4, size=(600, size)).astype(float)
    draws[draws == 0] = 1.5 * rng.choice([-1, 1], size=int((draws == 0).sum()))
    wrong = np.mean([mcnemar([d]).p_value < 0.05 for d in draws])
    assert 0.02 <= wrong <= 0.075


@pytest.mark.parametrize(
    "p_values",
    [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.5], [0.2], [1.0, 0.0001], [0.04, 0.04, 0.01]],
)
def test_holm_corrects_as_statsmodels_does(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


def test_nothing_to_correct_is_nothing() -> None:
    assert holm([]) == []
