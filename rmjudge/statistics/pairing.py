"""Several scorers on the tuples that all of them scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.errors import UsageError
from rmjudge.metrics.report import Reading
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.scored import READERS, Scored
from rmjudge.vocabulary import CELLS, DOMAINS, Domain, TupleKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shared:
    """The tuples in which every scorer scored all nine cells.

    `values` holds an array a domain: scorers x tuples x 9 cells (row by row), in `reading`.
    `incomplete` counts tuples that every run has and some scorer left a cell of unscored,
    `elsewhere` tuples that are not in every run; neither is compared.
    """

    scorers: tuple[str, ...]
    reading: Reading
    tuples: dict[Domain, tuple[TupleKey, ...]]
    values: dict[Domain, NDArray[np.float64]]
    incomplete: int
    elsewhere: int

    def __len__(self) -> int:
        return sum(len(keys) for keys in self.tuples.values())


def share(scored: Sequence[Scored], reading: Reading) -> Shared:
    """Find the tuples that all scored; a tuple with an absent cell would compare unlike things.

    Raises:
        UsageError: there is none.
    """
    import numpy as np

    keys = [key for key in scored[0].credits if all(key in item.credits for item in scored)]
    whole = [key for key in keys if all(_complete(item.credits[key]) for item in scored)]
    _require(scored, keys, whole)
    read = READERS[reading]
    tuples = {
        domain: found
        for domain in DOMAINS
        if (found := tuple(key for key in whole if key[0] == domain))
    }
    values = {
        domain: np.array(
            [[_nine(item.credits[key]) for key in found] for item in scored], dtype=np.float64
        )
        for domain, found in tuples.items()
    }
    reader = np.vectorize(read, otypes=[np.float64])
    return Shared(
        scorers=tuple(item.name for item in scored),
        reading=reading,
        tuples=tuples,
        values={domain: reader(array) for domain, array in values.items()},
        incomplete=len(keys) - len(whole),
        elsewhere=len(set().union(*(item.credits for item in scored))) - len(keys),
    )


def _complete(credits: Credits) -> bool:
    return all(credits[i][j] is not None for i, j in CELLS)


def _nine(credits: Credits) -> list[float | None]:
    return [credits[i][j] for i, j in CELLS]


def _require(scored: Sequence[Scored], keys: Sequence[TupleKey], whole: Sequence[TupleKey]) -> None:
    if whole:
        return
    names = ", ".join(item.name for item in scored)
    if not keys:
        raise UsageError(
            f"{names}: no tuple is in all of these runs; compare runs of the same data"
        )
    raise UsageError(
        f"{names}: {len(keys)} tuples are in all of these runs, but none is scored in all nine "
        "cells by every scorer; resume the runs that were stopped"
    )
