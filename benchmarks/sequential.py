"""What stopping early and asking part of the cells do to errors, power and coverage, simulated.

    python benchmarks/sequential.py                  # about ten minutes
    python benchmarks/sequential.py --draws 200 --slow-draws 20

Judges are drawn with a quality for each tuple, partly shared, and nine cells that depend on it.
The tables: `--until-decided` (how often it decides, what share it asks, how often its interval
holds the truth), `--until` and `--cells 3` (coverage, and what the answer costs in width). The
product's own functions test, decide and make the intervals; only the data are made here.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from harness import show
from numpy.typing import NDArray
from scipy.special import ndtri

from rmjudge.metrics.intervals import Sample, share_interval, weighted
from rmjudge.metrics.report import Interval
from rmjudge.statistics.pairing import sample_of, summed
from rmjudge.statistics.sequential import LOOKS, Look, crossed, decide, expected, statistic
from rmjudge.statistics.testing import mcnemar

Floats = NDArray[np.float64]

SIZES: Final = (129, 529, 228, 441)
"""Tuples of RM-Bench's four domains."""
CHANCES: Final = np.array([0.66, 0.55, 0.47, 0.8, 0.67, 0.6, 0.85, 0.77, 0.68])
"""A judge's share of each cell, row by row: Hard above the diagonal."""
GAPS: Final = (0.0, 0.023, 0.047, 0.088, 0.152)
OWN: Final = 0.45
"""How much of a tuple's quality is a judge's own; DEPEND of a cell's is the tuple's."""
DEPEND: Final = 0.6
CELLS_OF: Final = {"average": tuple(range(9)), "hard": (1, 2, 5)}


def judge(rng: np.random.Generator, shared: Floats, gap: float) -> Floats:
    """One judge's verdicts on a domain (tuples x 9), its chances lowered by the gap."""
    quality = np.sqrt(1 - OWN) * shared + np.sqrt(OWN) * rng.standard_normal(shared.shape)
    noise = rng.standard_normal((len(shared), 9))
    latent = np.sqrt(DEPEND) * quality + np.sqrt(1 - DEPEND) * noise
    return np.asarray(latent < ndtri(CHANCES - gap), dtype=np.float64)


def pair(rng: np.random.Generator, gap: float) -> list[Floats]:
    """The difference of two judges in each domain."""
    found = []
    for size in SIZES:
        shared = rng.standard_normal((size, 1))
        found.append(judge(rng, shared, 0.0) - judge(rng, shared, gap))
    return found


def third(rng: np.random.Generator, values: Floats) -> Floats:
    """Three cells a tuple, as `--cells 3` draws them: those with (i + j) mod 3 = hash."""
    turn = rng.integers(0, 3, (len(values), 1))
    diagonal = np.array([(i + j) % 3 for i in range(3) for j in range(3)])
    return np.where(diagonal == turn, values, np.nan)


def looked(domains: Sequence[Floats], *, samples: bool) -> tuple[list[Look], bool]:
    """Look as the product does; without `samples` no interval can be made, and it is fast."""
    looks = []
    for number in range(1, LOOKS + 1):
        parts = [values[: round(len(values) * number / LOOKS)] for values in domains]
        strata = list(map(summed, parts))
        made = tuple(map(sample_of, parts)) if samples else ()
        looks.append(Look(number, sum(map(len, parts)), *statistic(strata), made))
        if crossed(looks[-1]):
            return looks, True
    return looks, False


