"""The words and figures that stand in the cells of a table, whatever draws the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.report import Interval
from rmjudge.render.figures import Glyphs, dollars, percent, plus_minus
from rmjudge.render.rows import READING_NAMES, Scores, SummaryRow
from rmjudge.runs.results import ScorerResult
from rmjudge.vocabulary import CELLS, DOMAINS

SUMMARY_HEADER: Final = (
    *("Chat", "Math", "Code", "Safety"),
    *("Easy", "Normal", "Hard", "Average"),
)
JUDGE_HEADER: Final = ("Ties", "Not scored", "First position", "Survives swap")
JUDGE_TEXT: Final = (
    "First position: verdicts for the response shown first, of those that are no tie. "
    "Survives swap: pairs with the same verdict in both orders."
)
ACTIVITY_HEADER: Final = (
    *("Planned", "Cached", "Sent", "Retried", "Failed"),
    *("Unscored", "Maybe billed", "Cost"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A percentage, half its interval (with the sign) and its footnote marks; all may be empty."""

    value: str
    half: str = ""
    marks: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return self.value + self.half + self.marks


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A scorer's line, or the line under it with its `other` reading; a figure a column."""

    name: str
    other: bool
    figures: tuple[Figure, ...]


def summary_lines(rows: Sequence[SummaryRow], glyphs: Glyphs) -> list[SummaryLine]:
    """Write the summary: every number that leaves a domain out carries its mark."""
    lines: list[SummaryLine] = []
    for row in rows:
        lines.append(
            SummaryLine(row.scorer, False, _figures(row, row.scores, row.interval, glyphs))
        )
        if row.other:
            figures = _figures(row, row.other, None, glyphs)
            lines.append(SummaryLine(READING_NAMES[row.other_reading], True, figures))
    return lines


def _figures(
    row: SummaryRow, scores: Scores, interval: Interval | None, glyphs: Glyphs
) -> tuple[Figure, ...]:
    mark = glyphs.incomplete if row.incomplete else ""
    overall = [
        Figure(percent(value, glyphs), marks=mark)
        for value in (scores.easy, scores.normal, scores.hard)
    ]
    half = plus_minus(interval, glyphs) if scores.average is not None else ""
    unscored = glyphs.unscored if row.unscored else ""
    shared = glyphs.shared if row.shares else ""
    return (
        *(Figure(percent(scores.domain(domain), glyphs)) for domain in DOMAINS),
        *overall,
        Figure(percent(scores.average, glyphs), half, mark + unscored + shared),
    )


def aligned(figures: Sequence[Figure]) -> list[str]:
    """Pad values, intervals and marks apart, so that the decimal points stand in line."""
    value = max((len(figure.value) for figure in figures), default=0)
    half = max((len(figure.half) for figure in figures), default=0)
    marks = max((len(figure.marks) for figure in figures), default=0)
    return [f"{f.value:>{value}}{f.half:>{half}}{f.marks:<{marks}}" for f in figures]


def judge_cells(report: ScorerResult, glyphs: Glyphs) -> tuple[str, ...]:
    """Write tie rate, unscored rate, share of the first position and swap consistency, in %."""
    metrics = report.metrics
    cells = metrics.tuples * len(CELLS)
    position = metrics.position
    return (
        percent(metrics.tie_rate, glyphs),
        percent(metrics.unscored_cells / cells if cells else None, glyphs),
        percent(position.first_share if position else None, glyphs),
        percent(position.swap_consistency if position else None, glyphs),
    )


def activity_cells(report: ScorerResult, glyphs: Glyphs) -> tuple[str, ...]:
    """Write the counts of calls and the cost."""
    calls = report.calls
    counts = (
        *(calls.planned, calls.from_cache, calls.sent),
        *(calls.retried, calls.failed, calls.unscored, calls.maybe_billed),
    )
    cost = dollars(report.cost, cost_known=report.cost_known, glyphs=glyphs)
    return (*(f"{count:,}" for count in counts), cost)
