"""What style is worth to a scorer when the substance is held fixed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.intervals import cell_replicates, percentiles
from rmjudge.metrics.report import Interval, Position, Reading
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.regression import Fit, linear, logistic
from rmjudge.statistics.scored import READERS, Scored
from rmjudge.vocabulary import CELLS, DOMAINS, Domain, TupleKey

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
    doubling of the chosen's length beside the rejected's. `substance` is P(win) with style and
    length equal, a mean over domains. `separated`: no finite coefficients fit best; these are
    the likeliest under a prior.
    """

    detail: Estimate
    markdown: Estimate
    length: Estimate
    substance: float
    separated: bool


@dataclass(frozen=True, slots=True)
class Style:
    """One scorer's style report.

    `correctness` is the macro average of the nine cells; in it every style is as often the
    chosen's as the rejected's. `gaps` has a value a domain and, for None, the macro average.
    `slope` is what P(win) gains with each doubling of the chosen's length beside the rejected's.
    `model` is None where the data cannot tell style from length. `cells` counts the cells that
    were scored.
    """

    name: str
    reading: Reading
    tuples: int
    cells: int
    correctness: Estimate
    gaps: Mapping[Domain | None, Gaps]
    slope: Estimate
    model: Model | None
    position: Position | None = None

    @property
    def overall(self) -> Gaps:
        """The gaps averaged over the domains there are."""
        return self.gaps[None]

    @property
    def verbosity(self) -> Estimate:
        """What P(win) gains by detail alone: the axis across of the article's scatter."""
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
    import numpy as np

    read = READERS[reading]
    by_domain = scored.by_domain()
    domains = [domain for domain in DOMAINS if domain in by_domain]
    points = {domain: _means(by_domain[domain], read) for domain in domains}
    drawn = {domain: cell_replicates(domain, by_domain[domain], read) for domain in domains}
    gaps: dict[Domain | None, Gaps] = {
        domain: _gaps(points[domain], drawn[domain]) for domain in domains
    }
    # Averages over domains of cells are averages over domains of what is linear in cells.
    macro = np.mean([points[domain] for domain in domains], axis=0)
    macro_drawn = np.mean([drawn[domain] for domain in domains], axis=0)
    gaps[None] = _gaps(macro, macro_drawn)
    rows = _rows(scored, lengths, read, domains)
    return Style(
        name=scored.name,
        reading=reading,
        tuples=len(scored.credits),
        cells=len(rows.won),
        correctness=_estimate(float(macro.mean()), macro_drawn.mean(axis=1)),
        gaps=gaps,
        slope=_slope(rows),
        model=_model(rows),
        position=position,
    )


def _means(credits: Sequence[Credits], read: Callable[[float], float]) -> NDArray[np.float64]:
    """Mean of each cell over the tuples that have it (9); NaN where none has."""
    import numpy as np

    cells = [[read(c) for m in credits if (c := m[i][j]) is not None] for i, j in CELLS]
    return np.array([np.mean(cell) if cell else np.nan for cell in cells])


def _gaps(point: NDArray[np.float64], drawn: NDArray[np.float64]) -> Gaps:
    import numpy as np

    values, draws = {}, {}
    for name, (fancy, plain) in PAIRS.items():
        won, lost = CELLS.index((fancy, plain)), CELLS.index((plain, fancy))
        values[name] = float(point[won] - point[lost])
        draws[name] = drawn[:, won] - drawn[:, lost]
    return Gaps(
        **{name: _estimate(values[name], draws[name]) for name in PAIRS},
        all=_estimate(float(np.mean(list(values.values()))), np.mean(list(draws.values()), axis=0)),
    )


def _estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    if value != value:  # noqa: PLR0124 - NaN is unlike itself
        return Estimate(None)
    return Estimate(value, percentiles(drawn))


@dataclass(frozen=True, slots=True)
class _Rows:
    """A row a scored cell: which domain (dummies), style and length differences, the outcome."""

    domains: NDArray[np.float64]
    styles: NDArray[np.float64]
    length: NDArray[np.float64]
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
            won.append(read(credit))
            tuples.append(number)
    present = sorted(set(domain_of))
    dummies = np.array([[float(d == own) for d in present] for own in domain_of])
    return _Rows(
        domains=dummies.reshape(len(won), len(present)),
        styles=np.array(styles, dtype=np.float64).reshape(len(won), 2),
        length=np.array(longer, dtype=np.float64),
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


def _model(rows: _Rows) -> Model | None:
    """Fit log-odds of the win on style and length, with a level for each domain.

    After the style control of LMSYS's arena (lmsys.org/blog/2024-08-28-style-control), but for
    the difference in length: there (a - b) / (a + b), here log2(a / b), so that 1 is twice as
    long and 2 four times. Where that model has a coefficient for every player, the right answer
    is one and the wrong the other: a level for each domain.
    """
    import numpy as np

    fit = logistic(np.column_stack([rows.domains, rows.styles, rows.length]), rows.won, rows.tuples)
    if fit is None:
        return None
    levels = np.array(fit.coefficients[: rows.domains.shape[1]])
    detail, markdown, length = (
        Estimate(value, interval)
        for value, interval in zip(fit.coefficients[-3:], fit.intervals[-3:], strict=True)
    )
    return Model(
        detail=detail,
        markdown=markdown,
        length=length,
        substance=float(np.mean(1 / (1 + np.exp(-levels)))),
        separated=fit.separated,
    )


def _last(fit: Fit) -> Estimate:
    return Estimate(fit.coefficients[-1], fit.intervals[-1])
