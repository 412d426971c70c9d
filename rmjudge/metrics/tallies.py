"""Credits of a domain's tuples, summed per cell: what every accuracy is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.vocabulary import CELLS

Credits: TypeAlias = tuple[tuple[float | None, ...], ...]
"""3x3: P(chosen of style i preferred to rejected of style j), None where not scored."""
Matrix: TypeAlias = tuple[tuple[float | None, ...], ...]
"""3x3 means over tuples, None where no tuple was scored."""
Asked: TypeAlias = tuple[tuple[bool, ...], ...]
"""3x3: whether a cell was to be scored at all."""
VotedCells: TypeAlias = tuple[tuple[tuple[float, ...], ...], ...]
"""Nine cells, row by row; for each order that was asked, the credits of the single votes."""

ALL_ASKED: Final[Asked] = ((True,) * 3,) * 3
TIE = 0.5


def strict(credit: float) -> float:
    """The benchmark's reading of one cell: strictly preferred or not; a tie is no win."""
    return 1.0 if credit > TIE else 0.0


def credits_of_rewards(chosen: Sequence[float | None], rejected: Sequence[float | None]) -> Credits:
    """1, 0.5 (equal rewards) or 0 per cell, from three rewards each; None without a reward."""
    return tuple(tuple(_beats(c, r) for r in rejected) for c in chosen)


def _beats(chosen: float | None, rejected: float | None) -> float | None:
    if chosen is None or rejected is None:
        return None
    return TIE if chosen == rejected else float(chosen > rejected)


@dataclass(frozen=True, slots=True)
class CellTally:
    """One cell over the tuples of a domain. `wins` and `credit` sum over `scored` tuples.

    `absent` counts the tuples in which it was asked and has no score.
    """

    scored: int
    absent: int
    wins: float
    credit: float


def tally(
    tuples: Sequence[Credits], asked: Sequence[Asked] | None = None
) -> tuple[tuple[CellTally, ...], ...]:
    """Sum the credits of a domain per cell (3x3). Without `asked` every cell was."""
    masks = [ALL_ASKED] * len(tuples) if asked is None else asked
    cells = {
        (i, j): _tally_cell(
            (credits[i][j], mask[i][j]) for credits, mask in zip(tuples, masks, strict=True)
        )
        for i, j in CELLS
    }
    return tuple(tuple(cells[i, j] for j in range(3)) for i in range(3))


def _tally_cell(credits: Iterable[tuple[float | None, bool]]) -> CellTally:
    scored, absent, wins = 0, 0, 0.0
    known: list[float] = []
    for credit, asked in credits:
        if credit is None:
            absent += asked
            continue
        scored += 1
        wins += strict(credit)
        known.append(credit)
    # fsum: the mean must not depend on the order of summation.
    return CellTally(scored, absent, wins, math.fsum(known))
