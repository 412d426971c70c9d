"""All numbers of one scorer on one data set, as one value: what `metrics.json` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rmjudge.forms import Encoded, Shown
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.tallies import Matrix
from rmjudge.vocabulary import CELLS, Domain, Method, Order, is_benchmark

Reading: TypeAlias = Literal["strict", "half_credit"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval over tuples (`metrics.intervals`); fractions."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of the headline accuracies; None where there is no data."""

    easy: Interval | None
    normal: Interval | None
    hard: Interval | None
    average: Interval | None


@dataclass(frozen=True, slots=True)
class RateIntervals:
    """Intervals of the shares of cells that were tied, split between the orders, not scored."""

    tie: Interval | None = None
    split: Interval | None = None
    unscored: Interval | None = None


NO_RATES: Final = RateIntervals()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a judge's verdicts fall.

    `first_share` is the share of decided verdicts for the response shown first.
    `swap_consistency` is the share of pairs whose verdict survives the swap, None unless both
    orders were asked. `first_matrix` and `swap_matrix` are the same two shares per cell (3x3).
    """

    decided: int
    first_share: float | None
    swap_consistency: float | None = None
    swap_matrix: Matrix | None = None
    first_matrix: Matrix | None = None
    first_interval: Interval | None = None
    swap_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of the `tuples` of a run with a fallback each scorer has scored."""

    by_scorer: Mapping[str, int]
    tuples: int


@dataclass(frozen=True, slots=True)
class Design:
    """What part of the work a scorer was asked, where that is not all of it.

    `cells` of a tuple's nine, by hash of its texts (`planning.sampling`). `audit` is the share of
    the tuples asked in both orders with the order of that name. `until` is what the run was asked
    to know before it stops (`running.stopping`), of `tuples_of` tuples.
    """

    cells: int = len(CELLS)
    audit: float | None = None
    until: str | None = None
    tuples_of: int | None = None


NINE_CELLS: Final = Design()


@dataclass(frozen=True, slots=True)
class DomainMetrics:
    """One domain: its matrix in the headline reading, both readings' accuracies, and doubts.

    Rates as in `Metrics`, of this domain. `cell_tuples` counts the tuples in which each cell was
    scored, where not all cells of a tuple were asked (`unasked_cells`).
    """

    tuples: int
    matrix: Matrix
    headline: Accuracies
    strict: Accuracies
    half_credit: Accuracies
    intervals: Intervals
    tie_rate: float | None
    unscored_cells: int
    bounds: Interval
    split_rate: float | None = None
    rates: RateIntervals = NO_RATES
    unasked_cells: int = 0
    cell_tuples: tuple[tuple[int, ...], ...] | None = None

    @property
    def asked_cells(self) -> int:
        """The cells that were to be scored."""
        return self.tuples * len(CELLS) - self.unasked_cells


@dataclass(frozen=True, slots=True)
class Metrics(Encoded, Shown):
    """One scorer. `headline` is `strict` for rewards and `half_credit` for judges.

    `bounds` is the headline average with every absent cell wrong, and with every one right.
    `tie_rate` is the share of scored cells that were tied: equal rewards, or a judge that said so
    in every order it was asked. `split_rate` is the share of the cells asked in both orders whose
    verdicts contradict each other; None where none was. Each gives half a credit, and neither is
    the other. `shares` is None unless a fallback scored a part. `unasked_cells` were left out by
    `design`: they are no failure, and `unscored_cells` does not count them.
    """

    scorer: str
    method: Method
    order: Order | None
    reading: Reading
    tuples: int
    domains: dict[Domain, DomainMetrics]
    missing_domains: tuple[Domain, ...]
    headline: Accuracies
    strict: Accuracies
    half_credit: Accuracies
    intervals: Intervals
    tie_rate: float | None
    unscored_cells: int
    bounds: Interval
    position: Position | None = None
    shares: Shares | None = None
    split_rate: float | None = None
    rates: RateIntervals = NO_RATES
    design: Design = NINE_CELLS
    unasked_cells: int = 0

    @property
    def asked_cells(self) -> int:
        """The cells that were to be scored."""
        return self.tuples * len(CELLS) - self.unasked_cells

    @property
    def complete(self) -> bool:
        """The domains are the benchmark's four, and every one of the nine cells is scored."""
        return is_benchmark(self.domains) and not self.unscored_cells and not self.unasked_cells
