"""Do two scorers prefer the same responses? Cohen's kappa, with an interval by tuple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.metrics.intervals import draws_of, percentiles
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
    interval draws tuples, within domain, because cells of one tuple depend on each other.
    """
    import numpy as np

    tables = {domain: _tables(first[domain], second[domain], cells) for domain in first}
    drawn = np.sum([draws_of(name, len(table)) @ table for name, table in tables.items()], axis=0)
    found = _kappa(np.sum([table.sum(axis=0) for table in tables.values()], axis=0)[None, :])[0]
    known = found == found  # noqa: PLR0124 - NaN is unlike itself
    alone = any(len(table) < 2 for table in tables.values())
    return Kappa(
        value=float(found) if known else None,
        interval=percentiles(_kappa(drawn)) if known and not alone else None,
    )


def _tables(
    first: NDArray[np.float64], second: NDArray[np.float64], cells: Sequence[int]
) -> NDArray[np.float64]:
    """Each tuple's 3 x 3 table of categories, flattened (tuples x 9)."""
    import numpy as np

    one, two = (np.sign(values[:, list(cells)] - TIE).astype(int) + 1 for values in (first, second))
    both = one * 3 + two
    return np.stack([(both == case).sum(axis=1) for case in range(9)], axis=1).astype(np.float64)


def _kappa(tables: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kappa of each row's table (n x 9); NaN where the agreement by chance is complete."""
    import numpy as np

    shares = tables.reshape(-1, 3, 3) / tables.sum(axis=1)[:, None, None]
    observed = np.trace(shares, axis1=1, axis2=2)
    chance = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
    room = 1.0 - chance
    return np.where(room > 1e-12, (observed - chance) / np.where(room > 1e-12, room, 1.0), np.nan)
