"""The words and figures in the cells of a table, whatever draws the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.report import Interval
from rmjudge.render.figures import Glyphs, dollars, ends, percent
from rmjudge.render.rows import READING_NAMES, Scores, SummaryRow, domains_of
from rmjudge.runs.results import Bill, ScorerResult
from rmjudge.vocabulary import Domain, title_of

OVERALL: Final = ("Easy", "Normal", "Hard", "Average")
JUDGE_HEADER: Final = (
    *("Tied", "Split between orders", "Not scored"),
    *("First position", "Survives swap"),
)
JUDGE_TEXT: Final = (
    "Tied: the judge said so, in both orders where both were asked. Split between orders: each "
    "order names another winner. First position: verdicts for the response shown first, of those "
    "that are no tie. "
    "Survives swap: pairs with the same verdict in both orders."
)
ACTIVITY_HEADER: Final = (
    *("Planned", "Cached", "Sent", "Retried", "Failed"),
    *("Unscored", "Maybe billed"),
)
BILL_HEADER: Final = ("Answers", "Calls", "Tokens in", "Tokens out", "Cost")
BILL_TEXT: Final = (
    "This run: what it bought. In all: every answer that the numbers rest on, those that earlier "
    "runs bought included."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A percentage, the ends of its interval and its footnote marks; all may be empty."""

    value: str
    ends: str = ""
    marks: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return self.value + self.ends + self.marks


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A scorer's line, or the line under it with its `other` reading; a figure a column."""

    name: str
    other: bool
    figures: tuple[Figure, ...]


def summary_header(rows: Sequence[SummaryRow]) -> tuple[str, ...]:
    """Name the summary's columns: the domains that a scorer has tuples of, then the averages."""
    return (*map(title_of, domains_of(rows)), *OVERALL)


def summary_lines(rows: Sequence[SummaryRow], glyphs: Glyphs) -> list[SummaryLine]:
    """Write the summary: every number that leaves a domain out carries its mark."""
    lines: list[SummaryLine] = []
    domains = domains_of(rows)
    for row in rows:
        figures = _figures(row, row.scores, domains, row.interval, glyphs)
        lines.append(SummaryLine(row.scorer, False, figures))
        if row.other:
            figures = _figures(row, row.other, domains, None, glyphs)
            lines.append(SummaryLine(READING_NAMES[row.other_reading], True, figures))
    return lines


def _figures(
    row: SummaryRow,
    scores: Scores,
    domains: Sequence[Domain],
    interval: Interval | None,
    glyphs: Glyphs,
) -> tuple[Figure, ...]:
    mark = glyphs.incomplete if row.incomplete else ""
    overall = [
        Figure(percent(value, glyphs), marks=mark)
        for value in (scores.easy, scores.normal, scores.hard)
    ]
    around = ends(interval) if scores.average is not None else ""
    unscored = glyphs.unscored if row.unscored else ""
    shared = glyphs.shared if row.shares else ""
    return (
        *(Figure(percent(scores.domain(domain), glyphs)) for domain in domains),
        *overall,
        Figure(percent(scores.average, glyphs), around, mark + unscored + shared),
    )


def aligned(figures: Sequence[Figure]) -> list[str]:
    """Pad values, intervals and marks apart, so that the decimal points are in line.

    Marks stand right behind what they mark, also where others have an interval between.
    """
    value = max((len(figure.value) for figure in figures), default=0)
    around = max((len(figure.ends) for figure in figures), default=0)
    behind = [(f"{f.ends:>{around}}" if f.ends else "") + f.marks for f in figures]
    width = max(map(len, behind), default=0)
    return [f"{f.value:>{value}}{b:<{width}}" for f, b in zip(figures, behind, strict=True)]


def judge_cells(report: ScorerResult, glyphs: Glyphs) -> tuple[str, ...]:
    """Write shares in % with their intervals: `JUDGE_HEADER`'s."""
    metrics = report.metrics
    cells = metrics.asked_cells
    position = metrics.position
    unscored = metrics.unscored_cells / cells if cells else None
    shares = (
        (metrics.tie_rate, metrics.rates.tie),
        (metrics.split_rate, metrics.rates.split),
        (unscored, metrics.rates.unscored),
        *(
            (
                (position.first_share, position.first_interval),
                (position.swap_consistency, position.swap_interval),
            )
            if position
            else ((None, None), (None, None))
        ),
    )
    return tuple(percent(share, glyphs) + ends(interval) for share, interval in shares)


def activity_cells(report: ScorerResult) -> tuple[str, ...]:
    """Write the counts of calls."""
    calls = report.calls
    counts = (
        *(calls.planned, calls.from_cache, calls.sent),
        *(calls.retried, calls.failed, calls.unscored, calls.maybe_billed),
    )
    return tuple(f"{count:,}" for count in counts)


def bill_rows(report: ScorerResult, glyphs: Glyphs) -> list[tuple[str, ...]]:
    """Write what this run's answers took and what all did; nothing where nothing is counted."""
    bills = [("this run", Bill(report.calls.sent, report.tokens, report.cost, report.cost_known))]
    if report.in_all is not None:
        bills.append(("in all", report.in_all))
    if not any(bill.tokens.input or bill.cost or not bill.cost_known for _, bill in bills):
        return []
    return [(what, *_bill_cells(bill, glyphs)) for what, bill in bills]


def _bill_cells(bill: Bill, glyphs: Glyphs) -> tuple[str, ...]:
    counts = (bill.calls, bill.tokens.input, bill.tokens.output)
    cost = dollars(bill.cost, cost_known=bill.cost_known, glyphs=glyphs)
    return (*(f"{count:,}" if count else glyphs.no_data for count in counts), cost)
