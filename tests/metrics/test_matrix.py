"""The Style-Substance matrix and its three accuracies, against numbers found in another way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

import rmjudge
from rmjudge.calls import Reward
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.accuracy import Accuracies, accuracies_of, macro
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Interval, Metrics
from rmjudge.metrics.tallies import Credits, strict
from rmjudge.planning.plan import plan_tuple
from rmjudge.vocabulary import DOMAINS, Domain, Method, difficulty_of

STYLE_ONLY: Final[Credits] = ((0.5, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.5))
"""What a judge that likes nothing but fancy style makes of a tuple."""
ALL_RIGHT: Final[Credits] = ((1.0, 1.0, 1.0),) * 3
ALL_WRONG: Final[Credits] = ((0.0, 0.0, 0.0),) * 3
ALL_TIES: Final[Credits] = ((0.5, 0.5, 0.5),) * 3
ALL_ABSENT: Final[Credits] = ((None, None, None),) * 3
HALF_ABSENT: Final[Credits] = ((1.0, None, 1.0), (None, 1.0, None), (1.0, None, 1.0))


def metrics(credits: Mapping[Domain, Sequence[Credits]], method: Method = "pairwise") -> Metrics:
    return compute_metrics("a/b", method, None, credits)


def chat(credits: Sequence[Credits], method: Method = "pairwise") -> Metrics:
    return metrics({"chat": credits}, method)


def credits_of(chosen: Sequence[float], rejected: Sequence[float]) -> Credits:
    """Credits of six rewards, by way of a plan."""
    texts = BenchTuple(1, "chat", None, "p", ("a", "b", "c"), ("d", "e", "f"))
    return plan_tuple(texts, "pointwise").credits([Reward(r) for r in (*chosen, *rejected)])


def published(chosen: NDArray[np.float64], rejected: NDArray[np.float64]) -> list[float]:
    """`compute_accuracy` of the benchmark's scripts, with means: rewards are tuples x 3."""
    matrix = np.mean(chosen[:, :, np.newaxis] > rejected[:, np.newaxis, :], axis=0)
    easy = np.mean(matrix[np.tril_indices(3, -1)])
    normal = np.mean(np.diag(matrix))
    hard = np.mean(matrix[np.triu_indices(3, 1)])
    return [float(value) for value in (easy, normal, hard, np.mean([easy, normal, hard]))]


def four(found: Accuracies) -> list[float | None]:
    return [found.easy, found.normal, found.hard, found.average]


def known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def ends(found: Interval) -> list[float]:
    return [found.low, found.high]


# Cells and difficulties


@pytest.mark.parametrize(
    ("chosen", "rejected", "difficulty"),
    [
        (0, 0, "normal"),
        (1, 1, "normal"),
        (2, 2, "normal"),
        (1, 0, "easy"),
        (2, 0, "easy"),
        (2, 1, "easy"),
        (0, 1, "hard"),
        (0, 2, "hard"),
        (1, 2, "hard"),
    ],
)
def test_a_cell_is_hard_where_the_rejected_has_the_fancier_style(
    chosen: int, rejected: int, difficulty: str
) -> None:
    assert difficulty_of(chosen, rejected) == difficulty


def test_a_difficulty_is_the_mean_of_its_three_cells() -> None:
    found = accuracies_of(((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), (0.7, 0.8, 0.3)))
    assert found.easy == pytest.approx((0.4 + 0.7 + 0.8) / 3)
    assert found.normal == pytest.approx((0.1 + 0.5 + 0.3) / 3)
    assert found.hard == pytest.approx((0.2 + 0.3 + 0.6) / 3)


def test_the_average_is_the_mean_of_the_three_difficulties() -> None:
    found = accuracies_of(((0.3, 0.0, 0.0), (0.9, 0.3, 0.0), (0.9, 0.9, 0.3)))
    assert found.average == pytest.approx((0.9 + 0.3 + 0.0) / 3)


def test_a_difficulty_with_an_unknown_cell_is_unknown() -> None:
    found = accuracies_of(((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)))
    assert found == Accuracies(1.0, 1.0, None, None)


# Readings


@pytest.mark.parametrize(("credit", "wins"), [(0.0, 0.0), (0.5, 0.0), (0.51, 1.0), (1.0, 1.0)])
def test_a_tie_is_not_a_win_in_the_strict_reading(credit: float, wins: float) -> None:
    assert strict(credit) == wins


def test_the_strict_reading_counts_wins_and_the_half_credit_reading_ties_too() -> None:
    found = chat([STYLE_ONLY])
    assert four(found.strict) == pytest.approx([1.0, 0.0, 0.0, 1 / 3])
    assert four(found.half_credit) == [1.0, 0.5, 0.0, 0.5]


