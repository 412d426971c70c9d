"""Do two scorers prefer the same responses? Cohen's kappa, with an interval by tuple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.metrics.intervals import DIGITS, Sample, share_interval
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa: 1 full agreement, 0 that of chance. None where chance alone agrees fully."""

    value: float | None
    interval: Interval | None = None


def kappa_of(
    first: Mapping[Domain, NDArray[np.float64]],
    second: Mapping[Domain, NDArray[np.float64]],
    cells: Sequence[int],
) -> Kappa:
    """Agreement of two scorers on some of the nine cells, over all tuples of the domains.

    Each array is tuples x 9. A case is one cell of one tuple, its category what it is for the
    chosen: won, tied or lost (strictly read: won or not). Unweighted kappa, Cohen (1960). The
    interval has the tuple as its unit, because cells of one tuple depend on each other.
    """
    import numpy as np

    return kappa_of_tables(
        np.concatenate([_tables(first[name], second[name], cells) for name in first])
    )


def kappa_of_tables(tables: NDArray[np.float64]) -> Kappa:
    """Cohen's kappa from each tuple's 3x3 table of cases, flattened (tuples x 9).

    Rows are what the first says, columns what the second does. Tuples may have more or fewer
    cases, and each has one at least.
    """
    import numpy as np

    shares = (tables / tables.sum()).reshape(-1, 3, 3)
    # Of whole counts: full agreement is 1 to the last digit.
    whole = tables.sum(axis=0).reshape(3, 3) / tables.sum()
    rows, columns = whole.sum(axis=1), whole.sum(axis=0)
    observed, chance = (
        float(np.trace(tables.sum(axis=0).reshape(3, 3)) / tables.sum()),
        float(rows @ columns),
    )
    if 1.0 - chance <= 1e-12:
        return Kappa(None)
    value = (observed - chance) / (1.0 - chance)
    # A tuple whose cells of this part were not asked is no case.
    held = shares[tables.sum(axis=1) > 0]
    return Kappa(value, _interval(held, value, observed, chance, float(tables.sum())))


def _interval(
    shares: NDArray[np.float64], value: float, observed: float, chance: float, cases: float
) -> Interval | None:
    """The interval of kappa, from each tuple's shares of the table (tuples x 3 x 3).

    A tuple's influence on kappa is (o - (1 - kappa) e) / (1 - chance), o and e what it adds to the
    agreement and to that of chance (delta method; Fleiss, Cohen and Everitt, Psychological
    Bulletin 72, 1969). The ends belong to the observed agreement, a share with that variance,
    so that they lie in the possible range and full agreement leaves a doubt.
    """
    import numpy as np

    tuples = len(shares)
    if tuples < 2:
        return None
    whole = shares.sum(axis=0)
    rows, columns = whole.sum(axis=1), whole.sum(axis=0)
    agreed = np.trace(shares, axis1=1, axis2=2)
    expected = shares.sum(axis=2) @ columns + shares.sum(axis=1) @ rows
    weights = shares.sum(axis=(1, 2))
    influence = (agreed - observed * weights) - (1 - value) * (expected - 2 * chance * weights)
    correction = tuples / (tuples - 1)
    apart = observed * (1 - observed) / cases
    ends = share_interval(
        [
            Sample(
                tuples,
                observed,
                correction * float((influence**2).sum()),
                apart,
                1 / float((weights**2).sum()),
                cases,
            )
        ]
    )
    if ends is None:
        return None
    low, high = ((end - chance) / (1 - chance) for end in (ends.low, ends.high))
    return Interval(round(low, DIGITS) + 0.0, round(high, DIGITS) + 0.0)


def _tables(
    first: NDArray[np.float64], second: NDArray[np.float64], cells: Sequence[int]
) -> NDArray[np.float64]:
    """Each tuple's 3 x 3 table of categories, flattened (tuples x 9)."""
    import numpy as np

    one, two = (np.sign(values[:, list(cells)] - TIE) + 1 for values in (first, second))
    both = one * 3 + two  # NaN, so no case, where a cell was not asked
    return np.stack([(both == case).sum(axis=1) for case in range(9)], axis=1).astype(np.float64)
