"""What a notebook shows of a result: HTML without scripts, with its own colours for figures.

A notebook's style sheets are its own, so that every colour stands beside what it colours. All
texts are escaped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from rmjudge.forms import shows
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.cells import summary_header, summary_lines
from rmjudge.render.figures import UNICODE, heat, percent, tuples_word
from rmjudge.render.rows import caption_lines, footnotes, summary_rows
from rmjudge.render.sheets import Sheet
from rmjudge.runs.results import ScorerResult
from rmjudge.text import one_line
from rmjudge.vocabulary import STYLES

if TYPE_CHECKING:
    from rmjudge.render.board import Board

_NUMBER = "text-align:right;padding:2px 8px"
_NAME = "text-align:left;padding:2px 8px"


def run_html(results: Sequence[ScorerResult]) -> str:
    """The accuracy table, then each scorer's matrices, folded."""
    rows = summary_rows(results)
    lines = summary_lines(rows, UNICODE)
    body = [(line.name, *(figure.text for figure in line.figures)) for line in lines]
    notes = [f"{UNICODE.mark(note.kind)} {note.text}" for note in footnotes(rows)]
    parts = [_table("Accuracy, %", ("Scorer", *summary_header(rows)), body)]
    parts += _notes([*notes, *caption_lines(rows)])
    for row, result in zip(rows, results, strict=True):
        parts.append(
            f"<details><summary>{_text(row.scorer)}: Style-Substance matrices</summary>"
            f"{metrics_html(result.metrics)}</details>"
        )
    return "".join(parts)


def result_html(result: ScorerResult) -> str:
    """One scorer: its name, its accuracies and its matrices."""
    found = result.metrics.headline
    figures = ", ".join(
        f"{name} {percent(value)}"
        for name, value in (
            *(("Easy", found.easy), ("Normal", found.normal)),
            *(("Hard", found.hard), ("Average", found.average)),
        )
    )
    head = f"<p><strong>{_text(result.metrics.scorer)}</strong>: {figures}</p>"
    return head + metrics_html(result.metrics)


def metrics_html(metrics: Metrics) -> str:
    """The matrix of each domain as a small heat map, side by side."""
    maps = [
        f'<div style="display:inline-block;margin:4px 16px 4px 0;vertical-align:top">'
        f"{_heat_map(f'{name} ({tuples_word(part.tuples)}), %', part.matrix)}</div>"
        for name, part in metrics.domains.items()
        if part.tuples
    ]
    return f"<div>{''.join(maps)}</div>"


def sheets_html(sheets: Iterable[Sheet]) -> str:
    """Tables with their notes, as a terminal has them."""
    parts: list[str] = []
    for sheet in sheets:
        parts.append(_table(sheet.title, sheet.header, sheet.rows, names=sheet.names))
        parts += _notes([*sheet.notes, sheet.caption])
    return "".join(parts)


def place_in_notebook() -> Callable[[str], object] | None:
    """Make a place below the cell that runs, whose HTML can be replaced; None elsewhere."""
    if "IPython" not in sys.modules:  # a kernel has imported it
        return None
    from IPython import get_ipython
    from IPython.display import HTML, display

    if getattr(get_ipython(), "kernel", None) is None:  # IPython in a terminal
        return None
    place = display(HTML(""), display_id=True)
    return lambda html: place.update(HTML(html))


def board_html(board: Board) -> str:
    """Scorers at work: a bar for each, what it does, and its accuracies so far."""
    rows = [
        f'<tr><th style="{_NAME}" scope="row">{_text(one.scorer)}</th>'
        f'<td style="{_NAME}"><progress max="{max(one.planned, 1)}" value="{one.done}"></progress>'
        f" {one.done:,}/{one.planned:,}</td>"
        f'<td style="{_NAME}">{_text("; ".join(filter(None, (one.so_far, one.figures))))}</td></tr>'
        for one in board.progress()
    ]
    return f"<table>{''.join(rows)}</table>"


def _heat_map(title: str, matrix: Matrix) -> str:
    """Rows by the style of the chosen, columns by that of the rejected."""
    rows = [
        f'<tr><th style="{_NAME}" scope="row">{style}</th>{"".join(map(_heat_cell, row))}</tr>'
        for style, row in zip(STYLES, matrix, strict=True)
    ]
    head = "".join(f'<th style="{_NUMBER}" scope="col">{style}</th>' for style in STYLES)
    return (
        f'<table style="border-collapse:collapse"><caption>{_text(title)}</caption>'
        f'<tr><th style="{_NAME}">chosen / rejected</th>{head}</tr>{"".join(rows)}</table>'
    )


def _heat_cell(value: float | None) -> str:
    colour = heat(value)
    style = f"background:{colour};color:#000;{_NUMBER}" if colour else _NUMBER
    return f'<td style="{style}">{percent(value)}</td>'


def _table(
    title: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1
) -> str:
    head = "".join(f'<th style="{_at(k, names)}" scope="col">{_text(name)}</th>'
                   for k, name in enumerate(header))  # fmt: skip
    body = "".join(
        "<tr>" + "".join(f'<td style="{_at(k, names)}">{_text(cell)}</td>'
                         for k, cell in enumerate(row)) + "</tr>"
        for row in rows
    )  # fmt: skip
    if not header:
        return f"<p><strong>{_text(title)}</strong></p>"
    return f"<table><caption>{_text(title)}</caption><tr>{head}</tr>{body}</table>"


def _at(place: int, names: int) -> str:
    return _NAME if place < names else _NUMBER


def _notes(notes: Iterable[str]) -> list[str]:
    return [f"<p><small>{_text(note)}</small></p>" for note in notes if note]


def _text(text: str) -> str:
    return escape(one_line(text))


shows(Metrics, metrics_html)
shows(ScorerResult, result_html)
