"""A cheap scorer that scored every tuple, as control variate of a run that scored a part of them.

Where the two go along, what the cheap one does on the other tuples tells something of what the
dear one would do there: the regression estimator of double sampling (Cochran, Sampling Techniques,
3rd edition 1977, section 12.6), a slope by least squares for each domain. Where they do not, the
slope adds error: under a correlation of 0.3 the estimate is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from rmjudge.errors import UsageError
from rmjudge.metrics.intervals import (
    Sample,
    difference_error,
    difference_interval,
    share_interval,
)
from rmjudge.metrics.report import Interval, Reading
from rmjudge.statistics.comparison import COLUMNS
from rmjudge.statistics.pairing import sample_of, share
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import CELLS, PARTS, Domain, Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Cells: TypeAlias = Mapping[Domain, NDArray[np.float64]]

LEAST: Final = 0.3
"""The correlation, either way, under which nothing is estimated."""
FEWEST: Final = 10
"""A domain with fewer tuples of its own keeps its plain mean: a slope would be noise."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A part of what one scorer, or the difference of two, would show on all tuples.

    `correlation` is that of a tuple's mean with the cheap scorer's, within the domains; None where
    one of them never varies. `asked` is the plain mean over the tuples asked, `value` the estimate
    over all; fractions, the means of the domains. `value` and `interval` are None where nothing is
    won: a correlation under `LEAST`, or an interval that is no narrower. `p` tests a difference of
    0, by the error of `interval`; None of an accuracy.
    """

    part: Part
    correlation: float | None
    asked: float
    asked_interval: Interval | None
    value: float | None = None
    interval: Interval | None = None
    p: float | None = None

    @property
    def narrower(self) -> float | None:
        """The width of `interval` over that of `asked_interval`."""
        if self.interval is None or self.asked_interval is None:
            return None
        return _width(self.interval) / _width(self.asked_interval)


@dataclass(frozen=True, slots=True)
class Controlled:
    """The estimates of each subject: a scorer, or `(first, second)` for their difference.

    `asked` counts the tuples of each domain that all scored, `tuples` those of the cheap scorer.
    `without` counts tuples that the scorers share and the cheap one lacks, `incomplete` those with
    a cell that failed; neither takes part.
    """

    cheap: str
    reading: Reading
    asked: Mapping[Domain, int]
    tuples: Mapping[Domain, int]
    without: int
    incomplete: int
    estimates: Mapping[tuple[str, ...], tuple[Estimate, ...]]


def control(scored: Sequence[Scored], cheap: Scored, reading: Reading) -> Controlled:
    """Estimate what one scorer, or two and their difference, would show on all of `cheap`'s tuples.

    It is unbiased, but for the error of the slope, if the tuples asked are like the others.

    Raises:
        UsageError: not all nine cells were asked, nothing is shared, or `cheap` has no tuple more.
    """
    for item in (*scored, cheap):
        if item.cells < len(CELLS):
            raise UsageError(
                f"{item.name} was asked {item.cells} cells a tuple; --with needs all nine "
                "(`rmjudge run ... --cells 9` buys the rest)"
            )
    shared = share([*scored, cheap], reading)
    alone = share([cheap], reading)
    every = {domain: alone.values[domain][0] for domain in shared.values}
    asked = {domain: len(keys) for domain, keys in shared.tuples.items()}
    tuples = {domain: len(values) for domain, values in every.items()}
    if asked == tuples:
        raise UsageError(
            f"{cheap.name} scored no tuple more than the other runs: a cheap scorer helps where "
            "they scored a part of its tuples. Compare without --with"
        )
    subjects: dict[tuple[str, ...], Cells] = {
        (item.name,): {domain: values[place] for domain, values in shared.values.items()}
        for place, item in enumerate(scored)
    }
    if len(scored) > 1:
        first, second = subjects.values()
        names = (scored[0].name, scored[1].name)
        subjects[names] = {domain: first[domain] - second[domain] for domain in first}
    near = {domain: values[-1] for domain, values in shared.values.items()}
    return Controlled(
        cheap=cheap.name,
        reading=reading,
        asked=asked,
        tuples=tuples,
        without=len(share(scored, reading)) - len(shared),
        incomplete=shared.incomplete,
        estimates={
            names: tuple(_estimates(own, near, every, paired=len(names) > 1))
            for names, own in subjects.items()
        },
    )


def _estimates(own: Cells, near: Cells, every: Cells, *, paired: bool) -> Iterator[Estimate]:
    interval: Callable[[Sequence[Sample | None]], Interval | None] = (
        difference_interval if paired else share_interval
    )
    for part in PARTS:
        columns = list(COLUMNS[part])
        plain = [sample_of(cells[:, columns]) for cells in own.values()]
        means = [float(cells[:, columns].mean()) for cells in own.values()]
        pairs = [
            _Domain(*(cells[domain][:, columns].mean(axis=1) for cells in (own, near, every)))
            for domain in own
        ]
        found = Estimate(part, _correlation(pairs), sum(means) / len(means), interval(plain))
        if found.correlation is not None and abs(found.correlation) >= LEAST:
            found = _controlled(found, plain, pairs, interval, paired=paired)
        yield found


def _controlled(
    found: Estimate,
    plain: Sequence[Sample | None],
    pairs: Sequence[_Domain],
    interval: Callable[[Sequence[Sample | None]], Interval | None],
    *,
    paired: bool,
) -> Estimate:
    """Add the estimate, where its interval is the narrower one."""
    from scipy.special import stdtr

    samples = [
        None if sample is None else pair.applied(sample)
        for sample, pair in zip(plain, pairs, strict=True)
    ]
    known = [sample for sample in samples if sample is not None]
    ends = interval(samples)
    if ends is None or found.asked_interval is None:
        return found
    if _width(ends) >= _width(found.asked_interval):
        return found
    value = math.fsum(sample.mean for sample in known) / len(known)
    p = None
    if paired:
        error, freedom = difference_error(known)
        p = float(2 * stdtr(freedom, -abs(value) / error))
    return replace(found, value=value, interval=ends, p=p)


@dataclass(frozen=True, slots=True)
class _Domain:
    """The means of a domain's tuples: the subject's, the cheap scorer's on them, and on all."""

    own: NDArray[np.float64]
    near: NDArray[np.float64]
    every: NDArray[np.float64]

    def products(self) -> tuple[float, float, float]:
        """The sums of squares and of products about the means: own, near, both."""
        own, near = self.own - self.own.mean(), self.near - self.near.mean()
        return float(own @ own), float(near @ near), float(own @ near)

    def applied(self, sample: Sample) -> Sample:
        """Move the mean along the slope, and let the tuples be worth as many more as it saves.

        The variance is that of Cochran's equation 12.63, with the error of the slope
        ((1 - n/N)/(n - 3) of the residual variance, as in his 12.64).
        """
        own, near, both = self.products()
        n, share_of = len(self.own), len(self.own) / len(self.every)
        if n < FEWEST or own <= 0 or near <= 0:
            return sample
        moved = both / near * float(self.every.mean() - self.near.mean())
        told = both**2 / own / near
        left = (1 - told) * (n - 1) / (n - 2) * (1 + (1 - share_of) / (n - 3))
        saved = left + told * share_of
        return replace(
            sample,
            mean=sample.mean + moved,
            variance=sample.variance * saved,
            apart=sample.apart * saved,
            fewest=sample.fewest / saved,
            most=sample.most / saved,
        )


def _correlation(pairs: Sequence[_Domain]) -> float | None:
    own, near, both = (math.fsum(sums) for sums in zip(*(p.products() for p in pairs), strict=True))
    return both / math.sqrt(own * near) if own > 0 and near > 0 else None


def _width(interval: Interval) -> float:
    return interval.high - interval.low
