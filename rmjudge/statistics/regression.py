"""Logistic and linear models whose standard errors know that the rows of a tuple depend.

Arrays: `x` rows x columns, `y` rows in [0, 1] (half a win counts as half), `groups` rows, the
number of the tuple that a row is of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.intervals import LEVEL
from rmjudge.metrics.report import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Groups = NDArray[np.int64]

STEPS: Final = 100
CLOSE: Final = 1e-10
SEPARATED: Final = 25.0
"""Log-odds beyond which a row counts as predicted with certainty (1 in 10^11)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients, column by column, and their 95 % intervals; None where there is none.

    `separated`: the columns tell some outcomes without exception, so the likelihood has no
    largest value. The coefficients are then Firth's, without intervals: read their sign.
    """

    coefficients: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    separated: bool = False


def logistic(x: Floats, y: Floats, groups: Groups) -> Fit | None:
    """Fit by maximum likelihood (Newton), with the sandwich variance of clustered rows.

    The variance is Liang and Zeger's (1986) with the correction G/(G-1) * (N-1)/(N-K) for G
    tuples, N rows and K columns. Where the columns separate the outcomes, Firth's penalised
    likelihood (Biometrika 80, 1993; Heinze and Schemper, 2002) has an answer still. None when
    the columns are not independent of each other, or there are no rows.
    """
    if not _usable(x):
        return None
    found = _newton(x, y, firth=False)
    if found is None:
        penalised = _newton(x, y, firth=True)
        if penalised is None:
            return None
        nothing = (None,) * x.shape[1]
        return Fit(tuple(map(float, penalised)), nothing, separated=True)
    chances = _chances(x @ found)
    bread = x.T @ (x * (chances * (1 - chances))[:, None])
    return Fit(tuple(map(float, found)), _sandwich(x, y - chances, bread, found, groups))


def linear(x: Floats, y: Floats, groups: Groups) -> Fit | None:
    """Fit by least squares: the slope of P(win), with the same clustered variance."""
    import numpy as np  # noqa: PLC0415 - only statistics need it

    if not _usable(x):
        return None
    bread = x.T @ x
    found = np.linalg.solve(bread, x.T @ y).astype(np.float64)
    return Fit(tuple(map(float, found)), _sandwich(x, y - x @ found, bread, found, groups))


def _usable(x: Floats) -> bool:
    import numpy as np  # noqa: PLC0415 - only statistics need it

    columns = x.shape[1]
    return len(x) > columns and bool(np.linalg.matrix_rank(x) == columns)


def _chances(log_odds: Floats) -> Floats:
    from scipy.special import expit  # noqa: PLC0415 - only statistics need it

    chances: Floats = expit(log_odds)
    return chances


def _newton(x: Floats, y: Floats, *, firth: bool) -> Floats | None:
    """Climb the (penalised) likelihood; None when it has no top within reach."""
    import numpy as np  # noqa: PLC0415 - only statistics need it

    found = np.zeros(x.shape[1])
    height = _likelihood(x, y, found, firth=firth)
    for _ in range(STEPS):
        chances = _chances(x @ found)
        weights = chances * (1 - chances)
        information = x.T @ (x * weights[:, None])
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        residual = y - chances
        if firth:
            leverage = weights * np.einsum("ij,jk,ik->i", x, inverse, x)
            residual = residual + leverage * (0.5 - chances)
        step = inverse @ (x.T @ residual)
        while (risen := _likelihood(x, y, found + step, firth=firth)) < height - CLOSE:
            step = step / 2
            if np.abs(step).max() < CLOSE:
                return found if firth else None
        found, height = found + step, risen
        if not firth and np.abs(x @ found).max() > SEPARATED:
            return None
        if np.abs(step).max() < CLOSE * max(1.0, np.abs(found).max()):
            return found
    return found if firth else None


def _likelihood(x: Floats, y: Floats, found: Floats, *, firth: bool) -> float:
    import numpy as np  # noqa: PLC0415 - only statistics need it

    log_odds = x @ found
    height = float((y * log_odds - np.logaddexp(0, log_odds)).sum())
    if not firth:
        return height
    chances = _chances(log_odds)
    sign, size = np.linalg.slogdet(x.T @ (x * (chances * (1 - chances))[:, None]))
    return height + 0.5 * float(size) if sign > 0 else -math.inf


def _sandwich(
    x: Floats, residual: Floats, bread: Floats, found: Floats, groups: Groups
) -> tuple[Interval | None, ...]:
    import numpy as np  # noqa: PLC0415 - only statistics need it
    from scipy import stats  # noqa: PLC0415

    _, numbers = np.unique(groups, return_inverse=True)
    tuples, rows, columns = int(numbers.max()) + 1, len(x), int(x.shape[1])
    if tuples < 2:
        return (None,) * columns
    scores = np.zeros((tuples, columns))
    np.add.at(scores, numbers, x * residual[:, None])
    inverse = np.linalg.inv(bread)
    correction = tuples / (tuples - 1) * (rows - 1) / (rows - columns)
    variance = correction * np.diag(inverse @ (scores.T @ scores) @ inverse)
    halves = float(stats.norm.ppf(0.5 + LEVEL / 2)) * np.sqrt(variance)
    return tuple(
        Interval(value - half, value + half)
        for value, half in zip(found.tolist(), halves.tolist(), strict=True)
    )
