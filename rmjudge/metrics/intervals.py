"""95 % intervals over tuples: of shares, of their averages over domains, of paired differences.

The cells of a tuple depend on each other, so the tuple is the unit. An estimate is a weighted sum
of means of cells, and what each tuple adds to its error is the tuple's influence: where each cell
has its own tuples (not asked, not scored), the same sum holds. `docs/statistics.md` has the
formulas, their sources and how often the intervals hold the truth.

Plain Python, for a run and a report wait for it; sums are exact, so equal data give equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rmjudge.metrics.report import Interval

LEVEL: Final = 0.95
DIGITS: Final = 6
"""Ends are rounded to this many digits: the last bits of a root differ by processor."""
INTERIOR: Final = 0.125
"""Squared credit of the pseudo-tuple that represents tuples unlike all that were seen."""
ALONE: Final = 1.0
TOGETHER: Final = 0.3
"""The same of a difference of one cell: in one domain, and in each of several."""
_LAST: Final = 10.0**-DIGITS
_NORMAL: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
_PANELS: Final = 64
_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """What an interval needs of one domain's estimate.

    `tuples` counts those with a part in it. `variance` is the estimate's, with whole tuples as
    the unit; `apart` what it would be if cells did not depend on each other. `fewest` and
    `most` are the cases that the estimate is worth if the cells of a tuple are all alike, and if
    none depends on another (Kish: one over the sum of squared weights).
    """

    tuples: int
    mean: float
    variance: float
    apart: float
    fewest: float
    most: float


def weighted(tuples: Sequence[Sequence[float | None]], weights: Sequence[float]) -> Sample | None:
    """Estimate the weighted sum of the cells' means, each over the tuples that have the cell.

    `tuples` holds a value, or None, for each cell; `weights` one for each cell, 0 where it takes no
    part. None where a cell has fewer than two values: one does not tell how much tuples differ.
    """
    used = [cell for cell, weight in enumerate(weights) if weight]
    columns = [[one[cell] for one in tuples] for cell in used]
    known = [[value for value in column if value is not None] for column in columns]
    if not used or min(map(len, known)) < 2:
        return None
    means = [math.fsum(values) / len(values) for values in known]
    shares = [weights[cell] / len(values) for cell, values in zip(used, known, strict=True)]
    parts = list(zip(columns, means, shares, strict=True))
    influence = [0.0] * len(tuples)
    weight_of = [0.0] * len(tuples)
    for column, mean, share in parts:
        size = abs(share)
        for place, value in enumerate(column):
            if value is not None:
                influence[place] += share * (value - mean)
                weight_of[place] += size
    apart = math.fsum(
        share**2 * math.fsum((value - mean) ** 2 for value in values)
        for (_, mean, share), values in zip(parts, known, strict=True)
    )
    most = 1 / math.fsum(
        share**2 * len(values) for (*_, share), values in zip(parts, known, strict=True)
    )
    mean = math.fsum(weights[cell] * one for cell, one in zip(used, means, strict=True))
    return _sample(mean, influence, weight_of, apart, most)


def pooled(tuples: Sequence[Sequence[float | None]]) -> Sample | None:
    """Estimate the mean of all values there are, whatever tuple and cell they are of."""
    known = [[value for value in values if value is not None] for values in tuples]
    count = sum(map(len, known))
    if sum(map(bool, known)) < 2:
        return None
    mean = math.fsum(value for values in known for value in values) / count
    influence = [math.fsum(value - mean for value in values) / count for values in known]
    apart = math.fsum((value - mean) ** 2 for values in known for value in values) / count**2
    return _sample(mean, influence, [len(values) / count for values in known], apart, count)


def _sample(
    mean: float,
    influence: Sequence[float],
    weight_of: Sequence[float],
    apart: float,
    most: float,
) -> Sample:
    tuples = sum(weight > 0 for weight in weight_of)
    correction = tuples / (tuples - 1)
    return Sample(
        tuples=tuples,
        mean=mean,
        variance=correction * math.fsum(part**2 for part in influence),
        apart=correction * apart,
        fewest=1 / math.fsum(weight**2 for weight in weight_of),
        most=most,
    )


def share_interval(samples: Sequence[Sample | None]) -> Interval | None:
    """The interval of a share in [0, 1], or of the mean of several domains' shares.

    Wilson's (1927), with the number of independent cases that the tuples are worth (after Korn
    and Graubard, Survey Methodology 24, 1998) and a t quantile with Satterthwaite's (1946)
    degrees of freedom. None without a sample, or where a domain has none.
    """
    known = [sample for sample in samples if sample is not None]
    if not known or len(known) < len(samples):
        return None
    count = len(known)
    mean = math.fsum(sample.mean for sample in known) / count
    cases = effective_cases(known)
    variances = [
        sample.mean * (1 - sample.mean) / one / count**2
        for sample, one in zip(known, cases, strict=True)
    ]
    variance, spread = math.fsum(variances), mean * (1 - mean)
    if variance > 0:
        effective = spread / variance
    else:
        effective = count**2 / math.fsum(1 / one for one in cases)
    z2 = t_quantile(_freedom(known, variances)) ** 2
    middle = mean + z2 / (2 * effective)
    half = math.sqrt(z2 * (spread / effective + z2 / (4 * effective**2)))
    scale = 1 + z2 / effective
    return _rounded(min((middle - half) / scale, mean), max((middle + half) / scale, mean), 0.0)


def effective_cases(samples: Sequence[Sample]) -> list[float]:
    """How many independent yes-or-no cases the share of each domain is worth.

    That is `fewest`, what equal cells would give, times a ratio r between 1 and `most` / `fewest`:
    the variance of so many cases over that of the estimate. Few tuples of the rarer outcome do not
    tell how far cells depend, so r is shrunk towards the other domains', theirs towards 1:
    r' = (c r + (C R + 1) / (C + 1)) / (c + 1), c twice the domain's tuples of the rarer outcome, C
    their sum over the others, R the others' mean ratio by c.
    """
    ratios = list(map(_ratio, samples))
    told = [2 * s.tuples * min(max(s.mean, 0.0), max(1 - s.mean, 0.0)) for s in samples]
    weighed = [c * ratio for c, ratio in zip(told, ratios, strict=True)]
    found = []
    for place, sample in enumerate(samples):
        others = math.fsum(told) - told[place]
        target = (math.fsum(weighed) - weighed[place] + 1) / (others + 1)
        found.append(sample.fewest * (weighed[place] + target) / (told[place] + 1))
    return found


def _ratio(sample: Sample) -> float:
    mean = min(max(sample.mean, 0.0), 1.0)
    spread = mean * (1 - mean)
    if spread <= 0:
        return 1.0
    # Of yes-or-no cells with one mean nothing is missing; of ties, probabilities and cells that
    # always come out alike, rare tuples that differ may not have been seen yet.
    missing = max(0.0, 1 - sample.apart * sample.most / spread)
    unseen = INTERIOR * missing / sample.fewest**2
    variance, apart = sample.variance + unseen, sample.apart + unseen
    top = spread / apart if apart > 0 else sample.most
    cases = min(spread / variance, max(top, sample.fewest)) if variance > 0 else top
    return max(cases / sample.fewest, 1.0)


def difference_interval(
    samples: Sequence[Sample | None], p_value: float | None = None, stretch: float = 1.0
) -> Interval | None:
    """The interval of a difference in [-1, 1], or of the mean of several domains' differences.

    With the `p_value` of a test of no difference, 0 lies in it if and only if the test allows 0:
    an end that says otherwise ends at 0, the last digit of it where 0 is refused. `stretch` widens
    it: a repeated interval (Jennison and Turnbull, 1989) is as wide as the bound of its look.
    """
    known = [sample for sample in samples if sample is not None]
    if not known or len(known) < len(samples):
        return None
    error, freedom = difference_error(known)
    mean = math.fsum(sample.mean for sample in known) / len(known)
    half = stretch * t_quantile(freedom) * error
    low, high = mean - half, mean + half
    if p_value is not None and p_value < 1 - LEVEL:
        low, high = (max(low, _LAST), high) if mean > 0 else (low, min(high, -_LAST))
    elif p_value is not None:
        low, high = min(low, 0.0), max(high, 0.0)
    return _rounded(low, high, -1.0)


def difference_error(samples: Sequence[Sample]) -> tuple[float, float]:
    """The standard error of a (mean) difference and its degrees of freedom (Satterthwaite).

    The variance of a pseudo-tuple is added to each domain's: scorers that agreed on every tuple so
    far may differ on the next. Of K cells it has 1 / K^1.5 of a single cell's, the geometric mean
    of a tuple that differs in one of them (1 / K^2) and one whose cells differ apart (1 / K).
    """
    extra = ALONE if len(samples) == 1 else TOGETHER
    variances = [
        (sample.variance + extra * (sample.fewest / sample.most) ** 1.5 / sample.tuples**2)
        / len(samples) ** 2
        for sample in samples
    ]
    return math.sqrt(math.fsum(variances)), _freedom(samples, variances)


def _freedom(samples: Sequence[Sample], variances: Sequence[float]) -> float:
    """Satterthwaite's, within what the smallest domain has and what all have together.

    Without end where no tuple differs from another: then no variance is estimated.
    """
    least = min(sample.tuples for sample in samples) - 1
    most = sum(sample.tuples - 1 for sample in samples)
    parts = math.fsum(
        one**2 / (sample.tuples - 1) for sample, one in zip(samples, variances, strict=True)
    )
    if parts <= 0:
        return math.inf
    return min(max(math.fsum(variances) ** 2 / parts, least), most)


def _rounded(low: float, high: float, bottom: float) -> Interval:
    # + 0.0: no end is printed as -0.
    return Interval(round(max(low, bottom), DIGITS) + 0.0, round(min(high, 1.0), DIGITS) + 0.0)


@lru_cache(maxsize=256)
def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, for any degrees of freedom from 1 to without end.

    With t = sqrt(df) tan(a), the chance between 0 and t is the integral of cos(a)^(df - 1) over
    that of a right angle. Newton's steps on it, Simpson's rule: scipy would take a run as long to
    import as all else that a run imports.
    """
    if freedom == math.inf:
        return _NORMAL
    whole = (
        math.sqrt(math.pi) / 2 * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    )
    target = LEVEL / 2 * 2 * whole
    angle = math.atan(_NORMAL / math.sqrt(freedom))
    for _ in range(_STEPS):
        step: float = (target - _integral(angle, freedom - 1)) / math.cos(angle) ** (freedom - 1)
        angle = min(angle + step, (angle + math.pi / 2) / 2)
        if abs(step) < 1e-13:
            break
    return float(math.sqrt(freedom) * math.tan(angle))


def _integral(angle: float, power: float) -> float:
    """The integral of cos^power from 0 to an angle."""
    width = angle / (2 * _PANELS)
    heights = [math.cos(width * place) ** power for place in range(2 * _PANELS + 1)]
    inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
    return float(width / 3 * (heights[0] + inner + heights[-1]))
