"""Several scorers on the tuples that all of them scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.errors import UsageError
from rmjudge.metrics.intervals import Sample, weighted
from rmjudge.metrics.report import Reading
from rmjudge.metrics.uncertainty import nine
from rmjudge.statistics.scored import READERS, Scored
from rmjudge.vocabulary import Domain, TupleKey, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Shared:
    """The tuples in which every scorer scored all the cells that it was asked.

    `values` holds an array a domain: scorers x tuples x 9 cells (row by row), in `reading`; NaN, of
    every scorer, where a cell was left out by the design of one (`--cells`). Each cell of a domain
    has at least one tuple.
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
    whole = [key for key in keys if all(map(_complete, scored, [key] * len(scored)))]
    _require(scored, keys, whole)
    read = READERS[reading]
    tuples = {
        domain: tuple(key for key in whole if key[0] == domain)
        for domain in in_order(key[0] for key in whole)
    }
    values = {
        domain: np.array(
            [[nine(item.credits[key]) for key in found] for item in scored], dtype=object
        )
        for domain, found in tuples.items()
    }
    reader = np.vectorize(lambda credit: math.nan if credit is None else read(credit), [np.float64])
    read_values = {domain: _common(reader(array)) for domain, array in values.items()}
    for domain, array in read_values.items():
        if np.isnan(array[0]).all(axis=0).any():
            raise UsageError(
                f"{', '.join(item.name for item in scored)}: of {domain} a cell is in none of the "
                "tuples that all scored; compare runs of more tuples, or with --cells 9"
            )
    return Shared(
        scorers=tuple(item.name for item in scored),
        reading=reading,
        tuples=tuples,
        values=read_values,
        incomplete=len(keys) - len(whole),
        elsewhere=len(set().union(*(item.credits for item in scored))) - len(keys),
    )


def _complete(scored: Scored, key: TupleKey) -> bool:
    return sum(credit is not None for credit in nine(scored.credits[key])) == scored.cells


def _common(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out, of every scorer, what one was not asked."""
    import numpy as np

    common: NDArray[np.float64] = np.where(np.isnan(values).any(axis=0), np.nan, values)
    return common


def _require(scored: Sequence[Scored], keys: Sequence[TupleKey], whole: Sequence[TupleKey]) -> None:
    if whole:
        return
    names = ", ".join(item.name for item in scored)
    if not keys:
        raise UsageError(
            f"{names}: no tuple is in all of these runs; compare runs of the same data"
        )
    raise UsageError(
        f"{names}: {len(keys)} tuples are in all of these runs, but none is scored in all the "
        "cells asked by every scorer; resume the runs that were stopped"
    )


def sample_of(differences: NDArray[np.float64]) -> Sample | None:
    """What an interval needs of a domain's differences (tuples x cells, NaN where not asked)."""
    weights = (1 / differences.shape[1],) * differences.shape[1]
    known = [[None if math.isnan(one) else one for one in row] for row in differences.tolist()]
    return weighted(known, weights)


def summed(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each tuple adds to a domain's difference, so scaled that their mean is the difference.

    With every cell asked that is the mean of the tuple's cells. Otherwise each cell is worth what
    it adds to the mean of its own tuples.
    """
    import numpy as np

    asked = (~np.isnan(differences)).sum(axis=0)
    if (asked == len(differences)).all():
        return np.asarray(differences.mean(axis=1))
    shares = len(differences) / asked / differences.shape[1]
    return np.asarray(np.nansum(differences * shares, axis=1))
