"""Do scorers agree with people? Accuracy against labels, kappa, and the ceiling that people set.

The unit is the tuple: labels of one tuple hang together, be they of its cells or of several people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rmjudge.metrics.intervals import Sample, pooled, share_interval
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE, Credits
from rmjudge.statistics.agreement import Kappa, kappa_of_tables
from rmjudge.statistics.alpha import Alpha, alpha_of
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import CELLS, CELLS_OF, DIFFICULTIES, TupleKey, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Winner: TypeAlias = Literal["chosen", "rejected", "tie"]
WINNERS: Final[tuple[Winner, ...]] = ("chosen", "rejected", "tie")
WHOLE: Final = "whole tuples"
"""The part of the labels that are of no cell."""
MOST: Final = 10_000_000
"""Labels beyond which nobody is asked for more."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a person prefers: in one cell of a tuple, or (`cell` None) in the tuple as a whole."""

    key: TupleKey
    cell: tuple[int, int] | None
    winner: Winner
    annotator: str

    @property
    def item(self) -> tuple[TupleKey, tuple[int, int] | None]:
        """What was labelled; several people may have labelled the same."""
        return self.key, self.cell

    @property
    def part(self) -> str:
        """The difficulty of the cell."""
        return next((name for name in DIFFICULTIES if self.cell in CELLS_OF[name]), WHOLE)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A scorer against labels, of one `part` (a domain, a difficulty, whole tuples) or of all.

    `accuracy` is the share of labels that name the scorer's winner; a tie is met by a tie alone.
    `wanted` is how many labels in all would narrow its interval to the width asked for.
    """

    part: str | None
    tuples: int
    labels: int
    accuracy: float
    interval: Interval | None
    kappa: Kappa
    wanted: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """A scorer held against people. `unscored` counts labels of what it has not scored.

    `shared` is its accuracy on what several people labelled, the same that `People.ceiling` is
    over; None without.
    """

    name: str
    agreements: tuple[Agreement, ...]
    unscored: int
    shared: Agreement | None


@dataclass(frozen=True, slots=True)
class People:
    """The people. `shares` are of their labels by winner; the largest is the base rate.

    `ceiling` is how often two people agree on what both labelled, over `twice` such items, and
    `alpha` Krippendorff's; None where nothing has two labels.
    """

    annotators: tuple[str, ...]
    labels: int
    tuples: int
    shares: Mapping[Winner, float]
    twice: int
    ceiling: float | None
    ceiling_interval: Interval | None
    alpha: Alpha

    @property
    def base_rate(self) -> float:
        """The accuracy of saying the commonest winner always."""
        return max(self.shares.values())


def people_of(labels: Sequence[Label]) -> People:
    """What the people say, and how far they agree among each other."""
    import numpy as np

    by_item = _by_item(labels)
    several = {item: own for item, own in by_item.items() if len(own) > 1}
    by_tuple: dict[TupleKey, list[float]] = {}
    for (key, _), own in several.items():
        by_tuple.setdefault(key, []).append(_pairs_agreed(own))
    values = [value for one in by_tuple.values() for value in one]
    numbers = {key: number for number, key in enumerate(by_tuple)}
    counts = np.array([[own.count(w) for w in WINNERS] for own in several.values()], dtype=float)
    clusters = np.array([numbers[key] for key, _ in several], dtype=np.int64)
    return People(
        annotators=tuple(dict.fromkeys(label.annotator for label in labels)),
        labels=len(labels),
        tuples=len({label.key for label in labels}),
        shares={w: sum(one.winner == w for one in labels) / len(labels) for w in WINNERS},
        twice=len(several),
        ceiling=math.fsum(values) / len(values) if values else None,
        ceiling_interval=share_interval([pooled(list(by_tuple.values()))]) if values else None,
        alpha=alpha_of(counts.reshape(-1, len(WINNERS)), clusters),
    )


def hold(scored: Scored, labels: Sequence[Label], width: float) -> Held:
    """Hold a scorer against labels; `width` is half the width of the interval that is wanted."""
    cases = [
        (label, winner)
        for label in labels
        if (winner := winner_of(scored.credits.get(label.key), label.cell)) is not None
    ]
    domains = in_order(label.key[0] for label, _ in cases)
    parts = [p for p in (*DIFFICULTIES, WHOLE) if any(label.part == p for label, _ in cases)]
    several = {item for item, own in _by_item(labels).items() if len(own) > 1}
    shared = [case for case in cases if case[0].item in several]
    rows = list(_rows(cases, domains, parts, width)) if cases else []
    return Held(
        name=scored.name,
        agreements=tuple(rows),
        unscored=len(labels) - len(cases),
        shared=_agreement(None, shared, width) if shared else None,
    )


Case: TypeAlias = tuple[Label, Winner]


def _rows(
    cases: Sequence[Case], domains: Sequence[str], parts: Sequence[str], width: float
) -> Iterator[Agreement]:
    yield _agreement(None, cases, width)
    for domain in domains if len(domains) > 1 else ():
        yield _agreement(domain, [case for case in cases if case[0].key[0] == domain], width)
    for part in parts if len(parts) > 1 else ():
        yield _agreement(part, [case for case in cases if case[0].part == part], width)


def winner_of(credits: Credits | None, cell: tuple[int, int] | None) -> Winner | None:
    """The scorer's winner in a cell, or of most of a tuple's cells; None where nothing is scored.

    As many cells for the chosen as for the rejected are a tie; cells without a score do not count.
    """
    if credits is None:
        return None
    if cell is not None:
        return _winner(credits[cell[0]][cell[1]])
    known = [w for i, j in CELLS if (w := _winner(credits[i][j])) is not None]
    lead = known.count("chosen") - known.count("rejected")
    return _sign(lead) if known else None


def _winner(credit: float | None) -> Winner | None:
    return None if credit is None else _sign(credit - TIE)


def _sign(lead: float) -> Winner:
    return "tie" if lead == 0 else ("chosen" if lead > 0 else "rejected")


def _agreement(part: str | None, cases: Sequence[Case], width: float) -> Agreement:
    by_tuple: dict[TupleKey, list[Case]] = {}
    for case in cases:
        by_tuple.setdefault(case[0].key, []).append(case)
    met = [[float(label.winner == w) for label, w in own] for own in by_tuple.values()]
    sample = pooled(met)
    return Agreement(
        part=part,
        tuples=len(by_tuple),
        labels=len(cases),
        accuracy=sum(map(sum, met)) / len(cases),
        interval=share_interval([sample]),
        kappa=kappa_of_tables(_tables(by_tuple.values())),
        wanted=_wanted(sample, len(cases), width),
    )


def _tables(tuples: Iterable[Sequence[Case]]) -> NDArray[np.float64]:
    import numpy as np

    found = []
    for own in tuples:
        table = np.zeros((len(WINNERS), len(WINNERS)))
        for label, winner in own:
            table[WINNERS.index(winner), WINNERS.index(label.winner)] += 1
        found.append(table.ravel())
    return np.array(found)


def _wanted(sample: Sample | None, labels: int, width: float) -> int | None:
    """How many labels make the interval so narrow, if more tuples are labelled like these."""
    if sample is None:
        return None
    low, high = 1, MOST
    if _half(sample, high / labels) > width:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _half(sample, middle / labels) <= width else (middle + 1, high)
    return low


def _half(sample: Sample, times: float) -> float:
    """Half the width of the interval, had so many times the tuples been labelled."""
    more = replace(
        sample,
        tuples=max(2, round(sample.tuples * times)),
        variance=sample.variance / times,
        apart=sample.apart / times,
        fewest=sample.fewest * times,
        most=sample.most * times,
    )
    ends = share_interval([more])
    return math.inf if ends is None else (ends.high - ends.low) / 2


def _by_item(
    labels: Iterable[Label],
) -> dict[tuple[TupleKey, tuple[int, int] | None], list[Winner]]:
    found: dict[tuple[TupleKey, tuple[int, int] | None], list[Winner]] = {}
    for label in labels:
        found.setdefault(label.item, []).append(label.winner)
    return found


def _pairs_agreed(winners: Sequence[Winner]) -> float:
    """The share of pairs of people who say the same."""
    equal = sum(winners.count(w) * (winners.count(w) - 1) for w in WINNERS)
    return equal / (len(winners) * (len(winners) - 1))
