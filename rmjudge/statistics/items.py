"""Two scorers on the items of one preference set; what length is worth to a scorer of pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rmjudge.metrics.intervals import difference_interval, pooled
from rmjudge.metrics.outcomes import ItemOutcome
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE
from rmjudge.statistics.testing import mcnemar


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """The mean difference of two scorers' scores over the items that both scored; McNemar's test.

    `one_better` and `other_better` count the items that one scores above the other.
    """

    items: int
    difference: float
    interval: Interval | None
    p_value: float
    one_better: int
    other_better: int


def compare_items(
    one: Mapping[str, float | None], other: Mapping[str, float | None]
) -> ItemDifference | None:
    """Compare by item, micro; None where no item is scored by both."""
    import numpy as np

    gaps = [
        first - second
        for name, first in one.items()
        if first is not None and (second := other.get(name)) is not None
    ]
    if not gaps:
        return None
    test = mcnemar([np.array(gaps)])
    return ItemDifference(
        len(gaps),
        math.fsum(gaps) / len(gaps),
        difference_interval([pooled([[gap] for gap in gaps])], test.p_value),
        test.p_value,
        sum(gap > 0 for gap in gaps),
        sum(gap < 0 for gap in gaps),
    )


@dataclass(frozen=True, slots=True)
class LengthBias:
    """Mean credit of the better response, over pairs in which it is the longer, or the shorter one.

    `gap` is the first less the second: 0 for a scorer of substance where pairs are as hard both
    ways. None where there is no such pair.
    """

    longer_pairs: int
    shorter_pairs: int
    longer: float | None
    shorter: float | None

    @property
    def gap(self) -> float | None:
        """What length is worth, in credit."""
        if self.longer is None or self.shorter is None:
            return None
        return self.longer - self.shorter


def length_bias(
    scored: Sequence[tuple[ItemOutcome, Sequence[str]]],
) -> LengthBias:
    """Part the scored pairs by which response has more characters; equal lengths are left out."""
    longer: list[float] = []
    shorter: list[float] = []
    for outcome, texts in scored:
        for better, worse, credit in _credits(outcome):
            gap = len(texts[better]) - len(texts[worse])
            if gap:
                (longer if gap > 0 else shorter).append(credit)
    return LengthBias(len(longer), len(shorter), _mean(longer), _mean(shorter))


def _credits(outcome: ItemOutcome) -> list[tuple[int, int, float]]:
    """Each pair's credit: a judge's mean over the orders that gave a verdict, or the rewards'."""
    found: list[tuple[int, int, float]] = []
    for better, worse, votes in outcome.votes or ():
        known = [vote for vote in votes if isinstance(vote, float | int)]
        if known:
            found.append((better, worse, math.fsum(known) / len(known)))
    rewards, grades = outcome.rewards or (), outcome.grades
    for better, one in enumerate(rewards):
        for worse, other in enumerate(rewards):
            if grades[better] > grades[worse] and one is not None and other is not None:
                found.append((better, worse, TIE if one == other else float(one > other)))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
