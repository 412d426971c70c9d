"""Sheets: one table in every format, its texts inert in each."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from rmjudge.render.cells import Line
from rmjudge.render.ledgers import Ledger, ledger_to_latex, ledger_to_markdown
from rmjudge.render.tables import ledger_table

SHEET = Ledger(
    "A|B_title",
    "Model",
    ("#", "Mean"),
    (Line("first", ("1", "90.0")), Line("mine", ("7", " 5.0*"), bold=True)),
    ("* mine: 50% & <b>", ""),
    "Read [this](x).",
)


def test_markdown_is_a_pipe_table_with_title_and_notes() -> None:
    assert ledger_to_markdown(SHEET) == (
        "### A\\|B\\_title\n\n"
        "| Model | # | Mean |\n| --- | --: | --: |\n"
        "| first | 1 | 90.0 |\n| **mine** | 7 | 5.0* |\n\n"
        "\\* mine: 50% &amp; &lt;b&gt;\n\n"
        "Read \\[this\\](x).\n"
    )


def test_latex_is_a_booktabs_table_with_the_notes_in_its_caption() -> None:
    text = ledger_to_latex(SHEET)
    assert r"Model & \# & Mean \\" in text
    assert r"\textbf{mine} & 7 & 5.0* \\" in text
    assert r"\caption{A\textbar{}B\_title. {*} mine: 50\% \& \textless{}b\textgreater{}." in text


def test_the_terminal_lines_figures_up_and_keeps_to_its_width() -> None:
    console = Console(file=StringIO(), width=40, color_system=None)
    console.print(ledger_table(lambda _: SHEET))
    assert isinstance(console.file, StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines[0] == "A|B_title"
    assert "first              1  90.0" in lines
    assert "mine               7  5.0*" in lines
    assert "* mine: 50% & <b>" in lines
