"""A scorer as statistics see it: a name and the nine credits of each tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.compute import headline_reading
from rmjudge.metrics.report import Reading
from rmjudge.metrics.tallies import Credits, strict
from rmjudge.vocabulary import CELLS, Domain, Method, TupleKey

if TYPE_CHECKING:
    from rmjudge.runs.results import ScorerResult

READERS: Final[dict[Reading, Callable[[float], float]]] = {"strict": strict, "half_credit": float}


@dataclass(frozen=True, slots=True)
class Scored:
    """A scorer's credits, in the order of its data; `name` is unlike that of the others.

    `cells` says how many of a tuple's nine it was asked.
    """

    name: str
    method: Method
    credits: Mapping[TupleKey, Credits]
    cells: int = len(CELLS)

    def by_domain(self) -> dict[Domain, list[Credits]]:
        """The credits of each domain, in the order of the data."""
        found: dict[Domain, list[Credits]] = {}
        for (domain, _), credits in self.credits.items():
            found.setdefault(domain, []).append(credits)
        return found


def scored_of(name: str, result: ScorerResult) -> Scored:
    """Take a finished run's credits, stored or following from its rewards."""
    return Scored(
        name,
        result.metrics.method,
        {item.key: item.credits for item in result.tuples},
        result.metrics.design.cells,
    )


def common_reading(methods: Iterable[Method]) -> Reading:
    """Choose the reading in which scorers are held against each other.

    Rewards among themselves keep the benchmark's strict reading. As soon as a judge is among
    them, all are read with half credit: a judge says "tie" where a reward model, whose rewards
    are hardly ever equal, has to guess, and a guess is worth half a win. Strictly read, the
    judge would lose for being undecided what the reward model wins by luck.
    """
    readings = {headline_reading(method) for method in methods}
    return "strict" if readings == {"strict"} else "half_credit"
