"""Correlations with policies: which accuracy against which scores; numbers against scipy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.statistics.correlation import Correlation, correlate
from rmjudge.statistics.policies import PolicyScore
from rmjudge.vocabulary import Domain

HARD = [0.2, 0.35, 0.4, 0.55, 0.6, 0.72]
SCORES = [10.0, 14.0, 11.0, 15.0, 21.0, 19.0]


def accuracies(
    hard: list[float], domain: Domain = "chat"
) -> dict[str, Mapping[Domain, Accuracies]]:
    return {
        f"s{number}": {domain: Accuracies(0.9, 1 - value, value, 0.5)}
        for number, value in enumerate(hard)
    }


def scores(
    values: list[float], domain: Domain = "chat", task: str = "t", sft: float | None = None
) -> list[PolicyScore]:
    return [
        PolicyScore(number + 2, f"s{number}", domain, task, value, sft)
        for number, value in enumerate(values)
    ]


def only(found: tuple[Correlation, ...]) -> Correlation:
    (one,) = found
    return one


def test_pearsons_number_is_scipys_with_its_interval() -> None:
    found = only(correlate(accuracies(HARD), scores(SCORES))).pearson
    expected = stats.pearsonr(HARD, SCORES)
    low, high = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(float(expected.statistic))
    assert found.p_value == pytest.approx(float(expected.pvalue))
    assert found.interval is not None
    assert [found.interval.low, found.interval.high] == pytest.approx([float(low), float(high)])


def test_spearmans_p_value_counts_every_order_of_few_policies() -> None:
    found = only(correlate(accuracies(HARD), scores(SCORES))).spearman
    ranks = stats.rankdata(SCORES)
    rho = stats.spearmanr(HARD, SCORES).statistic
    every = [np.corrcoef(order, ranks)[0, 1] for order in permutations(range(1, 7))]
    extreme = np.mean([value >= rho - 1e-9 for value in every])
    assert found.value == pytest.approx(float(rho))
    assert found.p_value == pytest.approx(2 * float(extreme))


def test_spearmans_interval_is_bonett_and_wrights() -> None:
    found = only(correlate(accuracies(HARD), scores(SCORES))).spearman
    rho = float(stats.spearmanr(HARD, SCORES).statistic)
    half = 1.959964 * math.sqrt((1 + rho**2 / 2) / 3)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(math.tanh(math.atanh(rho) - half), abs=1e-6)
    assert found.interval.high == pytest.approx(math.tanh(math.atanh(rho) + half), abs=1e-6)


def test_spearmans_p_value_of_many_policies_is_students() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(12)
    y = x + rng.random(12)
    found = only(correlate(accuracies(list(x)), scores(list(y)))).spearman
    assert found.p_value == pytest.approx(float(stats.spearmanr(x, y).pvalue))


@pytest.mark.parametrize(
    ("domain", "difficulty", "sign"),
    [("chat", "hard", 1), ("math", "hard", 1), ("safety", "hard", 1), ("code", "normal", -1)],
)
def test_each_domain_has_the_articles_accuracy(domain: Domain, difficulty: str, sign: int) -> None:
    found = only(correlate(accuracies(HARD, domain), scores(HARD, domain, sft=2.0)))
    assert found.difficulty == difficulty
    assert found.pearson.value == pytest.approx(sign)  # Normal falls as Hard rises in this data


def test_scores_are_ratios_to_the_sft_models() -> None:
    found = only(correlate(accuracies(HARD, "math"), scores(SCORES, "math", sft=20.0)))
    assert [point.score for point in found.points] == pytest.approx([s / 20 for s in SCORES])
    assert found.normalised


def test_several_tasks_have_a_mean_of_their_ratios() -> None:
    two = scores(SCORES, "math", "gsm8k", 20.0) + scores(SCORES[::-1], "math", "bbh", 5.0)
    *single, mean = correlate(accuracies(HARD, "math"), two)
    assert [item.task for item in single] == ["gsm8k", "bbh"]
    assert mean.task is None
    expected = [(a / 20 + b / 5) / 2 for a, b in zip(SCORES, SCORES[::-1], strict=True)]
    assert [point.score for point in mean.points] == pytest.approx(expected)


def test_a_mean_takes_the_policies_that_have_every_score() -> None:
    two = scores(SCORES, "math", "gsm8k", 20.0) + scores(SCORES[:4], "math", "bbh", 5.0)
    mean = correlate(accuracies(HARD, "math"), two)[-1]
    assert [point.scorer for point in mean.points] == ["s0", "s1", "s2", "s3"]


def test_scores_in_different_units_have_no_mean() -> None:
    two = scores(SCORES, "chat", "arena") + scores(SCORES, "chat", "mt")
    assert [item.task for item in correlate(accuracies(HARD), two)] == ["arena", "mt"]


def test_scorers_without_a_counterpart_take_no_part() -> None:
    found = only(correlate(accuracies(HARD[:4]), scores(SCORES)))
    assert [point.scorer for point in found.points] == ["s0", "s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("hard", "values", "doubt"),
    [
        ([0.2, 0.4], [1.0, 2.0], "needs 3 policies or more"),
        ([0.2, 0.2, 0.2], [1.0, 2.0, 3.0], "the accuracy is the same for all"),
        ([0.2, 0.3, 0.4], [2.0, 2.0, 2.0], "the score is the same for all"),
        ([0.2, 0.3, 0.4], [0.0, 0.0, 0.0], "the score is the same for all"),
        ([], [1.0], "needs 3 policies or more"),
    ],
)
def test_where_there_is_no_correlation_it_says_why(
    hard: list[float], values: list[float], doubt: str
) -> None:
    found = only(correlate(accuracies(hard), scores(values)))
    assert found.doubt == doubt
    assert (found.pearson.value, found.spearman.value) == (None, None)


def test_three_policies_have_a_number_and_no_interval() -> None:
    found = only(correlate(accuracies(HARD[:3]), scores([1.0, 3.0, 2.0])))
    assert found.pearson.value is not None
    assert found.pearson.interval is None
    assert found.doubt == "three policies have no interval"


def test_points_on_a_line_have_no_interval() -> None:
    found = only(correlate(accuracies(HARD), scores([2 * value for value in HARD])))
    assert found.pearson.value == pytest.approx(1.0)
    assert found.pearson.interval is None
    assert found.spearman.p_value == pytest.approx(2 / math.factorial(6))


def test_an_unknown_accuracy_takes_no_part() -> None:
    known = accuracies(HARD[:3])
    unknown = {**known, "s3": {"chat": Accuracies(0.5, 0.5, None, None)}}
    found = only(correlate(unknown, scores(SCORES)))
    assert len(found.points) == 3