def decided(draws: int, slow: int) -> list[list[str]]:
    """A row a true gap, of nine cells and of three."""
    rows = []
    for cells in (9, 3):
        for seed, gap in enumerate(GAPS):
            rng = np.random.default_rng(seed)
            stops, shares, fixed, spread, held = [], [], [], [], []
            for draw in range(draws if gap == 0 else max(draws // 4, 1)):
                domains = pair(rng, gap)
                if cells == 3:
                    domains = [third(rng, values) for values in domains]
                looks, stopped = looked(domains, samples=draw < slow)
                stops.append(stopped)
                shares.append(looks[-1].number / LOOKS)
                strata = list(map(summed, domains))
                fixed.append(mcnemar(strata).p_value < 0.05)
                spread.append(np.mean([part.std() for part in strata]))
                if draw < slow:
                    ends = decide(looks, ("a", "b"), 1.0).interval
                    held.append(ends is not None and ends.low <= gap <= ends.high)
            share, power = expected(gap, SIZES, float(np.mean(spread)))
            numbers = (100 * np.mean(stops), np.mean(shares), 100 * np.mean(fixed))
            rows.append(
                [
                    f"{cells}",
                    f"{100 * gap:.1f}",
                    f"{len(stops):,}",
                    f"{numbers[0]:.1f}",
                    f"{numbers[1]:.2f}",
                    f"{numbers[2]:.1f}",
                    f"{100 * power:.0f} at {share:.2f}",
                    f"{100 * np.mean(held):.0f}",
                    f"{np.mean(spread):.2f}",
                ]
            )
            sys.stdout.flush()
    return rows


def interval(domains: Sequence[Floats], part: str) -> Interval | None:
    """The macro average's interval as a run makes it."""
    weights = tuple(float(k in CELLS_OF[part]) / len(CELLS_OF[part]) for k in range(9))
    return share_interval([_sample(values, weights) for values in domains])


def _sample(values: Floats, weights: Sequence[float]) -> Sample | None:
    return weighted(
        [[None if math.isnan(x) else x for x in row] for row in values.tolist()], weights
    )


def single(rng: np.random.Generator) -> list[Floats]:
    """One judge on every domain."""
    return [judge(rng, rng.standard_normal((size, 1)), 0.0) for size in SIZES]


def truth(part: str) -> float:
    """What the interval should hold."""
    return float(CHANCES[list(CELLS_OF[part])].mean())


def until(half: float, part: str, blocks: int = 20) -> Callable[[np.random.Generator], list[float]]:
    """Stop as `--until` does: whether the truth is held, the share asked, the width."""

    def draw(rng: np.random.Generator) -> list[float]:
        domains = single(rng)
        for number in range(1, blocks + 1):
            found = interval([v[: round(len(v) * number / blocks)] for v in domains], part)
            if found and (found.high - found.low) / 2 <= half:
                break
        assert found is not None  # noqa: S101
        held = found.low <= truth(part) <= found.high
        return [held, number / blocks, (found.high - found.low) / 2]

    return draw


def cells(part: str) -> Callable[[np.random.Generator], list[float]]:
    """Three cells: whether the truth is held, the share asked, the width against nine's."""

    def draw(rng: np.random.Generator) -> list[float]:
        domains = single(rng)
        every, few = (interval(d, part) for d in (domains, [third(rng, v) for v in domains]))
        assert every is not None  # noqa: S101
        assert few is not None  # noqa: S101
        held = few.low <= truth(part) <= few.high
        return [held, 1 / 3, (few.high - few.low) / (every.high - every.low)]

    return draw


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000, help="of the comparison without a gap")
    parser.add_argument("--slow-draws", type=int, default=200, help="where intervals are made")
    given = parser.parse_args()
    head = ("cells", "gap", "draws", "decided, %", "share", "fixed n, %")
    show(
        (*head, "expected, %", "holds the gap, %", "SD of a tuple"),
        decided(given.draws, given.slow_draws),
    )
    print()
    rows = []
    for seed, (name, draw) in enumerate(
        (
            ("--until ±4", until(0.04, "average")),
            ("--until ±2.5", until(0.025, "average")),
            ("--until hard±5", until(0.05, "hard")),
            ("--cells 3, average", cells("average")),
            ("--cells 3, Hard", cells("hard")),
        )
    ):
        rng = np.random.default_rng(seed)
        held, share, width = np.mean([draw(rng) for _ in range(given.slow_draws)], axis=0)
        times = f"x {width:.2f}" if "cells" in name else f"±{100 * width:.2f}"
        rows.append([name, f"{given.slow_draws}", f"{100 * held:.1f}", f"{share:.2f}", times])
    show(("what", "draws", "holds the truth, %", "share of the calls", "half width"), rows)


if __name__ == "__main__":
    main()
