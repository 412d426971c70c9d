"""How much of a judge's numbers is its own noise: the same question, asked several times.

A judge of five votes would say something else in five others. What that moves is the noise floor:
two runs of one judge differ by it, and no more tuples make it smaller than asking more votes does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.accuracy import matrix_of
from rmjudge.metrics.intervals import pooled, share_interval, weighted
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE, Credits, Matrix, VotedCells, tally
from rmjudge.vocabulary import (
    CELLS,
    CELLS_OF,
    PARTS,
    Domain,
    Part,
    TupleKey,
)

NORMAL: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Noise:
    """Of one accuracy: what the judge's votes alone move it by.

    `half` is half the width of the 95 % interval that repeating the same questions would give;
    `share` is the part of the estimate's variance that this is, the rest being the tuples'. None
    where the tuples do not tell.
    """

    half: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Retest:
    """One judge asked several times.

    `agreement` is the share of pairs of votes on one question that name the same winner, `matrix`
    the same per cell. `noises` are of the accuracies in half credit, macro averages.
    """

    name: str
    agreement: float | None
    interval: Interval | None
    matrix: Matrix
    noises: Mapping[Part, Noise]
    domains: tuple[Domain, ...]


def retest(name: str, votes: Mapping[TupleKey, VotedCells]) -> Retest:
    """Measure a judge against itself, on the tuples that have a vote in every cell."""
    agreed = [[_agreed(cell) for cell in cells] for cells in votes.values()]
    flat = [value for values in agreed for value in values if value is not None]
    whole = {key: cells for key, cells in votes.items() if all(map(_answered, cells))}
    domains = tuple(dict.fromkeys(domain for domain, _ in whole))
    return Retest(
        name=name,
        agreement=math.fsum(flat) / len(flat) if flat else None,
        interval=share_interval([pooled(agreed)]) if flat else None,
        matrix=matrix_of(tally([_square(one) for one in agreed]), lambda cell: cell.credit),
        noises=noise_of(whole),
        domains=domains,
    )


def noise_of(votes: Mapping[TupleKey, VotedCells]) -> dict[Part, Noise]:
    """The noise of each accuracy; empty without tuples, or where no question has two votes."""
    spread = _usual_spread(votes)
    if spread is None:
        return {}
    by_domain: dict[Domain, list[VotedCells]] = {}
    for (domain, _), cells in votes.items():
        by_domain.setdefault(domain, []).append(cells)
    return {part: _noise(part, list(by_domain.values()), spread) for part in PARTS}


def _noise(part: Part, domains: Sequence[Sequence[VotedCells]], spread: float) -> Noise:
    """Variances add up: over cells of a part, tuples of a domain, domains of the average."""
    places = [CELLS.index(cell) for cell in (CELLS if part == "average" else CELLS_OF[part])]
    weights = [float(place in places) / len(places) for place in range(len(CELLS))]
    own, whole = 0.0, 0.0
    for tuples in domains:
        one = math.fsum(_variance(cells[place], spread) for cells in tuples for place in places)
        own += one / (len(places) * len(tuples) * len(domains)) ** 2
        sample = weighted([[_credit(cell) for cell in cells] for cells in tuples], weights)
        whole = math.nan if sample is None else whole + sample.variance / len(domains) ** 2
    share = min(own / whole, 1.0) if whole > 0 else None
    return Noise(NORMAL * math.sqrt(own), share)


def difference_noise(one: Noise | None, two: Noise | None) -> float | None:
    """The noise floor of a difference: two runs' noises, which do not depend on each other.

    That of a scorer without votes is not known and not in it. None where neither is known.
    """
    known = [noise.half for noise in (one, two) if noise is not None]
    return math.hypot(*known) if known else None


def _variance(cell: Sequence[Sequence[float]], spread: float) -> float:
    """Of a cell's credit, the mean over its orders of the mean over votes; 0 without a question."""
    if not cell:
        return 0.0
    parts = [(_spread(votes) if len(votes) > 1 else spread) / len(votes) for votes in cell if votes]
    return math.fsum(parts) / len(cell) ** 2


def _usual_spread(votes: Mapping[TupleKey, VotedCells]) -> float | None:
    """The mean variance of single votes: what is taken where a question lost all votes but one."""
    known = [
        _spread(own) for cells in votes.values() for cell in cells for own in cell if len(own) > 1
    ]
    return math.fsum(known) / len(known) if known else None


def _spread(votes: Sequence[float]) -> float:
    mean = math.fsum(votes) / len(votes)
    return math.fsum((vote - mean) ** 2 for vote in votes) / (len(votes) - 1)


def _answered(cell: Sequence[Sequence[float]]) -> bool:
    return all(cell)


def _credit(cell: Sequence[Sequence[float]]) -> float:
    if not cell:
        return TIE
    return math.fsum(math.fsum(votes) / len(votes) for votes in cell) / len(cell)


def _agreed(cell: Sequence[Sequence[float]]) -> float | None:
    """The share of pairs of votes, each within one order, that name the same winner."""
    equal, pairs = 0, 0
    for votes in cell:
        sides = [(vote > TIE) - (vote < TIE) for vote in votes]
        equal += sum(sides.count(side) * (sides.count(side) - 1) for side in (-1, 0, 1))
        pairs += len(sides) * (len(sides) - 1)
    return equal / pairs if pairs else None


def _square(nine: Sequence[float | None]) -> Credits:
    return tuple(tuple(nine[3 * i : 3 * i + 3]) for i in range(3))
