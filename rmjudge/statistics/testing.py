"""Are two scorers different? McNemar's test by tuple; corrections for having tested more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT: Final = 18
"""Up to so many discordant tuples all sign patterns are counted: 262,144 of them."""
_SAME: Final = 1e-9
"""Two sums of the same terms in another order differ by less."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A two-sided p-value; `discordant` counts the tuples on which the scorers differ.

    `z` is the root of the statistic, 0 without a discordant tuple.
    """

    p_value: float
    discordant: int
    exact: bool
    z: float = 0.0


def mcnemar(strata: Sequence[NDArray[np.float64]]) -> PairedTest:
    """Test that two scorers are as good as each other, tuple by tuple.

    `strata` holds an array a domain: for each tuple the difference of what the two scorers
    get of its cells (of one difficulty, or all nine). Domains weigh the same, as in the macro
    average that is tested.

    McNemar (1947) counts the cases b that only one and c that only the other gets right:
    (b - c)^2 / (b + c). The cells of a tuple depend on each other, so counting each of them as
    a case would find differences that are not there. The unit is the tuple: its cells are summed
    to d = b - c, and the statistic is (sum d)^2 / sum d^2, chi-squared with one degree of
    freedom. That is McNemar's where a tuple has one cell, and the test for clustered matched
    pairs of Durkalski et al. (Statistics in Medicine 22, 2003) where each has as many. A tie
    read as half a win is half of b or c.

    With at most EXACT discordant tuples the chi-squared distribution is a poor guide. Then the
    p-value is counted: under the null hypothesis each tuple's d is as likely to have the other
    sign (Fisher's randomisation test; with one cell a tuple, McNemar's exact binomial one).
    """
    import numpy as np
    from scipy.special import chdtrc

    weighted = np.concatenate([part / (len(part) * len(strata)) for part in strata])
    moved = weighted[weighted != 0]
    if not len(moved):
        return PairedTest(1.0, 0, exact=True)
    total = abs(float(moved.sum()))
    statistic = total**2 / float((moved**2).sum())
    if len(moved) > EXACT:
        return PairedTest(
            float(chdtrc(1, statistic)), len(moved), exact=False, z=math.sqrt(statistic)
        )
    sums = np.zeros(1)
    for step in moved:
        sums = np.concatenate([sums + step, sums - step])
    extreme = np.abs(sums) >= total - _SAME * float(np.abs(moved).sum())
    return PairedTest(float(extreme.mean()), len(moved), exact=True, z=math.sqrt(statistic))


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct for having made several tests (Holm, 1979); valid however they depend.

    The smallest p-value is multiplied by their number, the next by one less, and so on; no
    corrected value is below that of a smaller p-value, nor above 1.
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    for done, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - done)))
        corrected[index] = largest
    return corrected


def gatekept(p_values: Sequence[float], pairs: int = 1) -> list[float]:
    """Correct a pair's tests: the last, of the average, comes first and alone; then the rest.

    The rest are corrected by Holm and count only where the average's test has passed (serial
    gatekeeping: Westfall and Krishen, Journal of Statistical Planning and Inference 99, 2001), so
    the average pays nothing for them. With several pairs each has its share of the 5 %.
    """
    *rest, gate = p_values
    first = min(1.0, gate * pairs)
    return [*(min(1.0, max(first, one * pairs)) for one in holm(rest)), first]
