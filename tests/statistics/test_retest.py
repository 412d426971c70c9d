"""A judge against itself: agreement of votes, and its noise against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from rmjudge.metrics.tallies import VotedCells
from rmjudge.statistics.retest import (
    difference_noise,
    noise_of,
    retest,
)
from rmjudge.vocabulary import CELLS, DOMAINS, Domain, TupleKey

TUPLES = 30


def nine(*votes: tuple[float, ...]) -> VotedCells:
    """Every cell asked once in each of these orders."""
    return (votes,) * len(CELLS)


def test_agreement_is_of_pairs_of_votes_within_an_order() -> None:
    found = retest("j", {("chat", 1): nine((1.0, 1.0, 0.0)), ("chat", 2): nine((1.0, 1.0, 1.0))})
    assert found.agreement == pytest.approx((1 / 3 + 1) / 2)
    both = retest("j", {("chat", 1): nine((1.0, 1.0), (0.0, 0.0)), ("chat", 2): nine((0.5, 0.9))})
    # The orders contradict each other, and each repeats itself; a tie is no win.
    assert both.matrix[0][0] == pytest.approx((1 + 0) / 2)


def drawn(chances: NDArray[np.float64], votes: int, seed: int) -> dict[TupleKey, VotedCells]:
    """Votes of a judge that prefers the chosen with these chances (domains x tuples x 9)."""
    random = np.random.default_rng(seed)
    said = (random.random((*chances.shape, votes)) < chances[..., None]).astype(float)
    found: dict[TupleKey, VotedCells] = {}
    for d, domain in enumerate(DOMAINS[: len(chances)]):
        for t in range(chances.shape[1]):
            found[domain, t] = tuple((tuple(cell.tolist()),) for cell in said[d, t])
    return found


def average(votes: dict[TupleKey, VotedCells], domain: Domain) -> float:
    values = [
        np.mean(cell[0]) for (name, _), cells in votes.items() for cell in cells if name == domain
    ]
    return float(np.mean(values))


def test_the_noise_is_what_asking_again_moves_the_average_by() -> None:
    chances = np.random.default_rng(1).beta(0.5, 0.5, size=(2, TUPLES, 9))
    runs = [drawn(chances, 3, seed) for seed in range(200)]
    averages = [np.mean([average(run, domain) for domain in DOMAINS[:2]]) for run in runs]
    told = np.mean([noise_of(run)["average"].half for run in runs[:40]])
    assert told == pytest.approx(1.96 * np.std(averages, ddof=1), rel=0.12)


def test_a_judge_without_a_choice_has_no_noise_and_one_that_guesses_has_nothing_else() -> None:
    sure = (np.random.default_rng(2).random((1, TUPLES, 9)) < 0.7).astype(float)
    steady = noise_of(drawn(sure, 4, 0))["average"]
    assert (steady.half, steady.share) == (0.0, 0.0)
    coin = noise_of(drawn(np.full((1, 200, 9), 0.5), 4, 0))["average"]
    assert coin.share == pytest.approx(1.0, abs=0.15)
    # The variance of a mean of votes: 0.25 by cells, tuples and votes.
    assert coin.half == pytest.approx(1.96 * math.sqrt(0.25 / (9 * 200 * 4)), rel=0.05)


def test_more_votes_make_the_noise_smaller_by_their_root() -> None:
    chances = np.random.default_rng(3).random((1, 200, 9))
    two, eight = (noise_of(drawn(chances, votes, 0))["hard"].half for votes in (2, 8))
    assert two / eight == pytest.approx(2.0, rel=0.1)


def test_the_floor_of_a_difference_has_both_noises() -> None:
    chances = np.random.default_rng(4).random((1, TUPLES, 9))
    one, two = (noise_of(drawn(chances, 3, seed))["average"] for seed in (0, 1))
    assert difference_noise(one, two) == pytest.approx(math.sqrt(one.half**2 + two.half**2))
    assert difference_noise(one, None) == one.half
    assert difference_noise(None, None) is None


def test_equal_texts_have_no_noise_and_lost_votes_have_the_usual_one() -> None:
    none: VotedCells = ((),) * len(CELLS)
    votes = {("chat", 1): none, ("chat", 2): nine((1.0, 0.0)), ("chat", 3): nine((1.0,))}
    found = noise_of(votes)["average"]  # type: ignore[arg-type]
    # Single votes vary by 0.5 (two votes, one each); the lost one has that of one vote.
    assert found.half == pytest.approx(1.959964 * math.sqrt(9 * (0 + 0.5 / 2 + 0.5)) / (9 * 3))
    assert noise_of({("chat", 1): nine((1.0,))}) == {}
