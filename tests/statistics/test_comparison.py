"""Comparing scorers: which tuples, which reading, which numbers; against counting by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from rmjudge.errors import UsageError
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.comparison import Comparison, Difference, compare
from rmjudge.statistics.scored import Scored, common_reading
from rmjudge.vocabulary import CELLS_OF, DIFFICULTIES, PARTS, Domain, Method, TupleKey


def same(credit: float | None) -> Credits:
    return ((credit,) * 3,) * 3


def scorer(name: str, credits: Mapping[TupleKey, Credits], method: Method = "pointwise") -> Scored:
    return Scored(name, method, credits)


def drawn(seed: int, sizes: Mapping[Domain, int], chance: float) -> dict[TupleKey, Credits]:
    rng = np.random.default_rng(seed)
    return {
        (domain, number): tuple(map(tuple, (rng.random((3, 3)) < chance).astype(float).tolist()))
        for domain, size in sizes.items()
        for number in range(size)
    }


SIZES: dict[Domain, int] = {"chat": 40, "math": 25}
FIRST, SECOND = drawn(1, SIZES, 0.7), drawn(2, SIZES, 0.5)


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare([scorer("a", FIRST), scorer("b", SECOND)], "strict")


def row(comparison: Comparison, domain: Domain | None, part: str) -> Difference:
    (one,) = (
        item
        for item in comparison.pairs[0].differences
        if (item.domain, item.part) == (domain, part)
    )
    return one


def test_each_part_of_each_domain_and_of_all_has_a_row(found: Comparison) -> None:
    rows = [(item.domain, item.part) for item in found.pairs[0].differences]
    assert rows == [(domain, part) for domain in ("chat", "math", None) for part in PARTS]


def test_accuracies_are_those_of_the_report(found: Comparison) -> None:
    for credits, name in ((FIRST, "first"), (SECOND, "second")):
        by_domain = scorer("x", credits).by_domain()
        metrics = compute_metrics("x", "pointwise", None, by_domain)
        for part in PARTS:
            assert getattr(row(found, None, part), name) == pytest.approx(
                getattr(metrics.headline, part)
            )
            assert getattr(row(found, "math", part), name) == pytest.approx(
                getattr(metrics.domains["math"].headline, part)
            )


def test_cells_that_only_one_gets_right_are_counted(found: Comparison) -> None:
    counts = [0.0, 0.0]
    for key in FIRST:
        for i, j in CELLS_OF["hard"]:
            one, two = FIRST[key][i][j], SECOND[key][i][j]
            assert one is not None
            assert two is not None
            counts[0] += max(one - two, 0)
            counts[1] += max(two - one, 0)
    hard = row(found, None, "hard")
    assert [hard.only_first, hard.only_second] == counts


def test_the_interval_is_a_bootstrap_of_whole_pairs_of_tuples(found: Comparison) -> None:
    rng = np.random.default_rng(9)
    means = [np.mean([np.mean(part) for part in resampled(rng)]) for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    interval = row(found, None, "average").interval
    assert interval is not None
    assert interval.low == pytest.approx(low, abs=0.012)
    assert interval.high == pytest.approx(high, abs=0.012)


def resampled(rng: np.random.Generator) -> list[Any]:
    first, second = (
        {key: np.array(m, float).mean() for key, m in c.items()} for c in (FIRST, SECOND)
    )
    return [
        rng.choice([first[d, n] - second[d, n] for n in range(size)], size=size)
        for d, size in SIZES.items()
    ]


def test_scorers_that_err_alike_have_a_narrower_difference_than_accuracy() -> None:
    keys: list[TupleKey] = [("chat", number) for number in range(100)]
    hardness = np.random.default_rng(3).random(100) < 0.5
    first = {key: same(float(hard)) for key, hard in zip(keys, hardness, strict=True)}
    second = {**first, keys[0]: same(1 - hardness[0]), keys[1]: same(1 - hardness[1])}
    found = compare([scorer("a", first), scorer("b", second)], "strict")
    interval = found.pairs[0].headline.interval
    assert interval is not None
    assert interval.high - interval.low < 0.09  # 0.2 if they were not drawn together


def test_the_average_is_tested_first_and_the_rest_corrected_after_it_in_each_pair() -> None:
    third = drawn(5, SIZES, 0.6)
    found = compare([scorer("a", FIRST), scorer("b", SECOND), scorer("c", third)], "strict")
    for pair in found.pairs:
        *rest, gate = pair.differences
        assert (gate.domain, gate.part) == (None, "average")
        assert gate.p_holm == pytest.approx(min(1, 3 * gate.p_value))
        corrected = multipletests([item.p_value for item in rest], method="holm")[1]
        expected = [min(1, max(gate.p_holm, 3 * p)) for p in corrected]
        assert [item.p_holm for item in rest] == pytest.approx(expected)
    assert found.tests == 36


def test_every_two_of_the_scorers_are_a_pair() -> None:
    names = ["a", "b", "c", "d"]
    found = compare([scorer(name, FIRST) for name in names], "strict")
    assert [(pair.first, pair.second) for pair in found.pairs] == list(combinations(names, 2))


def test_one_domain_alone_has_no_rows_over_all() -> None:
    only = {key: credits for key, credits in FIRST.items() if key[0] == "chat"}
    found = compare([scorer("a", only), scorer("b", SECOND)], "strict")
    assert {item.domain for item in found.pairs[0].differences} == {"chat"}
    assert found.pairs[0].headline.part == "average"


def test_tuples_that_are_not_in_every_run_are_left_out_and_counted() -> None:
    fewer = {key: credits for key, credits in SECOND.items() if key[1] != 3}
    found = compare([scorer("a", FIRST), scorer("b", fewer)], "strict")
    assert found.tuples == {"chat": 39, "math": 24}
    assert (found.elsewhere, found.incomplete) == (2, 0)


def test_a_tuple_with_an_absent_cell_is_left_out_and_counted() -> None:
    torn: Credits = ((1.0, 1.0, 1.0), (1.0, None, 1.0), (1.0, 1.0, 1.0))
    found = compare([scorer("a", FIRST), scorer("b", {**SECOND, ("chat", 0): torn})], "strict")
    assert found.tuples == {"chat": 39, "math": 25}
    assert (found.elsewhere, found.incomplete) == (0, 1)


def test_ids_are_told_apart_by_their_domain() -> None:
    first = {("chat", 8): same(1.0), ("code", 8): same(0.0)}
    second = {("code", 8): same(0.0), ("chat", 8): same(1.0)}
    keyed: list[dict[TupleKey, Credits]] = [{**first}, {**second}]  # type: ignore[dict-item]
    found = compare([scorer("a", keyed[0]), scorer("b", keyed[1])], "strict")
    assert found.disagreements == ()


@pytest.mark.parametrize(
    ("credits", "message"),
    [
        ({("safety", 1): same(1.0)}, "a, b: no tuple is in all of these runs"),
        ({("chat", 1): same(None)}, "1 tuples are in all of these runs, but none is scored"),
    ],
)
def test_runs_without_a_common_tuple_cannot_be_compared(
    credits: dict[TupleKey, Credits], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        compare([scorer("a", FIRST), scorer("b", credits)], "strict")


def test_the_reading_decides_what_a_tie_is_worth() -> None:
    ties = {key: same(0.5) for key in FIRST}
    for reading, value in (("strict", 0.0), ("half_credit", 0.5)):
        found = compare([scorer("a", FIRST), scorer("b", ties)], reading)  # type: ignore[arg-type]
        assert found.pairs[0].headline.second == value


@pytest.mark.parametrize(
    ("methods", "reading"),
    [
        (["pointwise", "pointwise"], "strict"),
        (["pairwise", "pairwise"], "half_credit"),
        (["pointwise", "pairwise"], "half_credit"),
    ],
)
def test_a_judge_brings_half_credit_for_all(methods: Sequence[Method], reading: str) -> None:
    assert common_reading(methods) == reading


def test_disagreements_come_widest_first_with_the_accuracy_of_each() -> None:
    keys: list[TupleKey] = [("chat", 1), ("chat", 2), ("math", "x")]
    first = dict(zip(keys, (same(1.0), same(0.5), same(0.0)), strict=True))
    second = dict(zip(keys, (same(1.0), same(0.0), same(1.0)), strict=True))
    found = compare([scorer("a", first), scorer("b", second)], "half_credit")
    assert [(item.domain, item.id, item.spread) for item in found.disagreements] == [
        ("math", "x", 1.0),
        ("chat", 2, 0.5),
    ]
    assert found.disagreements[0].accuracies == (0.0, 1.0)


def test_equal_scorers_agree_fully_and_show_no_difference() -> None:
    found = compare([scorer("a", FIRST), scorer("b", FIRST)], "strict")
    (pair,) = found.pairs
    assert not any(item.evident for item in pair.differences)
    assert {item.kappa.value for item in pair.agreements} == {1.0}
    assert pair.headline.interval is not None
    assert pair.headline.interval.low < 0 < pair.headline.interval.high


def test_kappa_is_given_per_cell_too(found: Comparison) -> None:
    wins = [[(FIRST[key][1][2] == 1.0, SECOND[key][1][2] == 1.0) for key in FIRST]]
    table = np.array(wins[0])
    observed = (table[:, 0] == table[:, 1]).mean()
    p, q = table.mean(axis=0)
    chance = p * q + (1 - p) * (1 - q)
    assert found.pairs[0].cells[1][2] == pytest.approx((observed - chance) / (1 - chance))


def test_difficulties_are_compared_on_their_own_cells() -> None:
    only_hard = {
        key: tuple(
            tuple(1.0 if (i, j) in CELLS_OF["hard"] else 0.0 for j in range(3)) for i in range(3)
        )
        for key in FIRST
    }
    nothing = {key: same(0.0) for key in FIRST}
    found = compare([scorer("a", only_hard), scorer("b", nothing)], "strict")
    differences = {part: row(found, None, part).difference for part in DIFFICULTIES}
    assert differences == {"easy": 0.0, "normal": 0.0, "hard": 1.0}


def test_a_disagreement_names_the_two_that_are_apart() -> None:
    key: TupleKey = ("chat", 1)
    credits = {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.5}
    found = compare(
        [scorer(name, {key: same(c)}, "pairwise") for name, c in credits.items()], "half_credit"
    )
    assert found.disagreements[0].apart == ("a", "b")
    turned = compare(
        [scorer(n, {key: same(credits[n])}, "pairwise") for n in "adcb"], "half_credit"
    )
    assert turned.disagreements[0].apart == ("a", "b")
    near = compare([scorer(n, {key: same(credits[n])}, "pairwise") for n in "acd"], "half_credit")
    assert near.disagreements[0].apart == ("a", "d")
