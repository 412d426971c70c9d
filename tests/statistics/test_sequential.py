"""Five looks at a difference: bounds, p and interval against simulation and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.sequential import (
    BOUND,
    LOOKS,
    Look,
    bound,
    crossed,
    crossing,
    decide,
    expected,
    look_at,
)

NAMES = ("a", "b")


def scored(name: str, wins: np.ndarray) -> Scored:
    """A judge by its nine cells a tuple."""
    cells: dict[tuple[str, int], Credits] = {
        ("chat", number): tuple(tuple(map(float, row)) for row in tuple_.reshape(3, 3))
        for number, tuple_ in enumerate(wins)
    }
    return Scored(name, "pairwise", cells)  # type: ignore[arg-type]


def part(whole: Scored, number: int, count: int) -> Scored:
    kept = dict(list(whole.credits.items())[: round(count * number / LOOKS)])
    return Scored(whole.name, whole.method, kept)


def looked(first: Scored, second: Scored) -> list[Look]:
    looks = []
    for number in range(1, LOOKS + 1):
        one, other = (part(each, number, len(first.credits)) for each in (first, second))
        looks.append(look_at(one, other, "half_credit", ["chat"], number))
        if crossed(looks[-1]):
            break
    return looks


def test_the_bounds_are_those_of_the_tables() -> None:
    # O'Brien-Fleming, five looks, two-sided 5 %: Jennison and Turnbull (2000), table 2.3.
    assert [round(bound(look), 2) for look in range(1, 6)] == [4.56, 3.23, 2.63, 2.28, 2.04]
    assert sum(crossing(BOUND)) == pytest.approx(0.05, abs=2e-4)


@pytest.mark.parametrize("drift", [0.0, 2.0, 4.0])
def test_the_chances_to_stop_are_those_of_simulated_walks(drift: float) -> None:
    rng = np.random.default_rng(1)
    walks = np.cumsum(rng.standard_normal((200_000, LOOKS)) + drift / math.sqrt(LOOKS), axis=1)
    over = abs(walks) >= BOUND * math.sqrt(LOOKS)
    first = np.where(over.any(axis=1), over.argmax(axis=1), LOOKS)
    simulated = [float((first == look).mean()) for look in range(LOOKS)]
    assert crossing(BOUND, drift) == pytest.approx(simulated, abs=0.004)


def test_the_expected_share_is_that_of_the_chances_to_stop() -> None:
    share, decided = expected(0.0, (129, 529, 228, 441))
    assert (share, decided) == pytest.approx((1.0, 0.05), abs=0.02)
    wide, surely = expected(0.5, (129, 529, 228, 441))
    assert (wide, surely) == pytest.approx((0.2, 1.0), abs=0.01)


def test_a_clear_difference_is_decided_early_and_interval_and_p_agree() -> None:
    rng = np.random.default_rng(2)
    better, worse = rng.random((200, 9)) < 0.9, rng.random((200, 9)) < 0.5
    looks = looked(scored("a", better), scored("b", worse))
    decision = decide(looks, NAMES, 0.2)
    assert (decision.decided, decision.better) == (True, "a")
    assert decision.looks < LOOKS
    assert decision.p < 0.05
    assert decision.interval is not None
    assert 0 < decision.interval.low < 0.4 < decision.interval.high
    mirrored = decide(looked(scored("b", worse), scored("a", better)), ("b", "a"), 0.2)
    assert mirrored.better == "a"
    assert mirrored.p == decision.p


def test_scorers_that_are_alike_are_not_decided() -> None:
    wins = np.random.default_rng(3).random((50, 9)) < 0.7
    decision = decide(looked(scored("a", wins), scored("b", wins)), NAMES, 1.0)
    assert (decision.decided, decision.better, decision.p) == (False, None, 1.0)
    assert decision.looks == LOOKS


def test_looks_together_find_no_difference_in_95_of_100_and_p_tells_the_same() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(300):
        quality = rng.standard_normal((60, 1))
        one, other = (
            (quality + rng.standard_normal((60, 9)) > -0.5).astype(float) for _ in range(2)
        )
        decision = decide(looked(scored("a", one), scored("b", other)), NAMES, 1.0)
        assert decision.decided == (decision.p < 0.05)
        assert decision.interval is not None
        assert decision.decided == (decision.interval.low > 0 or decision.interval.high < 0)
        found.append(decision.decided)
    # Three standard errors of 300 draws at 5 %.
    assert np.mean(found) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


def test_a_domain_that_no_tuple_is_from_yet_is_not_decided_without() -> None:
    wins = np.ones((20, 9))
    look = look_at(scored("a", wins), scored("b", 0 * wins), "half_credit", ["chat", "code"], 1)
    assert look.z is None
    assert not crossed(look)
