"""Krippendorff's alpha: do several people or judges give the same units the same values?

Source: Krippendorff, Content Analysis (4th ed., 2019), chapter 12, for nominal values. Units may
have different numbers of values; one with fewer than two says nothing of agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rmjudge.metrics.intervals import DIGITS, Sample, share_interval
from rmjudge.metrics.report import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Alpha:
    """1 full agreement, 0 that of chance; None where one value is all there is, or no pair.

    `agreed` is the share of pairs of values of one unit that are equal, `units` those with a pair.
    """

    value: float | None
    interval: Interval | None
    agreed: float | None
    units: int


def alpha_of(counts: NDArray[np.float64], clusters: NDArray[np.int64]) -> Alpha:
    """Alpha of units x values, how often each unit got each value; `clusters` are their tuples.

    1 - D_o / D_e, D_o the share of unequal pairs within units, each unit weighing by its values,
    D_e that among all values. The interval has the tuple as its unit (jackknife, Efron and Stein,
    1981); its ends belong to the observed agreement, a share with that variance, so that they
    are possible values and full agreement leaves a doubt.
    """
    import numpy as np

    several = counts.sum(axis=1) > 1
    counts, clusters = counts[several], clusters[several]
    if not len(counts):
        return Alpha(None, None, None, 0)
    sizes = counts.sum(axis=1)
    equal = (counts * (counts - 1)).sum(axis=1) / (sizes - 1)
    _, places = np.unique(clusters, return_inverse=True)
    equals = np.bincount(places, weights=equal)
    values = np.stack([np.bincount(places, weights=column) for column in counts.T], axis=1)
    agreed = float(equal.sum() / sizes.sum())
    whole = float(_alpha(equal.sum(), counts.sum(axis=0)))
    if not np.isfinite(whole):
        return Alpha(None, None, agreed, len(counts))
    tuples = len(equals)
    if tuples < 2:
        return Alpha(whole, None, agreed, len(counts))
    left_out = _alpha(equal.sum() - equals, counts.sum(axis=0) - values)
    if not np.isfinite(left_out).all():  # all but one tuple have one value: who knows of the next
        return Alpha(whole, None, agreed, len(counts))
    variance = (tuples - 1) / tuples * float(((left_out - left_out.mean()) ** 2).sum())
    expected = (1 - agreed) / (1 - whole) if whole < 1 else _expected(counts.sum(axis=0))
    weights = values.sum(axis=1) / sizes.sum()
    ends = share_interval(
        [
            Sample(
                tuples=tuples,
                mean=agreed,
                variance=variance * expected**2,
                apart=float((((equal - agreed * sizes) / sizes.sum()) ** 2).sum()),
                fewest=1 / float((weights**2).sum()),
                most=len(counts),
            )
        ]
    )
    if ends is None:
        return Alpha(whole, None, agreed, len(counts))
    low, high = (1 - (1 - end) / expected for end in (ends.low, ends.high))
    return Alpha(
        whole, Interval(round(low, DIGITS) + 0.0, round(high, DIGITS) + 0.0), agreed, len(counts)
    )


def _expected(values: NDArray[np.float64]) -> float:
    """Disagreement by chance: the share of unequal pairs among all values."""
    total = values.sum()
    return float(1 - (values * (values - 1)).sum() / (total * (total - 1)))


def _alpha(equal: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Alpha from the equal pairs and how often each value was given (last axis); nan without."""
    import numpy as np

    total = values.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = 1 - equal / total
        expected = 1 - (values * (values - 1)).sum(axis=-1) / (total * (total - 1))
        found: NDArray[np.float64] = np.where(expected > 0, 1 - observed / expected, np.nan)
    return found
