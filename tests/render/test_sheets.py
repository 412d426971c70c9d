# ruff: noqa: RUF001  the en dash is what is shown
"""Sheets in documents: one table in every format, its texts inert in each."""

from __future__ import annotations

from rmjudge.render.sheets import Sheet, sheets_latex, sheets_markdown

SHEET = Sheet(
    title="A|B_title",
    header=("Model", "Mean", "95 %"),
    rows=(("first|one", "90.0 ", "+0.5"), ("mine", " 5.0*†", "–")),
    notes=("* mine: 50% & <b>", ""),
    caption="Read [this](x).",
    bold=frozenset({1}),
)


def test_markdown_is_a_heading_a_pipe_table_and_its_notes() -> None:
    assert sheets_markdown([SHEET]) == (
        "### A\\|B\\_title\n\n"
        "| Model | Mean | 95 % |\n| --- | --: | --: |\n"
        "| first\\|one | 90.0 | +0.5 |\n| **mine** | 5.0\\*† | – |\n\n"
        "\\* mine: 50% &amp; &lt;b&gt;\n\n"
        "Read \\[this\\](x).\n"
    )


def test_sheets_follow_one_another_in_markdown() -> None:
    text = sheets_markdown([Sheet("One"), Sheet("Two", notes=("A note.",))])
    assert text == "### One\n\n### Two\n\nA note.\n"


def test_names_cannot_break_out_of_markdown() -> None:
    hostile = Sheet("<b>|x", ("a|b",), (("| <script>",),))
    found = sheets_markdown([hostile])
    assert "<script>" not in found
    assert "| \\| &lt;script&gt; |" in found


def test_latex_is_a_booktabs_table_with_the_notes_in_its_caption() -> None:
    text = sheets_latex([SHEET])
    assert r"\begin{tabular}{lrr}" in text
    assert r"Model & Mean & 95 \% \\" in text
    assert r"first\textbar{}one & 90.0 & +0.5 \\" in text
    assert r"\caption{A\textbar{}B\_title. $^{*}$ mine: 50\% \& \textless{}b\textgreater{}." in text


def test_a_mark_in_latex_is_the_same_sign_beside_its_figure_and_its_note() -> None:
    sheet = Sheet("t", ("n", "f"), (("a", "1.0*†"), ("a*", "–")), ("* one", "† two", "3 * 4"))
    text = sheets_latex([sheet])
    assert r"a & 1.0$^{*}$$^{\dagger}$ \\" in text
    assert r"a{*} & -- \\" in text
    assert r"\caption{t. $^{*}$ one. $^{\dagger}$ two. 3 {*} 4.}" in text


def test_a_row_that_belongs_to_the_one_above_stays_indented_in_markdown() -> None:
    text = sheets_markdown([Sheet("One", ("Scorer", "Hard"), (("judge", "1"), ("  strict", "2")))])
    assert "| &emsp;strict | 2 |" in text
    assert "| judge | 1 |" in text
