# ruff: noqa: RUF001  the en dash is what is shown
"""Sheets in a terminal: a table at any width that can hold one, and no figure is ever cut."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from rmjudge.render.sheets import Aside, Sheet
from rmjudge.render.terminal.listings import parts, sheets_renderable
from rmjudge.text import cell_width

SHEET = Sheet(
    title="What it is worth",
    header=("Scorer", "Gap", "95 %"),
    rows=(("one", "+12.3", "1.0 to 20.0"), ("another/name", "-4.5", "+0.5")),
    notes=("A note.",),
)
WIDE = Sheet(
    title="Both",
    header=("", "A", "B", "A - B", "p", "not in one"),
    rows=(("easy", "90.0", "66.7", "+23.3", "<0.001", "1,234"),),
    notes=("Read this.",),
    aside=Aside("By themselves", frozenset({4, 5})),
)


def drawn(width: int, *sheets: Sheet, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, highlight=False, markup=False)
    console.print(sheets_renderable(sheets or [SHEET]))
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(encoding)


def lines(width: int, *sheets: Sheet) -> list[str]:
    return [line.rstrip() for line in drawn(width, *sheets).splitlines()]


def test_a_sheet_is_a_table_with_its_notes() -> None:
    assert lines(60) == [
        "What it is worth",
        "Scorer          Gap         95 %",
        "────────────────────────────────",
        "one           +12.3  1.0 to 20.0",
        "another/name   -4.5         +0.5",
        "A note.",
    ]


def test_sheets_are_a_line_apart() -> None:
    assert lines(60, Sheet("One"), Sheet("Two")) == ["One", "", "Two"]


def test_the_columns_come_closer_before_anything_else() -> None:
    assert lines(30)[1:4] == [
        "Scorer         Gap        95 %",
        "──────────────────────────────",
        "one          +12.3 1.0 to 20.0",
    ]


def test_a_header_that_is_wider_than_its_figures_is_broken() -> None:
    assert lines(36, WIDE)[1:5] == [
        "                               not",
        "        A    B A - B      p in one",
        "──────────────────────────────────",
        "easy 90.0 66.7 +23.3 <0.001  1,234",
    ]


def test_long_names_are_folded_before_the_table_is_split() -> None:
    long = replace(WIDE, rows=(("openai/gpt-4.1-mini-2025-04-14", *WIDE.rows[0][1:]),))
    assert lines(54, long)[4:6] == [
        "openai/gpt-4.1-mini-     90.0 66.7 +23.3 <0.001  1,234",
        "2025-04-14",
    ]


def test_what_is_put_aside_has_a_table_of_its_own_with_the_names() -> None:
    assert lines(24, WIDE) == [
        "Both",
        "         A     B  A - B",
        "───────────────────────",
        "easy  90.0  66.7  +23.3",
        "",
        "By themselves",
        "           p  not in one",
        "────────────────────────",
        "easy  <0.001       1,234",
        "Read this.",
    ]


def test_without_columns_to_put_aside_a_table_goes_on_below() -> None:
    shown = lines(24, replace(WIDE, aside=None))
    assert shown[0] == "Both"
    assert "easy  90.0  66.7  +23.3" in shown
    assert "Both, continued" in shown
    assert "easy  <0.001       1,234" in shown


def test_parts_together_have_every_column_once_and_the_names_each() -> None:
    many = Sheet("t", tuple("nabcdefg"), (tuple("x1234567"),), strong=6)
    found = parts(many, lambda part: len(part.header) <= 4)
    assert [part.header for part in found] == [tuple("nabc"), tuple("ndef"), tuple("ng")]
    assert [part.rows[0] for part in found] == [tuple("x123"), tuple("x456"), tuple("x7")]
    assert [part.title for part in found] == ["t", "t, continued", "t, continued"]
    assert [part.strong for part in found] == [None, 3, None]


@pytest.mark.parametrize("width", [8, 10, 16, 20, 30, 40, 60])
@pytest.mark.parametrize("sheet", [SHEET, WIDE], ids=["small", "wide"])
def test_every_figure_is_there_at_every_width(sheet: Sheet, width: int) -> None:
    text = drawn(width, sheet)
    shown = "".join(text.split())
    assert max(map(cell_width, text.splitlines())) <= width
    for row in sheet.rows:
        assert all("".join(figure.split()) in shown for figure in row[1:])


def test_a_terminal_too_narrow_for_two_columns_gets_a_block_a_row() -> None:
    assert lines(20)[:4] == ["What it is worth", "one", "  Gap   +12.3", "  95 %  1.0 to 20.0"]


def test_of_several_columns_of_names_what_stands_above_is_not_repeated() -> None:
    rows = (("a", "chat", "1"), ("a", "math", "2"), ("b", "math", "3"))
    sheet = Sheet("t", ("Scorer", "Domain", "n"), rows, names=2)
    assert lines(40, sheet)[3:] == ["a       chat    1", "        math    2", "b       math    3"]


def test_words_are_to_the_left_and_folded_and_never_shortened() -> None:
    url = "https://a.example/" + "part/" * 20
    sheet = Sheet("t", ("Name", "Where"), (("one", url),), words=frozenset({1}))
    shown = drawn(44, sheet)
    assert url in "".join(line[4:].strip() for line in shown.splitlines()[3:])
    assert "…" not in shown


def test_a_figure_is_lined_up_by_its_spaces() -> None:
    sheet = Sheet("t", ("n", "f"), (("a", "1.0*"), ("b", "2.0 ")))
    assert drawn(20, sheet).splitlines()[3:] == ["a  1.0*", "b  2.0 "]


def test_a_terminal_without_utf8_gets_ascii_signs() -> None:
    sheet = Sheet("t", ("n", "f"), (("a", "0.5†"), ("b", "–")), ("† not all",))
    shown = drawn(60, sheet, encoding="ascii")
    assert "0.5#" in shown
    assert "b     -" in shown
    assert "# not all" in shown
