"""A run's row among the published ones.

Rows are ranked by Overall as the benchmark defines it, recomputed where a row's figures allow it:
a row whose own Overall contradicts its domains, or weighs them by their tuples, does not stand
above what its domains say. Where a row has figures that its source contradicts, the source's are
taken. A run that is not over the whole benchmark has no rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rmjudge.leaderboard.mismatch import mismatch
from rmjudge.leaderboard.published import Figures, PublishedRow, Remark
from rmjudge.metrics.report import Metrics
from rmjudge.vocabulary import DOMAINS, Domain, average_over

BENCHMARK: Final[dict[Domain, int]] = {"chat": 129, "math": 529, "code": 228, "safety": 441}
"""Tuples of RM-Bench by domain (data files at commit 73c52d7)."""
_DIGITS: Final = 9
"""Means of the same figures in another order differ in the last bits; ranks must not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table. `rank` is None for what cannot be ranked, and `unranked` says why.

    `average` is what is ranked by. `doubts` are sentences about the row. `cells` and `unscored`
    count a run's cells. `corrected` holds the figures that are a source's, `replaced` what was
    published in their places. `by_tuples` names the figures that weigh domains by their tuples.
    """

    name: str
    type: str
    figures: Figures
    average: float | None
    source: str = ""
    license: str = ""
    is_run: bool = False
    rank: int | None = None
    unranked: str = ""
    doubts: tuple[str, ...] = ()
    cells: int = 0
    unscored: int = 0
    corrected: Mapping[str, float] = field(default_factory=dict)
    replaced: Mapping[str, float | None] = field(default_factory=dict)
    by_tuples: frozenset[str] = frozenset()


def stand(rows: Sequence[PublishedRow], runs: Sequence[tuple[str, Metrics]]) -> list[Entry]:
    """Rank published rows and runs (by the names given) together, the unranked runs last."""
    return ranked(rows, [_run(name, metrics) for name, metrics in runs])


def ranked(rows: Sequence[PublishedRow], runs: Sequence[Entry]) -> list[Entry]:
    """Rank published rows and entries of runs together, the unranked last."""
    entries = [_published(row) for row in rows] + list(runs)
    fit = [entry for entry in entries if not entry.unranked and entry.average is not None]
    rest = [entry for entry in entries if entry not in fit]
    values = [_key(entry) for entry in fit]
    placed = [
        replace(entry, rank=1 + sum(other > value for other in values))
        for entry, value in zip(fit, values, strict=True)
    ]
    return sorted(placed, key=lambda entry: entry.rank or 0) + rest


def excerpt(entries: Sequence[Entry], top: int | None, around: int | None) -> list[Entry]:
    """Keep the `top` best and the runs, and so many rows `around` each run on either side.

    Without either, all. A run without a rank has no neighbours.
    """
    if top is None and around is None:
        return list(entries)
    places = {place for place, entry in enumerate(entries) if entry.is_run}
    for place in [*places]:
        if around is not None and entries[place].rank is not None:
            places |= set(range(place - around, place + around + 1))
    places |= set(range(top or 0))
    return [
        entry
        for place, entry in enumerate(entries)
        if place in places and (entry.is_run or entry.rank is not None)
    ]


def _key(entry: Entry) -> float:
    return round(entry.average or 0.0, _DIGITS)


def _published(row: PublishedRow) -> Entry:
    figures, corrections = row.corrected, row.corrections
    found = mismatch(figures)
    return Entry(
        name=row.model,
        type=row.type,
        figures=figures,
        average=figures.recomputed,
        source=row.source,
        license=row.license,
        doubts=(*((found,) if found else ()), *map(_told, row.remarks)),
        corrected=corrections,
        replaced={name: getattr(row.figures, name) for name in corrections},
        by_tuples=row.by_tuples,
    )


def _told(remark: Remark) -> str:
    return f"{remark.text} Source: {remark.source}"


def _run(name: str, metrics: Metrics) -> Entry:
    return Entry(
        name=name,
        type="this run",
        figures=figures_of(metrics),
        average=metrics.headline.average,
        is_run=True,
        unranked=what_lacks(metrics),
        cells=metrics.asked_cells,
        unscored=metrics.unscored_cells,
    )


def figures_of(metrics: Metrics) -> Figures:
    """A run's numbers in its headline reading."""
    by_domain = {
        domain: metrics.domains[domain].headline.average if domain in metrics.domains else None
        for domain in DOMAINS
    }
    headline = metrics.headline
    return Figures(
        **by_domain,
        easy=headline.easy,
        normal=headline.normal,
        hard=headline.hard,
        overall=headline.average,
    )


def what_lacks(metrics: Metrics) -> str:
    """Say what keeps a run from being one over the whole benchmark; empty when nothing does.

    Unscored cells are no reason: they are counted, and bounds stand beside the average.
    """
    if over := average_over(metrics.domains):
        return over
    odd = {
        domain: part.tuples
        for domain, part in metrics.domains.items()
        if part.tuples != BENCHMARK[domain]
    }
    if odd:
        found = ", ".join(f"{domain} {count}" for domain, count in odd.items())
        want = ", ".join(f"{domain} {BENCHMARK[domain]}" for domain in odd)
        return f"not the whole benchmark: tuples are {found} in place of {want}"
    return ""
