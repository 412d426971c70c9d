"""How winning goes with length: a scorer of substance does not care which response is longer."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import CELLS

RATIOS: Final = (1 / 4, 1 / 2, 4 / 5, 5 / 4, 2, 4)
"""Where the bins meet: characters of the chosen response, divided by those of the rejected."""
FEWEST: Final = 10
"""Scored cells that a bin must have to be shown."""


@dataclass(frozen=True, slots=True)
class LengthBin:
    """Cells whose two responses differ alike in length; `credit` is None where too few."""

    cells: int
    credit: float | None


def length_curve(scored: Iterable[tuple[BenchTuple, Credits]]) -> tuple[LengthBin, ...]:
    """Mean credit of the chosen response in each bin of `RATIOS`, from much shorter to longer.

    A ratio on the edge of two bins counts in the upper one. An empty response counts as one
    character. Cells without a score are left out.
    """
    credits: list[list[float]] = [[] for _ in range(len(RATIOS) + 1)]
    for item, won in scored:
        chosen = [max(1, len(text)) for text in item.chosen]
        rejected = [max(1, len(text)) for text in item.rejected]
        for i, j in CELLS:
            credit = won[i][j]
            if credit is not None:
                credits[bisect_right(RATIOS, chosen[i] / rejected[j])].append(credit)
    return tuple(
        LengthBin(len(found), math.fsum(found) / len(found) if len(found) >= FEWEST else None)
        for found in credits
    )
