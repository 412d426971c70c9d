"""Easy, Normal and Hard accuracy from a Style-Substance matrix.

Source: RM-Bench (ICLR 2025), section 3.3, and `compute_accuracy` of its published scripts.
All values are fractions; None says "no data", never 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rmjudge.metrics.tallies import CellTally, Matrix
from rmjudge.vocabulary import CELLS_OF


@dataclass(frozen=True, slots=True)
class Accuracies:
    """Easy, Normal, Hard and their mean; of one domain, or macro-averaged over domains."""

    easy: float | None
    normal: float | None
    hard: float | None
    average: float | None


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values; None when there is none, or when one of them is unknown."""
    known = list(values)
    if not known or any(value is None for value in known):
        return None
    return math.fsum(value for value in known if value is not None) / len(known)


def matrix_of(
    tallies: tuple[tuple[CellTally, ...], ...], reading: Callable[[CellTally], float]
) -> Matrix:
    """Divide what `reading` takes from each cell (wins or credit) by the tuples scored."""
    return tuple(
        tuple(reading(cell) / cell.scored if cell.scored else None for cell in row)
        for row in tallies
    )


def accuracies_of(matrix: Matrix) -> Accuracies:
    """Average the three cells of each difficulty, then the three difficulties."""
    easy, normal, hard = (
        mean(matrix[i][j] for i, j in CELLS_OF[difficulty])
        for difficulty in ("easy", "normal", "hard")
    )
    return Accuracies(easy, normal, hard, mean((easy, normal, hard)))


def macro(domains: Mapping[str, Accuracies]) -> Accuracies:
    """Average each difficulty over the domains present, every domain weighing the same."""
    parts = list(domains.values())
    return Accuracies(
        easy=mean(part.easy for part in parts),
        normal=mean(part.normal for part in parts),
        hard=mean(part.hard for part in parts),
        average=mean(part.average for part in parts),
    )
