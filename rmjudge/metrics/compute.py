"""From credits to the whole report of one scorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rmjudge.metrics.accuracy import Accuracies, accuracies_of, macro, matrix_of
from rmjudge.metrics.report import (
    NINE_CELLS,
    Design,
    DomainMetrics,
    Interval,
    Intervals,
    Metrics,
    Position,
    Reading,
)
from rmjudge.metrics.tallies import Asked, CellTally, Credits, strict, tally
from rmjudge.metrics.uncertainty import Rates, intervals_of, rates_of
from rmjudge.vocabulary import DOMAINS, Domain, Method, Order, in_order

READ: Final[dict[Reading, Callable[[float], float]]] = {"strict": strict, "half_credit": float}
"""What a credit is worth in a reading."""


def accuracies_over(credits: Mapping[Domain, Sequence[Credits]], reading: Reading) -> Accuracies:
    """Easy, Normal, Hard and their mean alone, macro-averaged over the domains with tuples."""
    parts = {domain: _readings(tally(tuples)) for domain, tuples in credits.items() if tuples}
    return macro({domain: part.of(reading) for domain, part in parts.items()})


@dataclass(frozen=True, slots=True)
class _Readings:
    strict: Accuracies
    half_credit: Accuracies

    def of(self, reading: Reading) -> Accuracies:
        return self.strict if reading == "strict" else self.half_credit


def headline_reading(method: Method) -> Reading:
    """Rewards headline the benchmark's strict reading, judges the half-credit one."""
    return "strict" if method == "pointwise" else "half_credit"


def compute_metrics(
    scorer: str,
    method: Method,
    order: Order | None,
    credits: Mapping[Domain, Sequence[Credits]],
    position: Position | None = None,
    *,
    splits: Mapping[Domain, Sequence[Credits]] | None = None,
    asked: Mapping[Domain, Sequence[Asked]] | None = None,
    design: Design = NINE_CELLS,
) -> Metrics:
    """Compute every number of `metrics.json`. Domains without tuples must be left out.

    `splits` says, tuple by tuple, in which cells a judge's verdicts of the two orders contradict
    each other (`metrics.uncertainty`). Without it, what was tied is not known of a judge that was
    asked in both orders. `asked` says, tuple by tuple, which cells were to be scored (all, where it
    is not given), and `design` by what plan.
    """
    reading = headline_reading(method)
    present = {domain: credits[domain] for domain in in_order(credits) if credits[domain]}
    masks = {domain: asked[domain] if asked else None for domain in present}
    tallies = {domain: tally(tuples, masks[domain]) for domain, tuples in present.items()}
    readings = {domain: _readings(cells) for domain, cells in tallies.items()}
    overall = _Readings(
        strict=macro({domain: part.strict for domain, part in readings.items()}),
        half_credit=macro({domain: part.half_credit for domain, part in readings.items()}),
    )
    each, intervals = intervals_of(present, READ[reading])
    rates = {
        domain: rates_of(tuples, splits[domain] if splits else None, order, masks[domain])
        for domain, tuples in present.items()
    }
    whole = _pooled_rates(present, splits, order, asked)
    domains = {
        domain: _domain(
            len(present[domain]),
            cells,
            readings[domain],
            reading,
            intervals=each[domain],
            rates=rates[domain],
        )
        for domain, cells in tallies.items()
    }
    flat = [cell for cells in tallies.values() for row in cells for cell in row]
    return Metrics(
        scorer=scorer,
        method=method,
        order=order,
        reading=reading,
        tuples=sum(len(tuples) for tuples in present.values()),
        domains=domains,
        missing_domains=tuple(domain for domain in DOMAINS if domain not in present),
        headline=overall.of(reading),
        strict=overall.strict,
        half_credit=overall.half_credit,
        intervals=intervals,
        tie_rate=whole.tie,
        unscored_cells=sum(cell.absent for cell in flat),
        bounds=_around(
            overall.of(reading).average, _macro_bounds([part.bounds for part in domains.values()])
        ),
        position=position,
        split_rate=whole.split,
        rates=whole.intervals,
        design=design,
        unasked_cells=sum(part.unasked_cells for part in domains.values()),
    )


