"""A report in a terminal: the matrices of each scorer, the summary, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from rmjudge.render import cells
from rmjudge.render.figures import UNICODE, tuples_word
from rmjudge.render.rows import SummaryRow, caption_lines, footnotes, summary_rows
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.render.terminal.matrices import matrices
from rmjudge.render.terminal.screen import OnScreen, Screen
from rmjudge.runs.conclusions import conclusion_lines
from rmjudge.runs.naming import asked_words, labels
from rmjudge.runs.results import ScorerResult
from rmjudge.text import one_line

INDENT: Final = "  "


def summary_sheet(rows: Sequence[SummaryRow]) -> Sheet:
    """A line for each scorer, with footnotes; it fits in 80 columns."""
    summary = cells.summary_lines(rows, UNICODE)
    header = cells.summary_header(rows)
    places = range(len(header))
    columns = [cells.aligned([line.figures[place] for line in summary]) for place in places]
    names = [INDENT * line.other + line.name for line in summary]
    return Sheet(
        title="Accuracy, %",
        header=("Scorer", *header),
        rows=tuple(zip(names, *columns, strict=True)),
        notes=tuple(f"{UNICODE.mark(note.kind)} {note.text}" for note in footnotes(rows)),
        caption="\n".join(caption_lines(rows)),
        faint=frozenset(number for number, line in enumerate(summary) if line.other),
        strong=len(header),
    )


def judge_sheet(reports: Sequence[ScorerResult]) -> Sheet:
    """How far each judge can be trusted; a report without `position` is no judge's."""
    return Sheet(
        title="Judges, %",
        header=("Scorer", *cells.JUDGE_HEADER),
        rows=tuple(
            (name, *cells.judge_cells(report, UNICODE))
            for name, report in zip(labels(reports), reports, strict=True)
            if report.metrics.position
        ),
        caption=cells.JUDGE_TEXT,
    )


def activity_sheet(reports: Sequence[ScorerResult]) -> Sheet:
    """What became of the calls of each scorer that has any."""
    return Sheet(
        title="What each scorer did",
        header=("Scorer", *cells.ACTIVITY_HEADER),
        rows=tuple(
            (name, *cells.activity_cells(report))
            for name, report in zip(labels(reports), reports, strict=True)
            if not report.combined and report.calls.planned
        ),
    )


def bill_sheet(reports: Sequence[ScorerResult]) -> Sheet:
    """What each scorer took, in this run and in all."""
    return Sheet(
        title="What it took",
        header=("Scorer", *cells.BILL_HEADER),
        rows=tuple(
            (name, *row)
            for name, report in zip(labels(reports), reports, strict=True)
            if not report.combined
            for row in cells.bill_rows(report, UNICODE)
        ),
        names=2,
        caption=cells.BILL_TEXT,
    )


def conclusion_sheet(reports: Sequence[ScorerResult]) -> Sheet:
    """Substance or style: a sentence for each scorer."""
    return Sheet("Substance or style?", notes=tuple(conclusion_lines(reports)))


def report_renderable(reports: Sequence[ScorerResult]) -> Group:
    """Draw everything: the sentences first, of several scorers the matrices last."""
    scorers = zip(labels(reports), reports, strict=True)
    drawn: list[RenderableType] = [
        OnScreen(partial(_scorer, name=name, report=report)) for name, report in scorers
    ]
    sheets = [summary_sheet(summary_rows(reports))]
    others = (judge_sheet(reports), activity_sheet(reports), bill_sheet(reports))
    sheets += [sheet for sheet in others if sheet.rows]
    concluded = conclusion_sheet(reports)
    first = [concluded] if concluded.notes else []
    if len(reports) > 1:
        return Group(sheets_renderable([*first, *sheets]), Text(), *drawn)
    rule = OnScreen(lambda screen: screen.rule)
    return Group(sheets_renderable(first), *drawn, rule, sheets_renderable(sheets))


def _scorer(screen: Screen, name: str, report: ScorerResult) -> RenderableType:
    metrics = report.metrics
    head = [
        screen.text(name, "bold"),
        screen.text(
            ", ".join((metrics.method, *asked_words(metrics), tuples_word(metrics.tuples)))
        ),
    ]
    if report.note:
        head.append(screen.text(one_line(report.note), "italic"))
    # A grid of nothing but dashes says less than a line.
    none = "No cell has a score." if report.metrics.tuples else "No data."
    drawn = matrices(screen, report) if report.has_scores else [screen.text(none)]
    return Group(screen.rule, *head, Text(), *drawn, Text())
