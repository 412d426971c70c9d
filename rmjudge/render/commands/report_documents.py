"""A report as Markdown and LaTeX, for issues, model cards and papers."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.metrics.report import DomainMetrics
from rmjudge.render import cells
from rmjudge.render.figures import LATEX, MARKDOWN, Glyphs, percent
from rmjudge.render.markup import (
    LATEX_NEEDS,
    latex_row,
    latex_table,
    latex_text,
    pipe_table,
)
from rmjudge.render.rows import (
    READING_NAMES,
    SummaryRow,
    caption_lines,
    footnotes,
    summary_rows,
    unscored_text,
)
from rmjudge.runs.results import ScorerResult
from rmjudge.text import latex_escape, markdown_cell, one_line
from rmjudge.vocabulary import STYLES, title_of


def to_markdown(reports: Sequence[ScorerResult]) -> str:
    """Write the summary with its footnotes, then each scorer's matrices, as pipe tables."""
    rows = summary_rows(reports)
    body = [
        ("&emsp;" * line.other + markdown_cell(line.name), *(f.text for f in line.figures))
        for line in cells.summary_lines(rows, MARKDOWN)
    ]
    parts = [pipe_table(("Scorer", *map(markdown_cell, cells.summary_header(rows))), body)]
    parts += [f"{mark} {markdown_cell(text)}" for mark, text in _marked(rows, MARKDOWN)]
    parts.append(markdown_cell(" ".join(("Accuracy in %.", *caption_lines(rows)))))
    for row, report in zip(rows, reports, strict=True):
        parts.append(f"### {markdown_cell(row.scorer)}")
        if note := one_line(report.note):
            parts.append(markdown_cell(note))
        axes = f"{MARKDOWN.chosen_axis} / {MARKDOWN.rejected_axis}"
        for domain in row.present:
            metrics = report.metrics.domains[domain]
            title = (
                f"{markdown_cell(title_of(domain))}, {metrics.tuples} tuples, "
                f"{READING_NAMES[row.reading]}, %"
            )
            parts.append("; ".join([title, *_doubts(metrics)]))
            parts.append(pipe_table((axes, *STYLES), _matrix_rows(metrics, MARKDOWN)))
    return "\n\n".join(parts) + "\n"


def _marked(rows: Sequence[SummaryRow], glyphs: Glyphs) -> list[tuple[str, str]]:
    return [(glyphs.mark(note.kind), note.text) for note in footnotes(rows)]


def _doubts(metrics: DomainMetrics) -> list[str]:
    asked = ["in parentheses: tuples that have the cell"] if metrics.cell_tuples else []
    return asked + _unscored(metrics)


def _unscored(metrics: DomainMetrics) -> list[str]:
    if not metrics.unscored_cells:
        return []
    asked = metrics.asked_cells
    return [unscored_text(metrics.unscored_cells, asked, metrics.bounds)]


def _matrix_rows(metrics: DomainMetrics, glyphs: Glyphs) -> list[tuple[str, ...]]:
    """A row a style of the chosen; with the tuples that have the cell, where not all do."""
    counts = metrics.cell_tuples

    def figure(i: int, j: int) -> str:
        return percent(metrics.matrix[i][j], glyphs) + (f" ({counts[i][j]:,})" if counts else "")

    return [(style, *(figure(i, j) for j in range(len(STYLES)))) for i, style in enumerate(STYLES)]


def to_latex(reports: Sequence[ScorerResult]) -> str:
    """Write the summary and, for each scorer, its matrices as booktabs tables."""
    rows = summary_rows(reports)
    tables = [_latex_summary(rows)]
    tables += [
        _latex_matrices(row, report)
        for row, report in zip(rows, reports, strict=True)
        if row.present
    ]
    return "\n\n".join((LATEX_NEEDS, *tables)) + "\n"


def _latex_summary(rows: Sequence[SummaryRow]) -> str:
    header = ("Scorer", *map(latex_escape, cells.summary_header(rows)))
    body = [
        latex_row(
            (r"\quad " * line.other + latex_escape(line.name), *(f.text for f in line.figures))
        )
        for line in cells.summary_lines(rows, LATEX)
    ]
    notes = [f"{mark} {latex_escape(text)}." for mark, text in _marked(rows, LATEX)]
    caption = ["Accuracy in %.", *caption_lines(rows)]
    return latex_table(
        "l" + "r" * (len(header) - 1),
        [r"\toprule", latex_row(header), r"\midrule", *body, r"\bottomrule"],
        " ".join([*(latex_text(line) for line in caption), *notes]),
    )


def _latex_matrices(row: SummaryRow, report: ScorerResult) -> str:
    lines = [
        r"\toprule",
        r" & & \multicolumn{3}{c}{Rejected} \\",
        r"\cmidrule(lr){3-5}",
        latex_row(("Domain", "Chosen", *STYLES)),
    ]
    for domain in row.present:
        names = (latex_escape(title_of(domain)), "", "")
        matrix = _matrix_rows(report.metrics.domains[domain], LATEX)
        lines.append(r"\midrule")
        lines += [latex_row((name, *line)) for name, line in zip(names, matrix, strict=True)]
    doubts = [
        f"{title_of(domain)}: {doubt}."
        for domain in row.present
        for doubt in _doubts(report.metrics.domains[domain])
    ]
    about = f"{row.scorer}: accuracy in %, {READING_NAMES[row.reading]}."
    caption = " ".join((about, *doubts, report.note))
    return latex_table("llrrr", [*lines, r"\bottomrule"], latex_text(caption))
