"""Bootstrap intervals over tuples.

The nine cells of a tuple are dependent, so whole tuples are drawn, within their domain
(a stratified bootstrap, as the macro average demands). Percentile method, Efron (1979).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.report import Interval, Intervals
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import CELLS, CELLS_OF, DIFFICULTIES, DOMAINS, Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPLICATES: Final = 2000
BLOCK: Final = 100
LEVEL: Final = 0.95
DIGITS: Final = 6
"""Intervals are rounded to this many digits: the last bits of a mean differ by processor."""


def bootstrap(
    domains: Mapping[Domain, Sequence[Credits]], reading: Callable[[float], float]
) -> tuple[dict[Domain, Intervals], Intervals]:
    """Intervals of each domain's accuracies, and of their macro averages.

    `reading` turns a credit into what is averaged (strict or half credit). The draws depend
    on nothing but the domain and its number of tuples, so equal data give equal intervals.
    """
    import numpy as np

    draws = {
        domain: _parts(cell_replicates(domain, credits, reading))
        for domain, credits in domains.items()
    }
    each = {domain: _intervals(values) for domain, values in draws.items()}
    if not draws:
        return each, Intervals(None, None, None, None)
    return each, _intervals(np.mean(np.stack(list(draws.values())), axis=0))


def cell_replicates(
    domain: Domain, credits: Sequence[Credits], reading: Callable[[float], float]
) -> NDArray[np.float64]:
    """Draw tuples with replacement; return the means of the nine cells (REPLICATES x 9).

    NaN where a draw has no scored tuple in a cell.
    """
    import numpy as np

    n = len(credits)
    if n < 2:  # one tuple says nothing of how much tuples differ
        return np.full((REPLICATES, len(CELLS)), np.nan)
    known = [[matrix[i][j] for matrix in credits] for i, j in CELLS]
    values = np.array([[0.0 if one is None else reading(one) for one in cell] for cell in known])
    weights = draws_of(domain, n)
    # Not a matrix product: the threads of BLAS go on spinning for longer than this takes.
    sums: NDArray[np.float64] = np.einsum("rt,ct->rc", weights, values)
    if not any(None in cell for cell in known):
        return sums / n  # of every draw n tuples count
    scored = np.array([[float(one is not None) for one in cell] for cell in known])
    with np.errstate(invalid="ignore"):
        means: NDArray[np.float64] = sums / np.einsum("rt,ct->rc", weights, scored)
    return means


def _parts(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Easy, normal, hard and average of each replicate (REPLICATES x 4)."""
    import numpy as np

    column_of = {cell: column for column, cell in enumerate(CELLS)}
    parts = [
        cells[:, [column_of[cell] for cell in CELLS_OF[difficulty]]].mean(axis=1)
        for difficulty in DIFFICULTIES
    ]
    return np.stack([*parts, np.mean(parts, axis=0)], axis=1)


def draws_of(domain: Domain, n: int) -> NDArray[np.float64]:
    """How often each of a domain's n tuples is drawn, in each replicate (REPLICATES x n).

    The same draws for every scorer, so that a difference of two is a paired one.
    """
    return _draws(n, DOMAINS.index(domain))


@lru_cache(maxsize=16)
def _draws(n: int, stream: int) -> NDArray[np.float64]:
    """Draw for `draws_of`.

    Each domain has its own `stream`: domains of equal size must not be drawn from alike, or
    their errors would add up instead of averaging out.
    """
    import numpy as np

    rng = np.random.Generator(np.random.PCG64([n, stream]))
    counts = np.empty((REPLICATES, n))
    # Block by block: the draws themselves take as much again as what is counted of them.
    for block in np.split(counts, REPLICATES // BLOCK):
        drawn = rng.integers(0, n, size=block.shape)
        places = drawn + np.arange(BLOCK)[:, np.newaxis] * n
        block[:] = np.bincount(places.ravel(), minlength=block.size).reshape(block.shape)
    return counts


def _intervals(values: NDArray[np.float64]) -> Intervals:
    return Intervals(*(percentiles(values[:, k]) for k in range(4)))


def percentiles(values: NDArray[np.float64]) -> Interval | None:
    """The interval of one number's replicates; None where no replicate has a value."""
    import numpy as np

    # A draw in which some cell has no scored tuple has no value; without any there is no interval.
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    tail = (1.0 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return Interval(round(float(low), DIGITS), round(float(high), DIGITS))