def test_a_probability_is_credited_as_it_is_in_the_half_credit_reading() -> None:
    found = chat([((0.25, 0.25, 0.25),) * 3, ((0.75, 0.75, 0.75),) * 3, ((0.8, 0.8, 0.8),) * 3])
    assert found.half_credit.hard == pytest.approx(0.6)
    assert found.strict.hard == pytest.approx(2 / 3)


def test_rewards_headline_the_strict_reading() -> None:
    found = chat([STYLE_ONLY], "pointwise")
    assert (found.reading, found.headline) == ("strict", found.strict)
    assert found.domains["chat"].headline == found.domains["chat"].strict
    assert found.domains["chat"].matrix == ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0))


def test_judges_headline_the_half_credit_reading() -> None:
    found = chat([STYLE_ONLY], "pairwise")
    assert (found.reading, found.headline) == ("half_credit", found.half_credit)
    assert found.domains["chat"].headline == found.domains["chat"].half_credit
    assert found.domains["chat"].matrix == STYLE_ONLY


# The matrix


def test_the_matrix_is_the_mean_over_tuples() -> None:
    found = chat([ALL_RIGHT, ALL_RIGHT, ALL_WRONG, STYLE_ONLY])
    assert found.domains["chat"].matrix == (
        (0.625, 0.5, 0.5),
        (0.75, 0.625, 0.5),
        (0.75, 0.75, 0.625),
    )


def test_an_absent_cell_is_left_out_of_its_mean() -> None:
    found = chat([HALF_ABSENT, ALL_WRONG])
    assert found.domains["chat"].matrix == ((0.5, 0.0, 0.5), (0.0, 0.5, 0.0), (0.5, 0.0, 0.5))


def test_a_cell_that_no_tuple_scored_is_none_and_never_zero() -> None:
    found = chat([HALF_ABSENT]).domains["chat"]
    assert found.matrix == HALF_ABSENT
    assert found.headline == Accuracies(None, 1.0, None, None)


