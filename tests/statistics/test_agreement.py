"""Cohen's kappa, against statsmodels and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import cohens_kappa, to_table

from rmjudge.statistics.agreement import kappa_of

ALL = tuple(range(9))
Floats = NDArray[np.float64]


def raters(seed: int, size: int = 60) -> tuple[Floats, Floats]:
    """Two raters of win, tie or loss who agree about half of the time."""
    rng = np.random.default_rng(seed)
    first = rng.choice([0.0, 0.5, 1.0], size=(size, 9), p=[0.3, 0.2, 0.5])
    other = rng.choice([0.0, 0.5, 1.0], size=(size, 9), p=[0.3, 0.2, 0.5])
    return first, np.where(rng.random((size, 9)) < 0.5, first, other)


@pytest.mark.parametrize("cells", [ALL, (0, 4, 8), (3,)])
def test_kappa_is_that_of_statsmodels(cells: tuple[int, ...]) -> None:
    first, second = raters(1)
    columns = [(part[:, list(cells)] * 2).astype(int).ravel() for part in (first, second)]
    expected = cohens_kappa(to_table(np.stack(columns, axis=1))[0]).kappa
    found = kappa_of({"chat": first}, {"chat": second}, cells)
    assert found.value == pytest.approx(float(expected))


def test_domains_are_pooled_tuple_by_tuple() -> None:
    first, second = raters(2)
    whole = kappa_of({"chat": first}, {"chat": second}, ALL).value
    parts = kappa_of(
        {"chat": first[:20], "math": first[20:]}, {"chat": second[:20], "math": second[20:]}, ALL
    ).value
    assert parts == pytest.approx(whole)


def test_a_probability_counts_for_the_side_it_leans_to() -> None:
    first, second = raters(3)
    soft = np.where(second == 1.0, 0.6, np.where(second == 0.0, 0.2, 0.5))
    hard = kappa_of({"chat": first}, {"chat": second}, ALL)
    assert kappa_of({"chat": first}, {"chat": soft}, ALL) == hard


def test_agreement_everywhere_is_1_and_leaves_a_doubt_below() -> None:
    first, _ = raters(4)
    found = kappa_of({"chat": first}, {"chat": first}, ALL)
    assert found.value == pytest.approx(1.0)
    assert found.interval is not None
    assert 0.8 < found.interval.low < 1.0
    assert found.interval.high == pytest.approx(1.0)


def test_nineteen_of_twenty_intervals_hold_the_kappa_of_all() -> None:
    first, second = raters(7, size=20_000)
    truth = kappa_of({"chat": first}, {"chat": second}, ALL).value
    assert truth is not None
    rng, hits = np.random.default_rng(8), []
    for _ in range(300):
        drawn = rng.integers(0, len(first), 40)
        found = kappa_of({"chat": first[drawn]}, {"chat": second[drawn]}, ALL).interval
        assert found is not None
        hits.append(found.low <= truth <= found.high)
    assert np.mean(hits) >= 0.92


def test_raters_of_the_same_single_answer_have_no_kappa() -> None:
    ones = np.ones((10, 9))
    found = kappa_of({"chat": ones}, {"chat": ones}, ALL)
    assert (found.value, found.interval) == (None, None)


def test_opposite_raters_are_below_chance() -> None:
    half = np.tile([[0.0] * 9, [1.0] * 9], (5, 1))
    assert kappa_of({"chat": half}, {"chat": 1 - half}, ALL).value == pytest.approx(-1.0)


def test_a_single_tuple_says_nothing_of_the_spread() -> None:
    first, second = raters(5, size=1)
    assert kappa_of({"chat": first}, {"chat": second}, ALL).interval is None


def test_whole_tuples_are_drawn_because_their_cells_depend_on_each_other() -> None:
    first, second = raters(6, size=300)
    apart = kappa_of({"chat": first}, {"chat": second}, ALL).interval
    copied = [np.repeat(part[:, :1], 9, axis=1) for part in (first, second)]
    together = kappa_of({"chat": copied[0]}, {"chat": copied[1]}, ALL).interval
    assert apart is not None
    assert together is not None
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(3, rel=0.25)
