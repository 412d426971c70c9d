"""How much chosen and rejected differ in looks: length and marks of Markdown, style by style."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.intervals import t_quantile
from rmjudge.metrics.report import Interval
from rmjudge.providers.baseline import REWARDS
from rmjudge.vocabulary import STYLES, Style

MEASURES: Final = ("length", "markdown")


@dataclass(frozen=True, slots=True)
class Gap:
    """Means of the two sides, and of the difference chosen - rejected with its interval.

    `interval` is Student's 95 % interval of the paired differences over tuples; None of one tuple.
    """

    chosen: float
    rejected: float
    difference: float
    interval: Interval | None


def gaps(items: Sequence[BenchTuple]) -> dict[str, dict[Style, Gap]]:
    """The gaps of each measure, one of `MEASURES`: characters, marks of Markdown."""
    return {name: dict(_by_style(items, name)) for name in MEASURES}


def _by_style(items: Sequence[BenchTuple], measure: str) -> Mapping[Style, Gap]:
    found: dict[Style, Gap] = {}
    for place, style in enumerate(STYLES):
        worth = partial(REWARDS[measure], "")
        found[style] = gap(
            [worth(item.chosen[place]) for item in items],
            [worth(item.rejected[place]) for item in items],
        )
    return found


def gap(chosen: Sequence[float], rejected: Sequence[float]) -> Gap:
    """The gap of two sequences of the same tuples.

    Raises:
        ValueError: there are no tuples.
    """
    if not chosen:
        raise ValueError("no tuples have no gap")
    apart = [one - other for one, other in zip(chosen, rejected, strict=True)]
    count = len(apart)
    mean = math.fsum(apart) / count
    interval = None
    if count > 1:
        variance = math.fsum((one - mean) ** 2 for one in apart) / (count - 1)
        reach = t_quantile(count - 1) * math.sqrt(variance / count)
        interval = Interval(mean - reach, mean + reach)
    return Gap(math.fsum(chosen) / count, math.fsum(rejected) / count, mean, interval)