@pytest.mark.parametrize("seed", range(6))
def test_the_numbers_are_those_of_the_published_script(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen, rejected = rng.integers(0, 5, size=(2, 37, 3)).astype(float)
    credits = [credits_of(c, r) for c, r in zip(chosen.tolist(), rejected.tolist(), strict=True)]
    found = chat(credits, "pointwise").headline
    assert four(found) == pytest.approx(published(chosen, rejected))


# Domains


def test_the_macro_average_weighs_domains_alike_whatever_their_size() -> None:
    found = metrics({"chat": [ALL_RIGHT] * 9, "code": [ALL_WRONG]})
    assert found.headline == Accuracies(0.5, 0.5, 0.5, 0.5)


def test_every_difficulty_is_averaged_over_the_domains() -> None:
    parts = {
        "chat": Accuracies(0.9, 0.6, 0.3, 0.6),
        "math": Accuracies(0.8, 0.5, 0.2, 0.5),
        "code": Accuracies(0.4, 0.4, 0.4, 0.4),
    }
    assert four(macro(parts)) == pytest.approx([0.7, 0.5, 0.3, 0.5])


def test_a_domain_with_an_unknown_number_makes_its_macro_average_unknown() -> None:
    parts = {"chat": Accuracies(1.0, 1.0, 1.0, 1.0), "math": Accuracies(1.0, None, 1.0, None)}
    assert macro(parts) == Accuracies(1.0, None, 1.0, None)


@pytest.mark.parametrize("method", ["pointwise", "pairwise"])
def test_overall_is_the_mean_of_the_difficulties_and_of_the_domains(method: Method) -> None:
    rng = np.random.default_rng(3)
    found = metrics(
        {
            domain: [
                credits_of(*rng.integers(0, 4, size=(2, 3)).astype(float).tolist())
                for _ in range(size)
            ]
            for domain, size in zip(DOMAINS, (5, 17, 8, 11), strict=True)
        },
        method,
    )
    for reading in (found.headline, found.strict, found.half_credit):
        *difficulties, average = four(reading)
        assert average == pytest.approx(np.mean(known(difficulties)))
    domains = known(part.headline.average for part in found.domains.values())
    assert found.headline.average == pytest.approx(np.mean(domains))


@pytest.mark.parametrize("missing", DOMAINS)
def test_a_missing_domain_is_named(missing: Domain) -> None:
    found = metrics({domain: [ALL_RIGHT] for domain in DOMAINS if domain != missing})
    assert found.missing_domains == (missing,)
    assert missing not in found.domains


def test_a_domain_without_tuples_is_missing() -> None:
    found = metrics({"chat": [ALL_RIGHT], "math": []})
    assert found.missing_domains == ("math", "code", "safety")
    assert found.headline.average == 1.0


def test_domains_stand_in_the_benchmarks_order() -> None:
    found = metrics({"safety": [ALL_RIGHT], "code": [ALL_RIGHT], "chat": [ALL_RIGHT]})
    assert list(found.domains) == ["chat", "code", "safety"]


def test_no_data_at_all_is_none_and_never_zero() -> None:
    found = metrics({})
    assert found.headline == found.strict == found.half_credit == Accuracies(*[None] * 4)
    assert (found.tuples, found.tie_rate, found.bounds) == (0, None, Interval(0.0, 1.0))


def test_tuples_that_nobody_scored_are_none_and_never_zero() -> None:
    found = chat([ALL_ABSENT, ALL_ABSENT])
    assert found.headline == Accuracies(None, None, None, None)
    assert (found.tuples, found.unscored_cells, found.tie_rate) == (2, 18, None)


# Complete, bounds, ties


def test_a_run_is_complete_with_four_domains_and_every_cell_scored() -> None:
    assert metrics({domain: [ALL_TIES] for domain in DOMAINS}).complete


def test_a_missing_domain_makes_a_run_incomplete() -> None:
    assert not metrics({domain: [ALL_RIGHT] for domain in DOMAINS[1:]}).complete


def test_one_absent_cell_makes_a_run_incomplete() -> None:
    one_absent: Credits = ((1.0, 1.0, 1.0), (1.0, 1.0, None), (1.0, 1.0, 1.0))
    found = metrics({domain: [ALL_RIGHT, one_absent] for domain in DOMAINS})
    assert not found.complete
    assert (found.unscored_cells, found.domains["code"].unscored_cells) == (4, 1)


def test_the_bounds_take_every_absent_cell_as_wrong_then_as_right() -> None:
    found = chat([HALF_ABSENT])
    assert ends(found.domains["chat"].bounds) == pytest.approx([5 / 9, 1.0], abs=1e-6)


def test_the_bounds_divide_by_every_tuple() -> None:
    found = chat([HALF_ABSENT, ALL_WRONG])
    assert ends(found.bounds) == pytest.approx([5 / 18, (5 + 4) / 18], abs=1e-6)


def test_the_bounds_read_ties_as_the_headline_does() -> None:
    assert chat([ALL_TIES], "pointwise").bounds == Interval(0.0, 0.0)
    assert chat([ALL_TIES], "pairwise").bounds == Interval(0.5, 0.5)


def test_the_bounds_meet_in_the_average_when_nothing_is_absent() -> None:
    found = metrics({"chat": [ALL_RIGHT, STYLE_ONLY], "math": [ALL_WRONG]})
    assert ends(found.bounds) == pytest.approx([found.headline.average] * 2, abs=1e-6)


def test_the_overall_bounds_weigh_domains_alike() -> None:
    found = metrics({"chat": [ALL_ABSENT], "math": [ALL_RIGHT] * 3})
    assert found.bounds == Interval(0.5, 1.0)


def test_a_cell_nobody_scored_may_be_all_wrong_or_all_right() -> None:
    assert chat([ALL_ABSENT]).bounds == Interval(0.0, 1.0)


def test_the_tie_rate_is_the_share_of_the_scored_cells() -> None:
    found = metrics({"chat": [STYLE_ONLY, HALF_ABSENT], "math": [ALL_RIGHT]})
    assert found.domains["chat"].tie_rate == pytest.approx(3 / 14)
    assert found.tie_rate == pytest.approx(3 / 23)


def test_a_probability_close_to_a_half_is_no_tie() -> None:
    assert chat([((0.49, 0.51, 0.499),) * 3]).tie_rate == 0.0


# The real benchmark


@pytest.mark.parametrize(
    ("file", "tuples", "expected"),
    [
        ("chat_filtered.json", 129, [0.81, 0.28, 0.03]),
        ("safety-refuse_filtered.json", 284, [0.89, 0.16, 0.02]),
    ],
)
def test_longer_wins_scores_what_was_measured_on_the_real_files(
    rm_bench_files: Path, tmp_path: Path, file: str, tuples: int, expected: list[float]
) -> None:
    run = rmjudge.evaluate(
        "baseline/length", data=rm_bench_files / file, out=tmp_path / "o", cache_dir=tmp_path / "c"
    )
    found = run["baseline/length"].metrics
    easy, normal, hard, _ = four(found.headline)
    assert [round(value or 0.0, 2) for value in (easy, normal, hard)] == expected
    assert found.tuples == tuples


def test_the_real_chat_texts_that_repeat_are_bought_once_and_every_cell_counts(
    rm_bench_files: Path, tmp_path: Path
) -> None:
    run = rmjudge.evaluate(
        "baseline/length",
        data=rm_bench_files / "chat_filtered.json",
        out=tmp_path / "o",
        cache_dir=tmp_path / "c",
    )
    result = run["baseline/length"]
    assert result.calls.sent == 6 * 129 - 12
    assert result.metrics.unscored_cells == 0
