"""What the tables and exports say, before any of them is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.report import DomainMetrics, Interval, Metrics, Reading, Shares
from rmjudge.render.figures import Remark, known, percent
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult
from rmjudge.text import label
from rmjudge.vocabulary import Domain, average_over, in_order, is_benchmark

READING_NAMES: Final[dict[Reading, str]] = {"strict": "strict", "half_credit": "half credit"}
READING_TEXTS: Final[dict[Reading, str]] = {
    "strict": "Reading: strict, a tie is no win.",
    "half_credit": "Reading: half credit, a tie is half a win.",
}
MIXED_TEXT: Final = "Reading: strict for rewards (a tie is no win), half credit for judges."
INTERVAL_TEXT: Final = "In parentheses: the 95 % interval, with the tuple as its unit."
OTHER_TEXT: Final = "Indented: the other reading."


@dataclass(frozen=True, slots=True)
class Scores:
    """One line of numbers in one reading: fractions, None where there is no data."""

    by_domain: Mapping[Domain, float | None]
    easy: float | None
    normal: float | None
    hard: float | None
    average: float | None

    def domain(self, domain: Domain) -> float | None:
        """The accuracy on one domain."""
        return self.by_domain.get(domain)


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A scorer's line in the summary.

    `scorer` is clean and unlike every other row's. `other` holds the other reading where it
    shows another number. `interval` is the headline average's. `bounds` holds the average
    with all unscored cells wrong and with all right.
    """

    scorer: str
    reading: Reading
    scores: Scores
    other: Scores | None
    interval: Interval | None
    present: tuple[Domain, ...]
    cells: int
    unscored: int
    bounds: Interval
    shares: Shares | None = None

    @property
    def incomplete(self) -> bool:
        """Whether the average is over other domains than the benchmark's four."""
        return not is_benchmark(self.present)

    @property
    def other_reading(self) -> Reading:
        """The reading of `other`."""
        return "half_credit" if self.reading == "strict" else "strict"


@dataclass(frozen=True, slots=True)
class Footnote:
    """A remark on the averages; each output draws its own mark for the kind."""

    kind: Remark
    text: str


def summary_rows(reports: Sequence[ScorerResult]) -> list[SummaryRow]:
    """Make a row for every report, in their order."""
    return [
        _summary_row(name, report.metrics)
        for name, report in zip(labels(reports), reports, strict=True)
    ]


def _summary_row(name: str, metrics: Metrics) -> SummaryRow:
    headline = _scores(metrics.headline, {d: m.headline for d, m in _domains(metrics)})
    if metrics.reading == "strict":
        second = {d: m.half_credit for d, m in _domains(metrics)}
        other = _scores(metrics.half_credit, second)
    else:
        other = _scores(metrics.strict, {d: m.strict for d, m in _domains(metrics)})
    return SummaryRow(
        scorer=name,
        reading=metrics.reading,
        scores=headline,
        other=None if _shown(other) == _shown(headline) else other,
        interval=metrics.intervals.average,
        present=in_order(metrics.domains),
        cells=metrics.asked_cells,
        unscored=metrics.unscored_cells,
        bounds=metrics.bounds,
        shares=metrics.shares,
    )


def _domains(metrics: Metrics) -> list[tuple[Domain, DomainMetrics]]:
    return [(domain, metrics.domains[domain]) for domain in in_order(metrics.domains)]


def _scores(overall: Accuracies, by_domain: dict[Domain, Accuracies]) -> Scores:
    return Scores(
        {domain: known(part.average) for domain, part in by_domain.items()},
        known(overall.easy),
        known(overall.normal),
        known(overall.hard),
        known(overall.average),
    )


def _shown(scores: Scores) -> tuple[str, ...]:
    parts = scores.by_domain.values()
    return tuple(map(percent, (*parts, scores.easy, scores.normal, scores.hard, scores.average)))


def domains_of(rows: Sequence[SummaryRow]) -> tuple[Domain, ...]:
    """The domains that a scorer of the table has tuples of: a column each."""
    return in_order(domain for row in rows for domain in row.present)


def footnotes(rows: Sequence[SummaryRow]) -> list[Footnote]:
    """Say what each marked average leaves out: domains first, then unscored cells."""
    notes: list[Footnote] = []
    lacking = [row for row in rows if row.incomplete]
    alike = len({row.present for row in rows}) == 1
    for row in lacking[:1] if alike else lacking:
        who = "" if alike else f"{row.scorer}: "
        notes.append(Footnote("incomplete", who + average_over(row.present)))
    notes += [
        Footnote(
            "unscored",
            f"{row.scorer}: {unscored_text(row.unscored, row.cells, row.bounds)}",
        )
        for row in rows
        if row.unscored
    ]
    notes += [
        Footnote("shared", f"{row.scorer}: {_shares_text(row.shares)}")
        for row in rows
        if row.shares
    ]
    return notes


def _shares_text(shares: Shares) -> str:
    """Say who scored how many tuples."""
    parts = [
        f"{count:,} of {shares.tuples:,} tuples ({100 * count / max(shares.tuples, 1):.0f} %)"
        for count in shares.by_scorer.values()
    ]
    if len(parts) == 1:
        return f"only {parts[0]}, those that others left"
    names = map(label, shares.by_scorer)
    return "; ".join(f"{name} {part}" for name, part in zip(names, parts, strict=True))


def unscored_text(unscored: int, cells: int, bounds: Interval) -> str:
    """Say how many cells could not be scored and what the average could be with them."""
    return (
        f"{unscored} of {cells} cells not scored; "
        f"average between {percent(bounds.low)} and {percent(bounds.high)}"
    )


def caption_lines(rows: Sequence[SummaryRow]) -> list[str]:
    """Name the headline reading (with rewards and judges together, both) and the interval."""
    readings = {row.reading for row in rows}
    reading = READING_TEXTS[readings.pop()] if len(readings) == 1 else MIXED_TEXT
    if any(row.other for row in rows):
        return [reading, f"{INTERVAL_TEXT} {OTHER_TEXT}"]
    return [reading, INTERVAL_TEXT]
