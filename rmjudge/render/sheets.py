"""A titled table with its notes, written the same way in every format.

A sheet holds plain texts with the signs of a terminal (`figures.UNICODE`). Whoever writes it
makes them fit the format: `listings` for a terminal, the functions here for documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rmjudge.render.markup import (
    LATEX_NEEDS,
    latex_figure,
    latex_note,
    latex_row,
    latex_table,
    latex_text,
    pipe_table,
)
from rmjudge.text import latex_escape, markdown_cell


@dataclass(frozen=True, slots=True)
class Aside:
    """Columns, by their places, that a narrow terminal shows in a table of their own."""

    title: str
    columns: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `header` names its columns. Without a header it is its title and its notes.

    The first `names` columns tell the rows apart. The others hold figures, but for those in
    `words`; a padded figure is lined up with those above. Rows in `bold` and the column `strong`
    stand out, rows in `faint` stand back. `notes` are sentences below the table, a line each,
    and `caption` says how to read it.
    """

    title: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    caption: str = ""
    names: int = 1
    words: frozenset[int] = frozenset()
    bold: frozenset[int] = frozenset()
    faint: frozenset[int] = frozenset()
    strong: int | None = None
    aside: Aside | None = None


def sheets_markdown(sheets: Sequence[Sheet]) -> str:
    """Write the sheets as headings, pipe tables and paragraphs."""
    parts: list[str] = []
    for sheet in sheets:
        parts.append(f"### {markdown_cell(sheet.title)}")
        if sheet.header:
            body = [_markdown(row, number in sheet.bold) for number, row in enumerate(sheet.rows)]
            parts.append(pipe_table([markdown_cell(name) for name in sheet.header], body))
        parts += [markdown_cell(text) for text in (*sheet.notes, sheet.caption) if text]
    return "\n\n".join(parts) + "\n"


def _markdown(row: Sequence[str], bold: bool) -> list[str]:
    name, *others = map(markdown_cell, row)
    indent = "&emsp;" * row[0].startswith(" ")  # Markdown shows no spaces at the start of a cell
    return [f"{indent}**{name}**" if bold else f"{indent}{name}", *others]


def sheets_latex(sheets: Sequence[Sheet]) -> str:
    """Write the sheets as booktabs tables, title and notes in their captions."""
    return "\n\n".join((LATEX_NEEDS, *map(_latex, sheets))) + "\n"


def _latex(sheet: Sheet) -> str:
    body = []
    for number, row in enumerate(sheet.rows):
        name, *names = map(latex_escape, row[: sheet.names])
        shown = rf"\textbf{{{name}}}" if number in sheet.bold else name
        body.append(latex_row((shown, *names, *map(latex_figure, row[sheet.names :]))))
    texts = [
        latex_text(f"{sheet.title}."),
        *(latex_note(f"{note.rstrip('.')}.") for note in sheet.notes if note),
        latex_text(sheet.caption),
    ]
    places = range(len(sheet.header))
    head = latex_row([*map(latex_escape, sheet.header)])
    return latex_table(
        "".join("l" if n < sheet.names or n in sheet.words else "r" for n in places),
        [r"\toprule", head, r"\midrule", *body, r"\bottomrule"],
        " ".join(text for text in texts if text),
    )
