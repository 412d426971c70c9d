"""Matrices in a terminal: panels of equal width, side by side where there is room.

A panel is lines of text and not a table within a table: measuring those again and again took
rich longer than all else that a report does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from rich.text import Text

from rmjudge.metrics.report import DomainMetrics, Reading
from rmjudge.metrics.tallies import Matrix
from rmjudge.render import cells
from rmjudge.render.figures import ends, heat, percent, tuples_word
from rmjudge.render.rows import READING_NAMES, unscored_text
from rmjudge.render.terminal.screen import Screen
from rmjudge.runs.results import ScorerResult
from rmjudge.vocabulary import DIFFICULTIES, STYLES, Domain, difficulty_of, in_order, title_of

COLUMN: Final = 11
PANEL: Final = COLUMN + len(STYLES) * (1 + COLUMN)
GAP: Final = 3
"""Between panels side by side: two from 100 columns on, four from 200."""
BLACK: Final = "#000000"


def matrices(screen: Screen, report: ScorerResult) -> list[Text]:
    """Draw a scorer's matrices, a text a line; none where it has no data."""
    metrics = report.metrics
    panels = [
        [*_domain(screen, domain, metrics.domains[domain], metrics.reading)]
        for domain in in_order(metrics.domains)
    ]
    if metrics.position and metrics.position.swap_matrix:
        title = screen.text("Verdicts that survive the swap, %", "bold")
        panels.append([title, *_grid(screen, metrics.position.swap_matrix)])
    across = max(n for n in (1, 2, 4) if n == 1 or screen.width >= n * (PANEL + GAP))
    lines: list[Text] = []
    for start in range(0, len(panels), across):
        if lines:
            lines.append(Text())
        lines += map(_beside, zip_longest(*panels[start : start + across], fillvalue=Text()))
    return lines


def _beside(parts: Sequence[Text]) -> Text:
    line = Text(overflow="fold")
    for place, part in enumerate(parts):
        line.append(" " * (place * (PANEL + GAP) - line.cell_len))
        line.append_text(part)
    return line


def _domain(
    screen: Screen, domain: Domain, metrics: DomainMetrics, reading: Reading
) -> Iterator[Text]:
    title = screen.text(title_of(domain), "bold")
    title.append(f"  {tuples_word(metrics.tuples)}, {READING_NAMES[reading]}, %", "not bold")
    yield title
    yield from _grid(screen, metrics.matrix, metrics.cell_tuples)
    yield Text()
    yield from _accuracies(screen, metrics)
    if metrics.unscored_cells:
        asked = metrics.asked_cells
        doubt = unscored_text(metrics.unscored_cells, asked, metrics.bounds)
        from textwrap import wrap

        for line in wrap(f"{screen.glyphs.unscored} {doubt}", PANEL):
            yield screen.text(line, "yellow")


def _grid(
    screen: Screen, matrix: Matrix, counts: Sequence[Sequence[int]] | None = None
) -> Iterator[Text]:
    """Draw 3x3 shares; with `counts`, below each row the tuples that have its cells."""
    glyphs = screen.glyphs
    yield Text(f"{'':{COLUMN}}{glyphs.rejected_axis:>{COLUMN}}", "bold")
    titles = "".join(f"{style:>{COLUMN}} " for style in STYLES)
    yield Text(f"{glyphs.chosen_axis:{COLUMN}}{titles}".rstrip(), "bold")
    yield Text(screen.line * PANEL)
    for i, row in enumerate(matrix):
        line = Text(f"{STYLES[i]:{COLUMN}}")
        for j, value in enumerate(row):
            figure = f"{percent(value, glyphs)} {difficulty_of(i, j)[0].upper()}"
            line.append(" ")
            line.append(f"{figure:>{COLUMN - 1}} ", _heat(value))
        yield line
        if counts:
            tuples = "".join(f" {count:>{COLUMN - 3},}   " for count in counts[i])
            yield Text(f"{'  tuples':{COLUMN}}{tuples}".rstrip(), "dim")


def _heat(value: float | None) -> str:
    colour = heat(value)
    return f"{BLACK} on {colour}" if colour else "dim"


def _accuracies(screen: Screen, metrics: DomainMetrics) -> Iterator[Text]:
    names = (*DIFFICULTIES, "average")
    shares = [(getattr(metrics.headline, name), getattr(metrics.intervals, name)) for name in names]
    shares.append((metrics.tie_rate, metrics.rates.tie))
    titles = [*(name.capitalize() for name in names), "Tied"]
    if metrics.split_rate is not None:
        shares.append((metrics.split_rate, metrics.rates.split))
        titles.append("Split")
    figures = cells.aligned(
        [cells.Figure(percent(share, screen.glyphs), ends(interval)) for share, interval in shares]
    )
    for title, figure in zip(titles, figures, strict=True):
        yield screen.text(f"{title:<7}  {figure}".rstrip())
