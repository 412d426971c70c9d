"""What style is worth to a scorer when the substance is held fixed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rmjudge.metrics.intervals import Sample, difference_interval, share_interval, weighted
from rmjudge.metrics.report import Interval, Position, Reading
from rmjudge.metrics.uncertainty import nine
from rmjudge.statistics.regression import Fit, linear, logistic
from rmjudge.statistics.scored import READERS, Scored
from rmjudge.vocabulary import CELLS, Domain, TupleKey, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rmjudge.dataset.tuples import BenchTuple

PAIRS: Final = {"detail": (1, 0), "markdown": (2, 1), "both": (2, 0)}
"""The fancier style and the plainer one that a gap is between."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters of a tuple's responses, style by style."""

    chosen: tuple[int, int, int]
    rejected: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval by tuple; None where there is no data for it."""

    value: float | None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Gaps:
    """What P(win) gains when the fancier of two styles moves from the rejected to the chosen.

    The same two answers, so substance is held fixed; 0 for a scorer that style does not move,
    1 for one that only looks at it. `detail`: detailed instead of concise, both plain text;
    `markdown`: Markdown instead of plain text, both detailed; `both`: the two together. `all`
    is their mean, which is Easy less Hard.
    """

    detail: Estimate
    markdown: Estimate
    both: Estimate
    all: Estimate


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model of the chosen's win; coefficients are log-odds.

    `detail` and `markdown`: the chosen has the style and the rejected has not. `length`: each
    doubling of the chosen's length beside the rejected's. `thousand`: each 1,000 characters that
    the chosen has more, None in a model without that column. `substance` is P(win) with style and
    length equal, a mean over domains. `separated`: no finite coefficients fit best; these are
    the likeliest under a prior.
    """

    detail: Estimate
    markdown: Estimate
    length: Estimate
    substance: float
    separated: bool
    thousand: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """One scorer's style report.

    `correctness` is the macro average of the nine cells; in it every style is as often the
    chosen's as the rejected's. `gaps` has a value a domain and, for None, the macro average.
    `slope` is what P(win) gains with each doubling of the chosen's length beside the rejected's.
    `model` has the length as a ratio, `both_lengths` as a ratio and as a difference: a scorer that
    likes length by the character shows a worth of Markdown that it has not in the first, hardly in
    the second. Either is None where the data cannot tell style from length. `cells` counts the
    cells that were scored.
    """

    name: str
    reading: Reading
    tuples: int
    cells: int
    correctness: Estimate
    gaps: Mapping[Domain | None, Gaps]
    slope: Estimate
    model: Model | None
    both_lengths: Model | None = None
    position: Position | None = None

    @property
    def overall(self) -> Gaps:
        """The gaps averaged over the domains there are."""
        return self.gaps[None]

    @property
    def verbosity(self) -> Estimate:
        """What P(win) gains by detail alone: the axis across of the scatter of scorers."""
        return self.overall.detail


def lengths_of(item: BenchTuple) -> Lengths:
    """Count the characters of a tuple's responses."""
    (a, b, c), (d, e, f) = item.chosen, item.rejected
    return Lengths((len(a), len(b), len(c)), (len(d), len(e), len(f)))


def style_of(
    scored: Scored,
    lengths: Mapping[TupleKey, Lengths],
    reading: Reading,
    position: Position | None = None,
) -> Style:
    """Compute the style report of one scorer; `lengths` must hold its tuples."""
    read = READERS[reading]
    by_domain = scored.by_domain()
    domains = in_order(by_domain)
    cells = {
        domain: [[None if c is None else read(c) for c in nine(m)] for m in by_domain[domain]]
        for domain in domains
    }
    gaps: dict[Domain | None, Gaps] = {domain: _gaps([cells[domain]]) for domain in domains}
    gaps[None] = _gaps(list(cells.values()))
    rows = _rows(scored, lengths, read, domains)
    return Style(
        name=scored.name,
        reading=reading,
        tuples=len(scored.credits),
        cells=len(rows.won),
        correctness=_correctness(list(cells.values())),
        gaps=gaps,
        slope=_slope(rows),
        model=_model(rows, (rows.length,)),
        both_lengths=_model(rows, (rows.length, rows.thousands)),
        position=position,
    )


_Cells: TypeAlias = Sequence[Sequence[float | None]]
"""A domain's tuples, nine cells each."""


def _correctness(domains: Sequence[_Cells]) -> Estimate:
    return _estimate(domains, (1 / len(CELLS),) * len(CELLS), share_interval)


