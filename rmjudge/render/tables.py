"""Metrics as tables in a terminal: the Style-Substance matrix, the summary, what was done.

The matrices are drawn here; the others are sheets, which `listings` draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rmjudge.metrics.report import DomainMetrics, Reading
from rmjudge.metrics.tallies import Matrix
from rmjudge.render import cells
from rmjudge.render.figures import UNICODE, heat, percent, plus_minus
from rmjudge.render.listings import sheets_renderable
from rmjudge.render.rows import (
    READING_NAMES,
    SummaryRow,
    caption_lines,
    footnotes,
    labels,
    summary_rows,
    unscored_text,
)
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal import OnPage, Page
from rmjudge.render.text import one_line
from rmjudge.results import ScorerResult
from rmjudge.vocabulary import CELLS, DOMAINS, STYLES, Domain, difficulty_of

MATRIX_WIDTH: Final = 47
GAP: Final = 3
"""Between matrices side by side: two from 100 columns on, four from 200."""

INDENT: Final = "  "
BLACK: Final = "#000000"


def summary_sheet(rows: Sequence[SummaryRow]) -> Sheet:
    """A line for each scorer, with footnotes; it fits in 80 columns."""
    summary = cells.summary_lines(rows, UNICODE)
    places = range(len(cells.SUMMARY_HEADER))
    columns = [cells.aligned([line.figures[place] for line in summary]) for place in places]
    names = [INDENT * line.other + line.name for line in summary]
    return Sheet(
        title="Accuracy, %",
        header=("Scorer", *cells.SUMMARY_HEADER),
        rows=tuple(zip(names, *columns, strict=True)),
        notes=tuple(f"{UNICODE.mark(note.kind)} {note.text}" for note in footnotes(rows)),
        caption="\n".join(caption_lines(rows)),
        faint=frozenset(number for number, line in enumerate(summary) if line.other),
        strong=len(cells.SUMMARY_HEADER),
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
    """What became of the calls of each scorer that has any, and what they cost."""
    return Sheet(
        title="What each scorer did",
        header=("Scorer", *cells.ACTIVITY_HEADER),
        rows=tuple(
            (name, *cells.activity_cells(report, UNICODE))
            for name, report in zip(labels(reports), reports, strict=True)
            if not report.combined and report.calls.planned
        ),
    )


def report_renderable(reports: Sequence[ScorerResult]) -> Group:
    """Draw everything: each scorer's matrices, the summary, the judges, the calls."""
    scorers = zip(labels(reports), reports, strict=True)
    parts: list[RenderableType] = [
        OnPage(partial(_scorer, name=name, report=report)) for name, report in scorers
    ]
    sheets = [summary_sheet(summary_rows(reports))]
    sheets += [sheet for sheet in (judge_sheet(reports), activity_sheet(reports)) if sheet.rows]
    return Group(*parts, OnPage(lambda page: page.rule), sheets_renderable(sheets))


def _scorer(page: Page, name: str, report: ScorerResult) -> RenderableType:
    metrics = report.metrics
    plural = "s" if metrics.order == "both" else ""
    order = f", {metrics.order} order{plural}" if metrics.order else ""
    head = [
        page.text(name, "bold"),
        page.text(f"{metrics.method}{order}, {metrics.tuples:,} tuples"),
    ]
    if report.note:
        head.append(page.text(one_line(report.note), "italic"))
    grids = [
        _domain(page, domain, metrics.domains[domain], metrics.reading)
        for domain in DOMAINS
        if domain in metrics.domains
    ]
    if metrics.position and metrics.position.swap_matrix:
        title = page.text("Verdicts that survive the swap, %", "bold")
        grids.append(_stack([title, _grid(page, metrics.position.swap_matrix)]))
    across = max(n for n in (1, 2, 4) if n == 1 or page.width >= n * (MATRIX_WIDTH + GAP))
    sheet = Table.grid()
    for start in range(0, len(grids), across):
        row = grids[start : start + across]
        sheet.add_row(*(Padding(grid, (1, GAP if across > 1 else 0, 0, 0)) for grid in row))
    return Group(page.rule, *head, sheet if grids else page.text("No data."), Text())


def _domain(page: Page, domain: Domain, metrics: DomainMetrics, reading: Reading) -> Table:
    glyphs = page.glyphs
    title = page.text(domain.capitalize(), "bold")
    title.append(f"  {metrics.tuples:,} tuples, {READING_NAMES[reading]}, %", "not bold")
    lines: list[RenderableType] = [title, _grid(page, metrics.matrix), _accuracies(page, metrics)]
    if metrics.unscored_cells:
        cells_asked = metrics.tuples * len(CELLS)
        doubt = unscored_text(metrics.unscored_cells, cells_asked, metrics.bounds)
        lines.append(page.text(f"{glyphs.unscored} {doubt}", "yellow"))
    return _stack(lines)


def _stack(lines: Sequence[RenderableType]) -> Table:
    stack = Table.grid()
    stack.add_column(max_width=MATRIX_WIDTH)
    for line in lines:
        stack.add_row(line)
    return stack


def _grid(page: Page, matrix: Matrix) -> Table:
    glyphs = page.glyphs
    table = Table(box=page.box, show_edge=False, padding=0)
    table.add_column(Text(f"\n{glyphs.chosen_axis}"), min_width=11, overflow="fold")
    for j, style in enumerate(STYLES):
        axis = "" if j else glyphs.rejected_axis
        title = Text(f"{axis}\n{style}", justify="right")
        table.add_column(Padding(title, (0, 1, 0, 0)), min_width=11, overflow="fold")
    for i, row in enumerate(matrix):
        figures = [
            Padding(
                Text(f"{percent(value, glyphs)} {difficulty_of(i, j)[0].upper()}", justify="right"),
                (0, 1),
                style=_heat(value),
            )
            for j, value in enumerate(row)
        ]
        table.add_row(Text(STYLES[i]), *figures)
    return table


def _heat(value: float | None) -> str:
    colour = heat(value)
    return f"{BLACK} on {colour}" if colour else "dim"


def _accuracies(page: Page, metrics: DomainMetrics) -> Table:
    figures = [
        cells.Figure(
            percent(getattr(metrics.headline, name), page.glyphs),
            plus_minus(getattr(metrics.intervals, name), page.glyphs),
        )
        for name in ("easy", "hard", "normal", "average")
    ]
    figures.append(cells.Figure(percent(metrics.tie_rate, page.glyphs)))
    easy, hard, normal, average, ties = cells.aligned(figures)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row()
    for row in (("Easy", easy, "Normal", normal), ("Hard", hard, "Average", average)):
        grid.add_row(*map(page.text, row))
    grid.add_row(page.text("Ties"), page.text(ties))
    return grid
