"""Metrics as tables in a terminal: the Style-Substance matrix, the summary, what was done.

Every renderable here waits for the console before it is built: for its width, and for its
encoding, so that a terminal without UTF-8 gets ASCII signs and no error. Text is never read
as rich markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from rmjudge.metrics.report import DomainMetrics, Reading
from rmjudge.metrics.tallies import Matrix
from rmjudge.render import cells
from rmjudge.render.figures import ASCII, UNICODE, Glyphs, heat, percent, plus_minus
from rmjudge.render.ledgers import Ledger
from rmjudge.render.rows import (
    READING_NAMES,
    SummaryRow,
    caption_lines,
    footnotes,
    labels,
    summary_rows,
    unscored_text,
)
from rmjudge.render.text import cell_width, clean, one_line, wrap
from rmjudge.results import ScorerResult
from rmjudge.vocabulary import CELLS, DOMAINS, STYLES, Domain, difficulty_of

MIN_NAME_WIDTH: Final = 18
MAX_NAME_LINES: Final = 3
MATRIX_WIDTH: Final = 47
GAP: Final = 3
"""Between matrices side by side: two from 100 columns on, four from 200."""

BLACK: Final = "#000000"
ASCII_HEAD: Final = box.Box("    \n" * 2 + " -- \n" + "    \n" * 5, ascii=True)


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of the console: its width in columns and what it can show."""

    width: int
    encoding: str

    @property
    def glyphs(self) -> Glyphs:
        return UNICODE if self.encoding.startswith("utf") else ASCII

    @property
    def box(self) -> box.Box:
        return box.SIMPLE_HEAD if self.glyphs is UNICODE else ASCII_HEAD

    @property
    def rule(self) -> Rule:
        return Rule(characters="─" if self.glyphs is UNICODE else "-", style="dim")

    def encodable(self, text: str) -> str:
        """Clean the text and replace what the console cannot show; newlines stay."""
        text = clean(text)
        if self.glyphs is UNICODE:
            return text
        text = text.replace(UNICODE.plus_minus, ASCII.plus_minus)
        return text.encode(self.encoding, "replace").decode(self.encoding)

    def text(self, text: str, style: str = "") -> Text:
        return Text(self.encodable(text), style=style, overflow="fold")

    def name(self, indent: str, name: str, width: int) -> Text:
        room = width - len(indent)
        lines = wrap(
            self.encodable(name), room, lines=MAX_NAME_LINES, ellipsis=self.glyphs.ellipsis
        )
        return Text("\n".join(indent + line for line in lines), overflow="fold")


class _OnPage:
    """A renderable that is built when its page is known."""

    def __init__(self, build: Callable[[_Page], RenderableType]) -> None:
        self._build = build

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._build(_Page(options.max_width, options.encoding))


def matrix_table(domain: Domain, metrics: DomainMetrics, reading: Reading) -> RenderableType:
    """Draw a domain's Style-Substance matrix and the accuracies that follow from it.

    Each cell holds its percentage and the first letter of its difficulty.
    """
    return _OnPage(lambda page: _domain(page, domain, metrics, reading))


def summary_table(rows: Sequence[SummaryRow]) -> RenderableType:
    """Draw a line for each scorer, with footnotes; it fits in 80 columns."""
    return _OnPage(lambda page: _summary(page, rows))


def judge_table(reports: Sequence[ScorerResult]) -> RenderableType:
    """Draw how far each judge can be trusted; a report without `position` is no judge's."""
    return _OnPage(lambda page: _judges(page, reports))


def activity_table(reports: Sequence[ScorerResult]) -> RenderableType:
    """Draw what became of each scorer's calls, and what they cost."""
    return _OnPage(lambda page: _activity(page, reports))


def ledger_table(build: Callable[[Glyphs], Ledger]) -> RenderableType:
    """Draw a ledger, made with the signs that the console can show."""
    return _OnPage(lambda page: _ledger(page, build(page.glyphs)))


def report_renderable(reports: Sequence[ScorerResult]) -> Group:
    """Draw everything: each scorer's matrices, the summary, the judges, the calls."""
    scorers = zip(labels(reports), reports, strict=True)
    parts: list[RenderableType] = [
        _OnPage(partial(_scorer, name=name, report=report)) for name, report in scorers
    ]
    parts += [_OnPage(lambda page: page.rule), summary_table(summary_rows(reports))]
    if any(report.metrics.position for report in reports):
        parts += [Text(), judge_table(reports)]
    return Group(*parts, Text(), activity_table(reports))