def _gaps(domains: Sequence[_Cells]) -> Gaps:
    """The gaps, averaged over domains: each is a weighted sum of cells."""
    weights = {
        name: tuple(float(cell == (a, b)) - float(cell == (b, a)) for cell in CELLS)
        for name, (a, b) in PAIRS.items()
    }
    every = tuple(sum(column) / len(weights) for column in zip(*weights.values(), strict=True))
    return Gaps(
        **{name: _estimate(domains, one, difference_interval) for name, one in weights.items()},
        all=_estimate(domains, every, difference_interval),
    )


def _estimate(
    domains: Sequence[_Cells],
    weights: Sequence[float],
    interval: Callable[[Sequence[Sample | None]], Interval | None],
) -> Estimate:
    """The mean over domains of the weighted cells; no value where a cell has none."""
    values: list[float] = []
    for tuples in domains:
        known = [
            (weight, [one[cell] for one in tuples if one[cell] is not None])
            for cell, weight in enumerate(weights)
            if weight
        ]
        if not all(column for _, column in known):
            return Estimate(None)
        values.append(
            math.fsum(
                weight * math.fsum(value for value in column if value is not None) / len(column)
                for weight, column in known
            )
        )
    return Estimate(
        math.fsum(values) / len(values), interval([weighted(part, weights) for part in domains])
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """A row a scored cell: which domain (dummies), style and length differences, the outcome."""

    domains: NDArray[np.float64]
    styles: NDArray[np.float64]
    length: NDArray[np.float64]
    thousands: NDArray[np.float64]
    won: NDArray[np.float64]
    tuples: NDArray[np.int64]


def _rows(
    scored: Scored,
    lengths: Mapping[TupleKey, Lengths],
    read: Callable[[float], float],
    domains: Sequence[Domain],
) -> _Rows:
    import numpy as np

    domain_of: list[int] = []
    styles: list[tuple[int, int]] = []
    longer: list[float] = []
    thousands: list[float] = []
    won: list[float] = []
    tuples: list[int] = []
    for number, (key, credits) in enumerate(scored.credits.items()):
        size = lengths[key]
        for i, j in CELLS:
            credit = credits[i][j]
            if credit is None:
                continue
            chosen, rejected = size.chosen[i], size.rejected[j]
            domain_of.append(domains.index(key[0]))
            styles.append(((i > 0) - (j > 0), (i > 1) - (j > 1)))
            longer.append(_doublings(chosen, rejected))
            thousands.append((max(chosen, 1) - max(rejected, 1)) / 1000)
            won.append(read(credit))
            tuples.append(number)
    present = sorted(set(domain_of))
    dummies = np.array([[float(d == own) for d in present] for own in domain_of])
    return _Rows(
        domains=dummies.reshape(len(won), len(present)),
        styles=np.array(styles, dtype=np.float64).reshape(len(won), 2),
        length=np.array(longer, dtype=np.float64),
        thousands=np.array(thousands, dtype=np.float64),
        won=np.array(won, dtype=np.float64),
        tuples=np.array(tuples, dtype=np.int64),
    )


def _doublings(chosen: int, rejected: int) -> float:
    """How often the rejected's length is doubled to give the chosen's; no text counts as one."""
    return math.log2(max(chosen, 1) / max(rejected, 1))


def _slope(rows: _Rows) -> Estimate:
    """Least squares of the win on the length difference, with a level for each domain."""
    import numpy as np

    fit = linear(np.column_stack([rows.domains, rows.length]), rows.won, rows.tuples)
    return Estimate(None) if fit is None else _last(fit)


def _model(rows: _Rows, lengths: Sequence[NDArray[np.float64]]) -> Model | None:
    """Fit log-odds of the win on style and length, with a level for each domain.

    After the style control of LMSYS's arena (lmsys.org/blog/2024-08-28-style-control), but for
    the difference in length: there (a - b) / (a + b), here log2(a / b), so that 1 is twice as
    long and 2 four times. Where that model has a coefficient for every player, the right answer
    is one and the wrong the other: a level for each domain.

    What a scorer gives by the character is no straight line on log2(a / b), and Markdown, which
    goes with length, takes up the rest: hence the second form, with a - b as another column.
    """
    import numpy as np

    fit = logistic(np.column_stack([rows.domains, rows.styles, *lengths]), rows.won, rows.tuples)
    if fit is None:
        return None
    first = rows.domains.shape[1]
    levels = np.array(fit.coefficients[:first])
    detail, markdown, length, *more = (
        Estimate(value, interval)
        for value, interval in zip(fit.coefficients[first:], fit.intervals[first:], strict=True)
    )
    return Model(
        detail=detail,
        markdown=markdown,
        length=length,
        substance=float(np.mean(1 / (1 + np.exp(-levels)))),
        separated=fit.separated,
        thousand=more[0] if more else None,
    )


def _last(fit: Fit) -> Estimate:
    return Estimate(fit.coefficients[-1], fit.intervals[-1])
