"""Bootstrap intervals: by tuple, within domain, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pytest

from rmjudge.metrics.accuracy import Accuracies, accuracies_of, macro, matrix_of
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.intervals import bootstrap
from rmjudge.metrics.report import Interval, Intervals
from rmjudge.metrics.tallies import Credits, strict, tally
from rmjudge.vocabulary import DOMAINS, Domain

STYLE_ONLY: Final[Credits] = ((0.5, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.5))
ALL_ABSENT: Final[Credits] = ((None, None, None),) * 3


def same(credit: float) -> Credits:
    """A tuple with one credit in all nine cells: the cells depend on each other entirely."""
    return ((credit, credit, credit),) * 3


def coins(rng: np.random.Generator, size: int, chance: float = 0.7) -> list[Credits]:
    return [same(float(win)) for win in rng.random(size) < chance]


def independent(rng: np.random.Generator, size: int, chance: float = 0.7) -> list[Credits]:
    wins = (rng.random((size, 3, 3)) < chance).astype(float)
    return [tuple(tuple(row) for row in matrix) for matrix in wins.tolist()]


def chat(credits: Sequence[Credits]) -> Intervals:
    return bootstrap({"chat": credits}, float)[0]["chat"]


def width(interval: Interval | None) -> float:
    assert interval is not None
    return interval.high - interval.low


def parts(intervals: Intervals, values: Accuracies) -> list[tuple[Interval | None, float | None]]:
    return [
        (intervals.easy, values.easy),
        (intervals.normal, values.normal),
        (intervals.hard, values.hard),
        (intervals.average, values.average),
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [5, 40, 300])
def test_an_interval_contains_its_point(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    domains: dict[Domain, list[Credits]] = {
        "chat": independent(rng, size),
        "code": independent(rng, size + 3),
    }
    each, overall = bootstrap(domains, float)
    points: dict[str, Accuracies] = {
        name: accuracies_of(matrix_of(tally(credits), lambda cell: cell.credit))
        for name, credits in domains.items()
    }
    found = [pair for name in domains for pair in parts(each[name], points[name])]
    for interval, point in [*found, *parts(overall, macro(points))]:
        assert interval is not None
        assert point is not None
        assert interval.low <= point <= interval.high


def test_equal_data_give_equal_intervals() -> None:
    credits = independent(np.random.default_rng(1), 50)
    assert bootstrap({"chat": credits}, float) == bootstrap({"chat": list(credits)}, float)


def test_a_domains_interval_does_not_depend_on_which_other_domains_are_there() -> None:
    rng = np.random.default_rng(2)
    credits, others = independent(rng, 50), independent(rng, 70)
    alone = bootstrap({"chat": credits}, float)[0]["chat"]
    assert bootstrap({"chat": credits, "math": others}, float)[0]["chat"] == alone


def test_an_interval_shrinks_with_the_number_of_tuples() -> None:
    rng = np.random.default_rng(3)
    widths = [width(chat(independent(rng, size)).average) for size in (10, 40, 160, 640)]
    assert all(smaller < larger for larger, smaller in pairwise(widths))


def test_four_times_the_tuples_halve_the_interval() -> None:
    small, large = (width(chat([same(1.0), same(0.0)] * n).average) for n in (50, 200))
    assert large / small == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("credits", [same(0.0), same(1.0), same(0.5), STYLE_ONLY])
def test_equal_tuples_leave_nothing_to_doubt(credits: Credits) -> None:
    point = accuracies_of(credits)
    for interval, value in parts(chat([credits] * 20), point):
        assert value is not None
        assert interval == Interval(value, value)


def test_a_single_tuple_says_nothing_of_the_spread() -> None:
    assert chat([STYLE_ONLY]).easy is None


@pytest.mark.parametrize("chance", [0.5, 0.2])
def test_many_independent_tuples_have_the_interval_of_the_normal_approximation(
    chance: float,
) -> None:
    wins = round(1000 * chance)
    found = chat([same(1.0)] * wins + [same(0.0)] * (1000 - wins)).average
    expected = 2 * 1.96 * (chance * (1 - chance) / 1000) ** 0.5
    assert width(found) == pytest.approx(expected, rel=0.08)


def test_a_new_process_and_a_new_version_draw_what_the_old_one_drew() -> None:
    credits = [same(number**2 % 97 / 97) for number in range(30)]
    each, overall = bootstrap({"chat": credits, "code": credits}, float)
    assert each["chat"].average == Interval(0.329502, 0.557062)
    assert each["code"].average == Interval(0.327139, 0.549502)
    assert overall.average == Interval(0.357723, 0.52064)


def test_whole_tuples_are_drawn_because_their_cells_depend_on_each_other() -> None:
    rng = np.random.default_rng(4)
    dependent = width(chat(coins(rng, 200)).average)
    apart = width(chat(independent(rng, 200)).average)
    assert dependent / apart == pytest.approx(3.0, rel=0.25)


def test_the_reading_decides_what_is_drawn() -> None:
    domains: dict[Domain, list[Credits]] = {"chat": [STYLE_ONLY] * 10}
    assert bootstrap(domains, strict)[1].normal == Interval(0.0, 0.0)
    assert bootstrap(domains, float)[1].normal == Interval(0.5, 0.5)


def test_rewards_have_strict_intervals_and_judges_half_credit_ones() -> None:
    credits: dict[Domain, list[Credits]] = {"chat": [STYLE_ONLY] * 10}
    strict_one = compute_metrics("a/b", "pointwise", None, credits)
    half_one = compute_metrics("a/b", "pairwise", "seeded", credits)
    assert strict_one.intervals.normal == Interval(0.0, 0.0)
    assert strict_one.domains["chat"].intervals.normal == Interval(0.0, 0.0)
    assert half_one.intervals.normal == Interval(0.5, 0.5)


def test_domains_are_drawn_from_apart() -> None:
    credits = coins(np.random.default_rng(5), 50)
    each, overall = bootstrap(dict.fromkeys(DOMAINS, credits), float)
    # Four independent draws of one spread have half of it in their mean.
    assert width(overall.average) / width(each["chat"].average) == pytest.approx(0.5, abs=0.06)


def test_the_macro_interval_weighs_domains_alike_whatever_their_size() -> None:
    rng = np.random.default_rng(6)
    small = coins(rng, 20, 0.5)
    each, overall = bootstrap({"chat": small, "math": [same(1.0)] * 2000}, float)
    assert width(overall.average) == pytest.approx(width(each["chat"].average) / 2, abs=1e-5)


def test_an_absent_tuple_takes_no_part() -> None:
    credits = coins(np.random.default_rng(7), 100)
    with_absent = chat([*credits, *[ALL_ABSENT] * 10])
    assert width(with_absent.average) == pytest.approx(width(chat(credits).average), rel=0.15)


def test_a_domain_that_nobody_scored_has_no_interval() -> None:
    each, overall = bootstrap({"chat": [ALL_ABSENT] * 3, "math": [same(1.0)] * 3}, float)
    assert each["chat"] == overall == Intervals(None, None, None, None)
    assert each["math"].average == Interval(1.0, 1.0)


def test_a_difficulty_that_nobody_scored_has_no_interval() -> None:
    no_hard: Credits = ((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    found = chat([no_hard] * 5)
    assert (found.hard, found.average) == (None, None)
    assert found.easy == Interval(1.0, 1.0)


def test_no_data_has_no_interval() -> None:
    assert bootstrap({}, float) == ({}, Intervals(None, None, None, None))


def test_ninety_five_of_a_hundred_intervals_contain_the_truth() -> None:
    rng = np.random.default_rng(8)
    found = [chat(independent(rng, 80)).average for _ in range(200)]
    hits = sum(interval.low <= 0.7 <= interval.high for interval in found if interval)
    assert 0.91 <= hits / 200 <= 0.99


def test_ninety_five_of_a_hundred_macro_intervals_contain_the_truth() -> None:
    rng = np.random.default_rng(9)
    hits = 0
    for _ in range(100):
        domains = {
            domain: coins(rng, 60, chance)
            for domain, chance in zip(DOMAINS, (0.4, 0.5, 0.6, 0.7), strict=True)
        }
        interval = bootstrap(domains, float)[1].average
        hits += interval is not None and interval.low <= 0.55 <= interval.high
    assert 0.9 <= hits / 100 <= 0.99
