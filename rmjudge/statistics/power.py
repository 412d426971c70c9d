"""How many tuples it takes to see a difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POWER: Final = 0.8
ALPHA: Final = 0.05
FEWEST: Final = 6
"""Tuples that all speak for one scorer and reach p < 0.05 in the exact test: 2 / 2^6."""


def tuples_needed(strata: Sequence[NDArray[np.float64]]) -> int | None:
    """Tell how many tuples would show a difference of the size found, with 80 % power.

    `strata` holds each domain's paired differences, one a tuple. The normal approximation for
    paired data (Cohen, Statistical Power Analysis, 1988, chapter 2):
    n = ((z(1 - alpha/2) + z(power)) * s / difference)^2 with two-sided alpha 5 %. The standard
    error is that of the mean over domains, with tuples added to all domains in proportion:
    N * se^2 stands in for s^2. None without a difference, or with a domain of a single tuple.

    Never below FEWEST: fewer tuples cannot reach ALPHA, whatever they say.

    The size found is itself uncertain: this is an order of magnitude for planning, no promise.
    """
    from scipy.special import ndtri

    if any(len(part) < 2 for part in strata):
        return None
    difference = sum(float(part.mean()) for part in strata) / len(strata)
    variance = sum(float(part.var(ddof=1)) / len(part) for part in strata) / len(strata) ** 2
    if abs(difference) < 1e-12 or variance == 0:
        return None
    z = float(ndtri(1 - ALPHA / 2) + ndtri(POWER))
    tuples = sum(len(part) for part in strata)
    return max(FEWEST, math.ceil(tuples * variance * (z / difference) ** 2))
