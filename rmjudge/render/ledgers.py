"""A table with a name and figures a line, and what stands around it, in any format.

The signs in it (`Glyphs`) are those of the format that it is made for.
"""

from __future__ import annotations

from dataclasses import dataclass

from rmjudge.render.cells import Line
from rmjudge.render.documents import LATEX_NEEDS, latex_row, latex_table, latex_text, pipe_table
from rmjudge.render.text import latex_escape, markdown_cell


@dataclass(frozen=True, slots=True)
class Ledger:
    """`names` heads the column of names, `header` the others; a note is a line of its own."""

    title: str
    names: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    caption: str = ""


def ledger_to_markdown(ledger: Ledger) -> str:
    """Write it as a pipe table with its title above and its notes below."""
    body = [
        (_strong(markdown_cell(line.name), line), *(figure.strip() for figure in line.figures))
        for line in ledger.lines
    ]
    parts = [f"### {markdown_cell(ledger.title)}", pipe_table((ledger.names, *ledger.header), body)]
    parts += [markdown_cell(text) for text in (*ledger.notes, ledger.caption) if text]
    return "\n\n".join(parts) + "\n"


def _strong(name: str, line: Line) -> str:
    return f"**{name}**" if line.bold else name


def ledger_to_latex(ledger: Ledger) -> str:
    """Write it as a booktabs table, title and notes in the caption."""
    body = [
        latex_row((_bold(latex_escape(line.name), line), *(f.strip() for f in line.figures)))
        for line in ledger.lines
    ]
    head = latex_row((ledger.names, *(latex_escape(title) for title in ledger.header)))
    texts = [f"{ledger.title}.", *(f"{note.rstrip('.')}." for note in ledger.notes), ledger.caption]
    table = latex_table(
        "l" + "r" * len(ledger.header),
        [r"\toprule", head, r"\midrule", *body, r"\bottomrule"],
        " ".join(latex_text(text) for text in texts if text),
    )
    return f"{LATEX_NEEDS}\n\n{table}\n"


def _bold(name: str, line: Line) -> str:
    return rf"\textbf{{{name}}}" if line.bold else name
