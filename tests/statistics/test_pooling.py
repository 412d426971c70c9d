"""All downstream tasks together: the article's number, and a p-value that knows whole models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.statistics.correlation import correlate
from rmjudge.statistics.policies import PolicyScore
from rmjudge.statistics.pooling import Pool, permuted, pool
from rmjudge.vocabulary import Domain

DOMAINS: tuple[Domain, ...] = ("math", "code", "safety")
# Four models x three domains; two tasks a domain.
ACCURACIES = np.array([[0.3, 0.6, 0.4], [0.5, 0.7, 0.2], [0.4, 0.5, 0.6], [0.7, 0.8, 0.5]])
SCORES = np.array(
    [
        [[30.0, 40.0], [21.0, 20.0], [50.0, 60.0]],
        [[33.0, 45.0], [22.0, 26.0], [55.0, 52.0]],
        [[36.0, 38.0], [18.0, 24.0], [61.0, 66.0]],
        [[35.0, 50.0], [27.0, 25.0], [58.0, 63.0]],
    ]
)
SFT = np.array([[30.0, 42.0], [20.0, 24.0], [52.0, 60.0]])


def pooled(
    accuracies: NDArray[np.float64], scores: NDArray[np.float64], domains: Sequence[Domain]
) -> Pool | None:
    by_scorer = {
        f"s{m}": {
            # Hard in math and safety, Normal in code.
            domain: (
                Accuracies(0.1, row[d], 0.2, 0.3)
                if domain == "code"
                else Accuracies(0.1, 0.2, row[d], 0.3)
            )
            for d, domain in enumerate(domains)
        }
        for m, row in enumerate(accuracies)
    }
    lines = [
        PolicyScore(0, f"s{m}", domain, f"task {t}", float(scores[m, d, t]), float(SFT[d, t]))
        for m in range(len(scores))
        for d, domain in enumerate(domains)
        for t in range(scores.shape[2])
    ]
    return pool(correlate(by_scorer, lines))


def by_hand(accuracies: NDArray[np.float64], ratios: NDArray[np.float64]) -> float:
    standardised = stats.zscore(accuracies, axis=0)
    return float(np.corrcoef(standardised.ravel(), ratios.ravel())[0, 1])


RATIOS = (SCORES / SFT).mean(axis=2)


def test_the_pool_is_standardised_accuracies_against_mean_ratios_to_the_sft_model() -> None:
    found = pooled(ACCURACIES, SCORES, DOMAINS)
    assert found is not None
    assert (found.domains, len(found.scorers), len(found.points)) == (DOMAINS, 4, 12)
    assert found.value == pytest.approx(by_hand(ACCURACIES, RATIOS))
    plain = stats.pearsonr(stats.zscore(ACCURACIES, axis=0).ravel(), RATIOS.ravel())
    assert found.naive_p == pytest.approx(float(plain.pvalue))


def test_the_articles_p_values_are_those_of_twelve_points() -> None:
    """r = 0.55 and p = 0.07: so it is at n = 12, and at neither 10 nor 14."""

    def p_value(r: float, n: int) -> float:
        return float(2 * stats.t.sf(abs(r) * np.sqrt((n - 2) / (1 - r**2)), n - 2))

    assert 0.06 < p_value(0.55, 12) < 0.07
    assert not 0.06 < p_value(0.55, 10) < 0.07
    assert not 0.06 < p_value(0.55, 14) < 0.07


def test_every_order_of_whole_models_is_counted() -> None:
    found = pooled(ACCURACIES, SCORES, DOMAINS)
    observed = abs(by_hand(ACCURACIES, RATIOS))
    every = [abs(by_hand(ACCURACIES[list(order)], RATIOS)) for order in permutations(range(4))]
    assert found is not None
    assert found.orders == 24
    assert found.permuted_p == pytest.approx(np.mean([r >= observed - 1e-12 for r in every]))


def test_the_smallest_p_of_four_models_is_one_of_24() -> None:
    same = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 5.0], [4.0, 4.0, 4.0], [9.0, 7.0, 8.0]])
    standardised = stats.zscore(same, axis=0)
    p_value, orders = permuted(standardised, standardised)
    assert p_value == pytest.approx(1 / 24)
    assert orders == 24


def test_of_many_models_orders_are_drawn_and_the_same_each_time() -> None:
    random = np.random.default_rng(3)
    x, y = stats.zscore(random.normal(size=(10, 3)), axis=0), random.normal(size=(10, 3))
    p_value, orders = permuted(x, y)
    assert orders == 99_999
    assert permuted(x, y) == (p_value, orders)
    test = stats.permutation_test(
        (np.arange(10),),
        lambda order: (x[order.astype(int)] * y).sum(),
        permutation_type="pairings",
        n_resamples=9_999,
        vectorized=False,
        rng=np.random.default_rng(1),
    )
    twice = min(1.0, float(test.pvalue))
    assert p_value == pytest.approx(twice, abs=0.03)


def test_permuting_models_keeps_its_level_where_points_of_a_model_hang_together() -> None:
    random = np.random.default_rng(5)
    naive = whole = 0
    draws = 1_000
    for _ in range(draws):
        # The model explains 60 % of both sides, and there is no relation between the sides.
        x, y = (
            np.sqrt(0.6) * random.normal(size=(4, 1)) + np.sqrt(0.4) * random.normal(size=(4, 3))
            for _ in range(2)
        )
        x = stats.zscore(x, axis=0)
        naive += float(stats.pearsonr(x.ravel(), y.ravel()).pvalue) < 0.05
        whole += permuted(x, y)[0] < 0.05
    assert naive / draws > 0.1
    assert whole / draws < 0.06


def test_models_without_a_score_in_every_domain_take_no_part() -> None:
    by_scorer = {
        f"s{m}": {domain: Accuracies(0.1, 0.2 + m / 10, 0.3 + m / 10, 0.3) for domain in DOMAINS}
        for m in range(4)
    }
    lines = [
        PolicyScore(0, f"s{m}", domain, "t", 1.0 + m % 3, 1.0)
        for m in range(4)
        for domain in DOMAINS
        if (m, domain) != (3, "code")
    ]
    found = pool(correlate(by_scorer, lines))
    assert found is not None
    assert found.scorers == ("s0", "s1", "s2")
    few = pool(correlate(by_scorer, lines[3:]))
    assert few is not None
    assert (few.value, few.doubt) == (
        None,
        "needs 3 reward models with a policy's score in each of math, code, safety",
    )


def test_one_domain_is_no_pool_and_chat_is_not_in_it() -> None:
    assert pooled(ACCURACIES[:, :1], SCORES[:, :1], ("math",)) is None
    found = pooled(ACCURACIES, SCORES, ("chat", "code", "safety"))
    assert found is not None
    assert found.domains == ("code", "safety")


def test_an_accuracy_that_is_one_for_all_has_no_pool() -> None:
    level = ACCURACIES.copy()
    level[:, 1] = 0.6
    found = pooled(level, SCORES, DOMAINS)
    assert found is not None
    assert (found.value, found.doubt) == (None, "the accuracy in code is one for all")
