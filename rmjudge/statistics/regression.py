"""Logistic and linear models whose standard errors know that the rows of a tuple depend.

Arrays: `x` rows x columns, `y` rows in [0, 1] (half a win counts as half), `groups` rows, the
number of the tuple that a row is of.
"""

from __future__ import annotations

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
SEPARATED: Final = 36.0
"""Log-odds that a double cannot tell from certainty."""
PRIOR: Final = 2.5
"""Standard deviation of the coefficients' prior where the likelihood has no largest value."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients, column by column, and their 95 % intervals; None where there is none.

    `separated`: the columns tell some outcomes without exception, so the likelihood has no
    largest value. The coefficients are then the likeliest under a prior, without intervals:
    how large they are is the prior's doing.
    """

    coefficients: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    separated: bool = False


def logistic(x: Floats, y: Floats, groups: Groups) -> Fit | None:
    """Fit by maximum likelihood (Newton), with the sandwich variance of clustered rows.

    The variance is Liang and Zeger's (1986) with the correction G/(G-1) * (N-1)/(N-K) for G
    tuples, N rows and K columns. Where the columns separate the outcomes, coefficients have a
    weakly informative normal prior of mean 0 and standard deviation 2.5 (after Gelman et al.,
    Annals of Applied Statistics 2, 2008, whose Cauchy prior can have several tops). None when
    the columns are not independent of each other, or there are no rows.
    """
    if not _usable(x):
        return None
    found = _newton(x, y, precision=0.0)
    if found is None:
        likeliest = _newton(x, y, precision=PRIOR**-2)
        if likeliest is None:
            return None
        return Fit(tuple(likeliest.tolist()), (None,) * int(x.shape[1]), separated=True)
    chances = _chances(x @ found)
    bread = x.T @ (x * (chances * (1 - chances))[:, None])
    return Fit(tuple(found.tolist()), _sandwich(x, y - chances, bread, found, groups))


def linear(x: Floats, y: Floats, groups: Groups) -> Fit | None:
    """Fit by least squares: the slope of P(win), with the same clustered variance."""
    import numpy as np

    if not _usable(x):
        return None
    bread = x.T @ x
    found = np.linalg.solve(bread, x.T @ y).astype(np.float64)
    return Fit(tuple(found.tolist()), _sandwich(x, y - x @ found, bread, found, groups))


def _usable(x: Floats) -> bool:
    import numpy as np

    columns = x.shape[1]
    return len(x) > columns and bool(np.linalg.matrix_rank(x) == columns)


def _chances(log_odds: Floats) -> Floats:
    from scipy.special import expit

    chances: Floats = expit(log_odds)
    return chances


def _newton(x: Floats, y: Floats, *, precision: float) -> Floats | None:
    """Climb the likelihood (times a normal prior); None when it has no top within reach."""
    import numpy as np

    found = np.zeros(x.shape[1])
    height = _height(x, y, found, precision)
    for _ in range(STEPS):
        chances = _chances(x @ found)
        information = x.T @ (x * (chances * (1 - chances))[:, None])
        information += precision * np.eye(len(found))
        try:
            step = np.linalg.solve(information, x.T @ (y - chances) - precision * found)
        except np.linalg.LinAlgError:
            return None
        while (risen := _height(x, y, found + step, precision)) < height - CLOSE:
            step = step / 2
        found, height = found + step, risen
        if not precision and np.abs(x @ found).max() > SEPARATED:
            return None
        if np.abs(step).max() < CLOSE * max(1.0, np.abs(found).max()):
            return found
    return None


def _height(x: Floats, y: Floats, found: Floats, precision: float) -> float:
    import numpy as np

    log_odds = x @ found
    likelihood = float((y * log_odds - np.logaddexp(0, log_odds)).sum())
    return likelihood - precision / 2 * float(found @ found)


def _sandwich(
    x: Floats, residual: Floats, bread: Floats, found: Floats, groups: Groups
) -> tuple[Interval | None, ...]:
    import numpy as np
    from scipy.special import ndtri

    _, numbers = np.unique(groups, return_inverse=True)
    tuples, rows, columns = int(numbers.max()) + 1, len(x), int(x.shape[1])
    if tuples < 2:
        return (None,) * columns
    scores = np.zeros((tuples, columns))
    np.add.at(scores, numbers, x * residual[:, None])
    inverse = np.linalg.inv(bread)
    correction = tuples / (tuples - 1) * (rows - 1) / (rows - columns)
    variance = correction * np.diag(inverse @ (scores.T @ scores) @ inverse)
    halves = float(ndtri(0.5 + LEVEL / 2)) * np.sqrt(variance)
    return tuple(
        Interval(value - half, value + half)
        for value, half in zip(found.tolist(), halves.tolist(), strict=True)
    )
