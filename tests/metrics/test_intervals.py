"""Intervals by tuple, against scipy, statsmodels, exact binomials and simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.intervals import (
    Sample,
    difference_interval,
    pooled,
    share_interval,
    t_quantile,
    weighted,
)
from rmjudge.metrics.report import Interval, Intervals
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import DOMAINS, Domain

Floats = NDArray[np.float64]
STYLE_ONLY: Final[Credits] = ((0.5, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.5))
THIRD: Final = (1 / 3,) * 3


def same(credit: float | None) -> Credits:
    """A tuple with one credit in all nine cells: the cells depend on each other entirely."""
    return ((credit, credit, credit),) * 3


def coins(
    rng: np.random.Generator, tuples: int, chance: float, cells: int = 3
) -> list[list[float]]:
    """Cells that share a quality of their tuple."""
    latent = rng.normal(size=(tuples, 1)) * 0.7 + rng.normal(size=(tuples, cells)) * 0.51**0.5
    cells_of: list[list[float]] = (latent < stats.norm.ppf(chance)).astype(float).tolist()
    return cells_of


def of(values: Sequence[Sequence[float | None]], weights: Sequence[float] = THIRD) -> Sample:
    sample = weighted(values, weights)
    assert sample is not None
    return sample


def around(samples: Sequence[Sample | None]) -> Interval:
    interval = share_interval(samples)
    assert interval is not None
    return interval


@pytest.mark.parametrize("freedom", [1, 1.5, 2, 3.3, 9, 30.5, 128, 1323, 1e5])
def test_the_quantile_of_t_is_that_of_scipy(freedom: float) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-6)
    assert t_quantile(float("inf")) == pytest.approx(stats.norm.ppf(0.975))


@pytest.mark.parametrize("tuples", [10, 129])
@pytest.mark.parametrize("credit", [0.0, 1.0])
def test_without_variation_the_interval_is_wilsons_of_statsmodels(
    tuples: int, credit: float
) -> None:
    found = around([of([[credit] * 3] * tuples)])
    low, high = proportion_confint(credit * tuples, tuples, 0.05, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


def test_none_of_ten_leaves_room_for_a_quarter() -> None:
    assert around([of([[0.0] * 3] * 10)]).high == pytest.approx(0.2775, abs=1e-4)


def test_a_single_cell_is_wilsons_interval_with_a_quantile_of_t() -> None:
    values = [[1.0]] * 30 + [[0.0]] * 12
    z, n, p = stats.t.ppf(0.975, 41), 42, 30 / 42
    # One cell a tuple: every tuple is a case, but for the n - 1 of its variance.
    assert of(values, (1.0,)).variance == pytest.approx(p * (1 - p) / 41)
    middle, half = p + z**2 / 2 / n, z * (p * (1 - p) / n + z**2 / 4 / n**2) ** 0.5
    low, high = ((middle + sign * half) / (1 + z**2 / n) for sign in (-1, 1))
    found = around([of(values, (1.0,))])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("tuples", [10, 40])
def test_a_single_cell_covers_at_least_nine_in_ten_by_exact_binomials(tuples: int) -> None:
    ends = [
        around([of([[1.0]] * wins + [[0.0]] * (tuples - wins), (1.0,))])
        for wins in range(tuples + 1)
    ]
    for truth in np.linspace(0.02, 0.98, 49):
        inside = [wins for wins, end in enumerate(ends) if end.low <= truth <= end.high]
        assert stats.binom.pmf(inside, tuples, truth).sum() > 0.90


def test_the_variance_is_that_of_the_tuples_means() -> None:
    values = coins(np.random.default_rng(1), 60, 0.7)
    sample = of(values)
    means = np.mean(values, axis=1)
    assert sample.mean == pytest.approx(means.mean())
    assert sample.variance == pytest.approx(means.var(ddof=1) / 60)
    assert (sample.fewest, sample.most) == pytest.approx((60, 180))


def test_cells_asked_in_part_have_the_variance_of_a_bootstrap() -> None:
    rng = np.random.default_rng(2)
    full = np.array(coins(rng, 150, 0.6, cells=3))
    asked = rng.random(full.shape) < 0.5
    values = [
        [float(v) if a else None for v, a in zip(row, mark, strict=True)]
        for row, mark in zip(full, asked, strict=True)
    ]
    seen = np.where(asked, full, np.nan)
    drawn = [np.nanmean(seen[rng.integers(0, 150, 150)], axis=0).mean() for _ in range(4000)]
    sample = of(values)
    assert sample.mean == pytest.approx(np.nanmean(seen, axis=0).mean())
    assert sample.variance**0.5 == pytest.approx(np.std(drawn), rel=0.05)


def test_pooled_cells_have_the_variance_of_a_bootstrap() -> None:
    rng = np.random.default_rng(3)
    values = [row[: rng.integers(1, 4)] for row in coins(rng, 120, 0.3)]
    sample = pooled(values)
    assert sample is not None
    drawn = [
        np.concatenate([values[k] for k in rng.integers(0, 120, 120)]).mean() for _ in range(4000)
    ]
    assert sample.mean == pytest.approx(np.concatenate(values).mean())
    assert sample.variance**0.5 == pytest.approx(np.std(drawn), rel=0.05)


@pytest.mark.parametrize(
    "values", [[[1.0, 0.0, 1.0]], [], [[1.0, None, 1.0], [1.0, None, 0.0], [0.0, 1.0, 1.0]]]
)
def test_a_cell_of_a_single_tuple_says_nothing_of_the_spread(
    values: list[list[float | None]],
) -> None:
    assert share_interval([weighted(values, THIRD)]) is None


def test_a_domain_without_an_interval_leaves_the_average_without_one() -> None:
    assert share_interval([of([[1.0] * 3] * 5), None]) is None
    assert share_interval([]) is None


@pytest.mark.parametrize(("tuples", "truth"), [(10, 0.98), (40, 0.6), (129, 0.99)])
def test_nineteen_of_twenty_intervals_hold_the_truth(tuples: int, truth: float) -> None:
    rng = np.random.default_rng(tuples)
    found = [around([of(coins(rng, tuples, truth))]) for _ in range(400)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.92


@pytest.mark.parametrize(("tuples", "truth"), [(10, 0.98), (40, 0.6), (129, 0.991)])
def test_nineteen_of_twenty_averages_over_domains_hold_the_truth(tuples: int, truth: float) -> None:
    rng = np.random.default_rng(tuples)
    found = [around([of(coins(rng, tuples, truth)) for _ in range(4)]) for _ in range(300)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.91


def test_a_domain_of_few_losses_borrows_how_far_cells_depend_from_the_others() -> None:
    # Cells that do not depend on each other: the average is worth three cases a tuple. A domain
    # that lost few cells hardly shows it by itself; together they do.
    rng = np.random.default_rng(1)
    lost = [1 - (rng.random((129, 3)) < 0.02).astype(float) for _ in range(4)]
    samples = [of(values.tolist()) for values in lost]
    mean = float(np.mean([values.mean() for values in lost]))
    ratios, told, spread = [], [], []
    for values in lost:
        p, v = values.mean(), values.mean(axis=1).var(ddof=1)
        ratios.append(max(1.0, min(p * (1 - p) / v, 3.0)))
        told.append(2 * 129 * (1 - p))
        spread.append(p * (1 - p))
    variance = 0.0
    for k in range(4):
        rest = [m for m in range(4) if m != k]
        others = sum(told[m] for m in rest)
        towards = (sum(told[m] * ratios[m] for m in rest) + 1) / (others + 1)
        shrunk = (told[k] * ratios[k] + towards) / (told[k] + 1)
        variance += spread[k] / (129 * shrunk) / 16
    n = mean * (1 - mean) / variance
    found = around(samples)
    z2 = stats.t.ppf(0.975, 4 * 128) ** 2  # about: Satterthwaite's are fewer, far above 100
    half = (z2 * (mean * (1 - mean) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.02)
    alone = [around([one]) for one in samples]
    apart = sum((one.high - one.low) ** 2 for one in alone) ** 0.5 / 4
    assert found.high - found.low < 0.95 * apart


def test_many_tuples_have_the_interval_of_the_normal_approximation() -> None:
    values = coins(np.random.default_rng(4), 2000, 0.6)
    found = around([of(values)])
    half = 1.96 * np.mean(values, axis=1).std(ddof=1) / 2000**0.5
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.01)


def test_ties_everywhere_leave_a_small_doubt_and_one_around_a_half() -> None:
    found = around([of([[0.5] * 3] * 129)])
    assert 0.48 < found.low < 0.5 < found.high < 0.52


@pytest.mark.parametrize("mean", [-1.0, -0.3, 0.0, 1.0])
def test_ends_lie_in_the_possible_range(mean: float) -> None:
    found = difference_interval([of([[mean] * 3] * 3)])
    assert found is not None
    assert -1 <= found.low <= mean <= found.high <= 1
    assert found.low < found.high


def test_a_paired_difference_is_that_of_a_paired_t_test_with_many_tuples() -> None:
    values = np.random.default_rng(5).choice([-1.0, 0.0, 0.0, 1.0], size=(800, 1))
    expected = stats.ttest_1samp(values[:, 0], 0).confidence_interval()
    found = difference_interval([of(values.tolist(), (1.0,))])
    assert found is not None
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=1e-4)


@pytest.mark.parametrize(("p_value", "zero_inside"), [(0.04, False), (0.06, True)])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("strong", [False, True])
def test_zero_is_in_the_interval_if_and_only_if_the_test_allows_it(
    p_value: float, zero_inside: bool, sign: int, strong: bool
) -> None:
    wins = 20 if strong else 3
    values = [[float(sign)]] * wins + [[0.0]] * 20
    found = difference_interval([of(values, (1.0,))], p_value)
    assert found is not None
    assert (found.low <= 0 <= found.high) is zero_inside


def test_scorers_that_always_agreed_may_still_differ() -> None:
    found = difference_interval([of([[0.0] * 3] * 10)], 1.0)
    assert found is not None
    assert found.low < -0.05
    assert found.high > 0.05


@pytest.mark.parametrize("tuples", [10, 129])
def test_nineteen_of_twenty_differences_hold_the_truth(tuples: int) -> None:
    rng = np.random.default_rng(tuples)
    hits = []
    for _ in range(400):
        one, two = np.array(coins(rng, tuples, 0.9)), np.array(coins(rng, tuples, 0.8))
        found = difference_interval([of((one - two).tolist())])
        assert found is not None
        hits.append(found.low <= 0.1 <= found.high)
    assert np.mean(hits) >= 0.92


def credits(chance: float, seed: int = 6, tuples: int = 40) -> list[Credits]:
    values = np.array(coins(np.random.default_rng(seed), tuples, chance, cells=9))
    return [tuple(map(tuple, one)) for one in values.reshape(-1, 3, 3).tolist()]


def test_equal_data_give_equal_intervals() -> None:
    one, two = (compute_metrics("a/b", "pointwise", None, {"chat": credits(0.7)}) for _ in range(2))
    assert one == two


def test_a_domains_interval_does_not_depend_on_which_other_domains_are_there() -> None:
    alone = compute_metrics("a/b", "pointwise", None, {"chat": credits(0.7)})
    both = compute_metrics("a/b", "pointwise", None, {"chat": credits(0.7), "math": credits(0.4)})
    assert both.domains["chat"].intervals == alone.domains["chat"].intervals


def test_rewards_have_strict_intervals_and_judges_half_credit_ones() -> None:
    data: dict[Domain, list[Credits]] = {"chat": [STYLE_ONLY] * 10}
    strict_one = compute_metrics("a/b", "pointwise", None, data).intervals.normal
    half_one = compute_metrics("a/b", "pairwise", "seeded", data).intervals.normal
    assert strict_one is not None
    assert half_one is not None
    assert strict_one.low == 0.0
    assert half_one.low < 0.5 < half_one.high


def test_every_part_has_its_own_interval_around_its_point() -> None:
    found = compute_metrics(
        "a/b", "pointwise", None, {name: credits(0.8, place) for place, name in enumerate(DOMAINS)}
    )
    domains = found.domains.values()
    pairs = [(found.intervals, found.headline), *((one.intervals, one.headline) for one in domains)]
    for intervals, values in pairs:
        for part in ("easy", "normal", "hard", "average"):
            interval, value = getattr(intervals, part), getattr(values, part)
            assert interval.low < value < interval.high


def test_a_difficulty_that_nobody_scored_has_no_interval() -> None:
    no_hard: Credits = ((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    found = compute_metrics("a/b", "pointwise", None, {"chat": [no_hard] * 5}).intervals
    assert (found.hard, found.average) == (None, None)
    assert found.easy is not None
    assert found.easy.high == 1.0


def test_no_data_has_no_interval() -> None:
    assert compute_metrics("a/b", "pointwise", None, {}).intervals == Intervals(
        None, None, None, None
    )