def with_intervals(metrics: Metrics, credits: Mapping[Domain, Sequence[Credits]]) -> Metrics:
    """Make anew what a file of an earlier version lacks: what the tuples' credits can tell.

    Intervals, and what was tied where each pair was asked in one order; of a judge asked in both,
    credits do not tell ties from contradictions.
    """
    fresh = compute_metrics(metrics.scorer, metrics.method, metrics.order, credits)
    return replace(
        metrics,
        intervals=fresh.intervals,
        tie_rate=fresh.tie_rate,
        split_rate=fresh.split_rate,
        rates=fresh.rates,
        domains={
            domain: replace(
                part,
                intervals=fresh.domains[domain].intervals,
                tie_rate=fresh.domains[domain].tie_rate,
                split_rate=fresh.domains[domain].split_rate,
                rates=fresh.domains[domain].rates,
            )
            if domain in fresh.domains
            else part
            for domain, part in metrics.domains.items()
        },
    )


def _pooled_rates(
    present: Mapping[Domain, Sequence[Credits]],
    splits: Mapping[Domain, Sequence[Credits]] | None,
    order: Order | None,
    asked: Mapping[Domain, Sequence[Asked]] | None,
) -> Rates:
    every = [one for tuples in present.values() for one in tuples]
    split = None if splits is None else [one for domain in present for one in splits[domain]]
    masks = None if asked is None else [one for domain in present for one in asked[domain]]
    return rates_of(every, split, order, masks)


def _domain(
    tuples: int,
    cells: tuple[tuple[CellTally, ...], ...],
    readings: _Readings,
    reading: Reading,
    *,
    intervals: Intervals,
    rates: Rates,
) -> DomainMetrics:
    flat = [cell for row in cells for cell in row]
    unasked = tuples * len(flat) - sum(cell.scored + cell.absent for cell in flat)
    return DomainMetrics(
        tuples=tuples,
        matrix=matrix_of(cells, lambda cell: _value(cell, reading)),
        headline=readings.of(reading),
        strict=readings.strict,
        half_credit=readings.half_credit,
        intervals=intervals,
        tie_rate=rates.tie,
        unscored_cells=sum(cell.absent for cell in flat),
        bounds=_around(readings.of(reading).average, _bounds(flat, reading)),
        split_rate=rates.split,
        rates=rates.intervals,
        unasked_cells=unasked,
        cell_tuples=tuple(tuple(cell.scored for cell in row) for row in cells) if unasked else None,
    )


def _readings(cells: tuple[tuple[CellTally, ...], ...]) -> _Readings:
    return _Readings(
        strict=accuracies_of(matrix_of(cells, lambda cell: cell.wins)),
        half_credit=accuracies_of(matrix_of(cells, lambda cell: cell.credit)),
    )


def _value(cell: CellTally, reading: Reading) -> float:
    return cell.wins if reading == "strict" else cell.credit


def _bounds(cells: Sequence[CellTally], reading: Reading) -> Interval:
    """Average accuracy with every absent cell wrong, and with every one right.

    The mean of the nine cells is the mean of the three difficulties: each has three cells.
    """
    asked = [(cell, cell.scored + cell.absent) for cell in cells]
    # Of a cell that was asked of no tuple nothing is known.
    low = sum(_value(cell, reading) / count if count else 0.0 for cell, count in asked)
    high = sum(
        (_value(cell, reading) + cell.absent) / count if count else 1.0 for cell, count in asked
    )
    return Interval(low / len(cells), high / len(cells))


def _around(average: float | None, bounds: Interval) -> Interval:
    """The same sums in another order differ in the last bit: bounds never exclude the average."""
    if average is None:
        return bounds
    return Interval(min(bounds.low, average), max(bounds.high, average))


def _macro_bounds(bounds: Sequence[Interval]) -> Interval:
    if not bounds:
        return Interval(0.0, 1.0)
    low = sum(part.low for part in bounds) / len(bounds)
    high = sum(part.high for part in bounds) / len(bounds)
    return Interval(low, high)
