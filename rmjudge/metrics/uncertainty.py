"""How sure a scorer's numbers are: intervals of its accuracies, and of what was tied or not scored.

Pure Python, from the tuples' credits: a report of a run that stored other ones makes them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.intervals import pooled, share_interval, weighted
from rmjudge.metrics.report import Interval, Intervals, RateIntervals
from rmjudge.metrics.tallies import ALL_ASKED, TIE, Asked, Credits
from rmjudge.vocabulary import CELLS, CELLS_OF, DIFFICULTIES, Domain, Order

_WEIGHTS: Final = (
    *(
        tuple(float(cell in CELLS_OF[name]) / len(CELLS_OF[name]) for cell in CELLS)
        for name in DIFFICULTIES
    ),
    (1 / len(CELLS),) * len(CELLS),
)
"""What each cell weighs in Easy, Normal, Hard and their average."""


def nine(credits: Credits) -> tuple[float | None, ...]:
    """The nine cells, row by row."""
    return tuple(credits[i][j] for i, j in CELLS)


def intervals_of(
    domains: Mapping[Domain, Sequence[Credits]], reading: Callable[[float], float]
) -> tuple[dict[Domain, Intervals], Intervals]:
    """Intervals of each domain's accuracies, and of their macro averages.

    `reading` turns a credit into what is averaged (strict or half credit).
    """
    samples = {
        domain: [weighted(cells, weights) for weights in _WEIGHTS]
        for domain, credits in domains.items()
        for cells in [[_read(one, reading) for one in credits]]
    }
    each = {
        domain: Intervals(*(share_interval([sample]) for sample in parts))
        for domain, parts in samples.items()
    }
    return each, Intervals(
        *(share_interval([parts[k] for parts in samples.values()]) for k in range(len(_WEIGHTS)))
    )


def _read(credits: Credits, reading: Callable[[float], float]) -> list[float | None]:
    return [None if credit is None else reading(credit) for credit in nine(credits)]


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of cells; None where there is no cell, or nobody knows."""

    tie: float | None
    split: float | None
    intervals: RateIntervals


def rates_of(
    tuples: Sequence[Credits],
    splits: Sequence[Credits] | None,
    order: Order | None,
    asked: Sequence[Asked] | None = None,
) -> Rates:
    """Share of the cells that were tied, split between the orders, not scored.

    `splits` holds, for each tuple, 3x3 of 1 (the orders contradict each other), 0 or None (not
    asked both ways); None where that is not known. Half a credit is then a tie only if no cell
    was asked twice. `asked` says which cells were to be scored: all, where it is not given.
    """
    cells = [nine(credits) for credits in tuples]
    masks = [ALL_ASKED] * len(tuples) if asked is None else asked
    absent = [
        [float(one[i][j] is None) if mask[i][j] else None for i, j in CELLS]
        for one, mask in zip(tuples, masks, strict=True)
    ]
    if splits is None and order not in (None, "seeded", "audit"):
        return Rates(None, None, RateIntervals(unscored=_interval(absent)))
    contradicting = [nine(split) for split in splits or ()] or [(None,) * len(CELLS)] * len(cells)
    tied = [
        [_tied(credit, split) for credit, split in zip(one, other, strict=True)]
        for one, other in zip(cells, contradicting, strict=True)
    ]
    return Rates(
        _share(tied),
        _share(contradicting),
        RateIntervals(_interval(tied), _interval(contradicting), _interval(absent)),
    )


def _tied(credit: float | None, split: float | None) -> float | None:
    return None if credit is None else float(credit == TIE and not split)


def _share(tuples: Iterable[Iterable[float | None]]) -> float | None:
    known = [value for values in tuples for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _interval(tuples: Sequence[Sequence[float | None]]) -> Interval | None:
    return share_interval([pooled(tuples)])
