"""A cheap scorer as control variate, held against numpy's own regression and a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rmjudge.errors import UsageError
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.control import Controlled, Estimate, control
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import Domain, TupleKey

ASKED: dict[Domain, int] = {"chat": 40, "math": 25}
EVERY: dict[Domain, int] = {"chat": 150, "math": 90}
HARD = [1, 2, 5]


def drawn(
    rng: np.random.Generator, loads: tuple[float, ...], size: int
) -> list[NDArray[np.float64]]:
    """Nine cells of each tuple for each scorer, who share how easy a tuple is, as they load it."""
    easy = rng.normal(size=(size, 1))
    return [(0.4 + load * easy + rng.normal(size=(size, 9)) > 0).astype(float) for load in loads]


def scorer(name: str, cells: dict[Domain, NDArray[np.float64]], sizes: dict[Domain, int]) -> Scored:
    credits: dict[TupleKey, Credits] = {
        (domain, place): tuple(tuple(row) for row in values[place].reshape(3, 3).tolist())
        for domain, values in cells.items()
        for place in range(sizes[domain])
    }
    return Scored(name, "pointwise", credits)


def scene(seed: int, loads: tuple[float, float, float]) -> list[dict[Domain, NDArray[np.float64]]]:
    rng = np.random.default_rng(seed)
    found = {domain: drawn(rng, loads, size) for domain, size in EVERY.items()}
    return [{domain: cells[place] for domain, cells in found.items()} for place in range(3)]


def controlled(first: object, second: object, cheap: object) -> Controlled:
    values = [first, second, cheap]
    sizes = [ASKED, ASKED, EVERY]
    one, two, near = (
        scorer(name, cells, size)  # type: ignore[arg-type]
        for name, cells, size in zip("abc", values, sizes, strict=True)
    )
    return control([one, two], near, "strict")


def part(found: Controlled, names: tuple[str, ...], name: str) -> Estimate:
    (item,) = (item for item in found.estimates[names] if item.part == name)
    return item


@pytest.mark.parametrize(("name", "columns"), [("hard", HARD), ("average", list(range(9)))])
def test_the_estimate_is_the_regression_line_at_the_mean_of_all_tuples(
    name: str, columns: list[int]
) -> None:
    first, second, cheap = scene(3, (1.2, 0.2, 1.2))
    item = part(controlled(first, second, cheap), ("a",), name)
    expected = []
    for domain, size in ASKED.items():
        near = cheap[domain][:, columns].mean(axis=1)
        line = np.polyfit(near[:size], first[domain][:size, columns].mean(axis=1), 1)
        expected.append(np.polyval(line, near.mean()))
    assert item.value == pytest.approx(np.mean(expected))
    assert item.narrower is not None
    assert item.narrower < 1


def test_the_interval_of_a_difference_is_as_wide_as_the_error_of_double_sampling() -> None:
    first, second, cheap = scene(3, (1.4, 0.1, 1.4))
    item = part(controlled(first, second, cheap), ("a", "b"), "average")
    variances, plain = [], []
    for domain, size in ASKED.items():
        near = cheap[domain].mean(axis=1)
        own = (first[domain] - second[domain])[:size].mean(axis=1)
        line = np.polyfit(near[:size], own, 1)
        left = own - np.polyval(line, near[:size])
        residual = left @ left / (size - 2)
        share = size / EVERY[domain]
        told = np.corrcoef(own, near[:size])[0, 1] ** 2
        error = residual / size * (1 + (1 - share) / (size - 3))
        variances.append(error + told * own.var(ddof=1) / EVERY[domain])
        plain.append(own.var(ddof=1) / size)
    assert item.interval is not None
    assert item.narrower == pytest.approx(math.sqrt(sum(variances) / sum(plain)), rel=0.02)
    assert item.p is not None
    assert (item.p < 0.05) == (item.interval.low > 0 or item.interval.high < 0)


def test_the_correlation_is_within_the_domains() -> None:
    first, second, cheap = scene(5, (1.0, 0.2, 1.0))
    item = part(controlled(first, second, cheap), ("a",), "average")
    own, near = (
        np.concatenate(
            [cells[d][:size].mean(axis=1) - cells[d][:size].mean() for d, size in ASKED.items()]
        )
        for cells in (first, cheap)
    )
    assert item.correlation == pytest.approx(np.corrcoef(own, near)[0, 1])


def test_a_scorer_that_does_not_go_along_estimates_nothing() -> None:
    item = part(controlled(*scene(7, (1.2, 0.0, 1.2))), ("b",), "average")
    assert item.correlation is not None
    assert abs(item.correlation) < 0.3
    assert (item.value, item.interval, item.narrower, item.p) == (None, None, None, None)


def test_the_intervals_hold_the_truth_and_the_estimates_are_unbiased() -> None:
    held, values, plain = [], [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        easy = rng.normal(size=(120, 1))
        cells = [(easy + rng.normal(size=(120, 9)) > 0).astype(float) for _ in range(2)]
        found = control(
            [scorer("a", {"chat": cells[0]}, {"chat": 40})],
            scorer("c", {"chat": cells[1]}, {"chat": 120}),
            "strict",
        )
        item = part(found, ("a",), "average")
        assert item.value is not None
        assert item.interval is not None
        held.append(item.interval.low <= 0.5 <= item.interval.high)
        values.append(item.value)
        plain.append(item.asked)
    assert 0.92 <= np.mean(held) <= 0.99
    assert abs(np.mean(values) - 0.5) < 3 * np.std(values) / math.sqrt(300)
    assert np.std(values) < 0.9 * np.std(plain)


def test_a_cheap_scorer_without_more_tuples_is_refused() -> None:
    first, _, cheap = scene(1, (1.0, 1.0, 1.0))
    with pytest.raises(UsageError, match="c scored no tuple more"):
        control([scorer("a", first, ASKED)], scorer("c", cheap, ASKED), "strict")


def test_three_cells_of_nine_are_refused() -> None:
    first, _, cheap = scene(1, (1.0, 1.0, 1.0))
    one = scorer("a", first, ASKED)
    with pytest.raises(UsageError, match="a was asked 3 cells a tuple"):
        control([Scored("a", "pairwise", one.credits, 3)], scorer("c", cheap, EVERY), "half_credit")