def _scorer(page: _Page, name: str, report: ScorerResult) -> RenderableType:
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


def _domain(page: _Page, domain: Domain, metrics: DomainMetrics, reading: Reading) -> Table:
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


def _grid(page: _Page, matrix: Matrix) -> Table:
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


def _accuracies(page: _Page, metrics: DomainMetrics) -> Table:
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


def _summary(page: _Page, rows: Sequence[SummaryRow]) -> RenderableType:
    glyphs = page.glyphs
    summary = cells.summary_lines(rows, glyphs)
    columns = [cells.aligned([line.figures[n] for line in summary]) for n in range(8)]
    lines = [
        cells.Line(line.name, figures, indent="  " if line.other else "")
        for line, figures in zip(summary, zip(*columns, strict=True), strict=True)
    ]
    table = _listing(page, cells.SUMMARY_HEADER, lines)
    table.columns[-1].style = "bold"
    notes = [f"{glyphs.mark(note.kind)} {note.text}" for note in footnotes(rows)]
    return Group(
        page.text("Accuracy, %", "bold"),
        table,
        *(page.text(note, "yellow") for note in notes),
        page.text("\n".join(caption_lines(rows)), "dim"),
    )


def _judges(page: _Page, reports: Sequence[ScorerResult]) -> RenderableType:
    lines = [
        cells.Line(name, cells.judge_cells(report, page.glyphs))
        for name, report in zip(labels(reports), reports, strict=True)
        if report.metrics.position
    ]
    return Group(
        page.text("Judges, %", "bold"),
        _listing(page, cells.JUDGE_HEADER, lines),
        page.text(cells.JUDGE_TEXT, "dim"),
    )


def _activity(page: _Page, reports: Sequence[ScorerResult]) -> RenderableType:
    lines = [
        cells.Line(name, cells.activity_cells(report, page.glyphs))
        for name, report in zip(labels(reports), reports, strict=True)
        if not report.combined
    ]
    title = page.text("What each scorer did", "bold")
    return Group(title, _listing(page, cells.ACTIVITY_HEADER, lines))


def _ledger(page: _Page, ledger: Ledger) -> RenderableType:
    return Group(
        page.text(ledger.title, "bold"),
        _listing(page, ledger.header, ledger.lines, ledger.names),
        *(page.text(note, "yellow") for note in ledger.notes),
        page.text(ledger.caption, "dim"),
    )


def _listing(
    page: _Page, header: Sequence[str], lines: Sequence[cells.Line], names: str = "Scorer"
) -> Table:
    """A row for each line; names take the room that is left.

    A narrow console gets a block for each name instead: a figure is never cut.
    """
    heads = [title.replace(" ", "\n") for title in header]
    widths = [
        max(map(cell_width, (*head.split("\n"), *(line.figures[n] for line in lines))))
        for n, head in enumerate(heads)
    ]
    widest = max((cell_width(line.indent + line.name) for line in lines), default=0)
    room = page.width - sum(widths) - len(widths)
    if room < MIN_NAME_WIDTH:
        return _blocks(page, header, lines)
    table = Table(box=page.box, show_edge=False, padding=0)
    name_width = max(MIN_NAME_WIDTH, min(room, widest))
    table.add_column(page.text(names), width=name_width, vertical="bottom")
    # Padded here: rich would strip the spaces that stand in for a footnote mark.
    for head, width in zip(heads, widths, strict=True):
        title = "\n".join(part.rjust(width) for part in head.split("\n"))
        table.add_column(Text(title), width=width, no_wrap=True)
    for line in lines:
        figures = [Text(text.rjust(n)) for text, n in zip(line.figures, widths, strict=True)]
        name = page.name(line.indent, line.name, name_width)
        style = "bold" if line.bold else "dim" if line.indent else ""
        table.add_row(name, *figures, style=style)
    return table


def _blocks(page: _Page, header: Sequence[str], lines: Sequence[cells.Line]) -> Table:
    blocks = _stack([])
    for line in lines:
        blocks.add_row(page.text(line.indent + line.name, "bold"))
        for title, figure in zip(header, line.figures, strict=True):
            blocks.add_row(page.text(f"  {title:<16}{figure.strip()}"))
    return blocks
