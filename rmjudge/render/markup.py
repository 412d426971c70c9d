"""Pipe tables and LaTeX tables, and what is escaped in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rmjudge.render.figures import LATEX, UNICODE
from rmjudge.text import latex_escape

LATEX_NEEDS: Final = r"% In the preamble: \usepackage{booktabs}"
SIGNS: Final = (
    (UNICODE.unscored, LATEX.unscored),
    (UNICODE.shared, LATEX.shared),
    (UNICODE.no_data, LATEX.no_data),
)


def pipe_table(header: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown; the texts are escaped already."""
    rule = ("---", *("--:" for _ in header[1:]))
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, rule, *body))


def latex_table(columns: str, lines: Sequence[str], caption: str) -> str:
    """Write a table float; the texts are escaped already."""
    return "\n".join(
        (
            r"\begin{table}[t]",
            r"\centering",
            r"\small",
            rf"\begin{{tabular}}{{{columns}}}",
            *lines,
            r"\end{tabular}",
            rf"\caption{{{caption}}}",
            r"\end{table}",
        )
    )


def latex_row(texts: Sequence[str]) -> str:
    """Write a row of a tabular; the texts are escaped already."""
    return " & ".join(texts) + r" \\"


def latex_text(text: str) -> str:
    """Escape a running text; the signs of figures and footnotes are set as signs."""
    escaped = latex_escape(text)
    for sign, written in SIGNS:
        escaped = escaped.replace(sign, written)
    return escaped


def latex_figure(text: str) -> str:
    """Escape a figure with its footnote marks."""
    return latex_text(text.strip()).replace(latex_escape(UNICODE.incomplete), LATEX.incomplete)


def latex_note(text: str) -> str:
    """Escape a footnote, which may begin with its mark."""
    mark, escaped = latex_escape(UNICODE.incomplete), latex_text(text)
    return LATEX.incomplete + escaped.removeprefix(mark) if escaped.startswith(mark) else escaped
