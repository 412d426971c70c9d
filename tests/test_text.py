"""Text of strangers is harmless before it is shown: on a terminal, in a sheet, in a paper."""

import re
import subprocess
import sys

import pytest

from rmjudge.text import (
    cell_width,
    clean,
    csv_cell,
    label,
    latex_escape,
    markdown_cell,
    one_line,
    shorten,
    wrap,
)

BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]
ZERO_WIDTH = [0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD]
CONTROLS = [n for n in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if chr(n) not in "\n\t"]


@pytest.mark.parametrize("code", [*CONTROLS, *BIDI, *ZERO_WIDTH], ids=hex)
def test_a_character_that_is_obeyed_or_unseen_is_removed(code: int) -> None:
    assert clean(f"a{chr(code)}b") == "ab"


def test_an_escape_sequence_is_shown_as_the_text_it_is() -> None:
    assert clean("\x1b[31mred\x1b]0;title\x07\x9b2J") == "[31mred]0;title2J"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "a\nb"),
        ("a\tb", "a b"),
        ("a\r\nb", "a\nb"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("\ud800x\udfff", "\ufffdx\ufffd"),
        ("naïve 模型 [/INST] ±", "naïve 模型 [/INST] ±"),
        ("", ""),
    ],
)
def test_text_that_can_be_read_stays(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_cleaning_twice_changes_nothing_more() -> None:
    everything = "".join(map(chr, range(0x3000))) + "\ud800"
    assert clean(clean(everything)) == clean(everything)


def test_one_line_joins_all_white_space() -> None:
    assert one_line("  a \n\n b\u00a0\u2003c\t") == "a b c"


@pytest.mark.parametrize("name", ["", " \n", "\u200b", "\x1b"])
def test_a_label_is_never_empty(name: str) -> None:
    assert label(name) == "(unnamed)"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("模型", 4), ("e\u0301", 1), ("", 0), ("\uff41", 2)]
)
def test_width_is_counted_in_terminal_columns(text: str, width: int) -> None:
    assert cell_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("openai/gpt-4.1", 14, "openai/gpt-4.1"),
        ("openai/gpt-4.1", 13, "openai/gpt-4…"),
        ("two words", 5, "two…"),
        ("模型模型", 6, "模型…"),
        ("a\nb", 3, "a b"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_what_is_cut_is_marked(text: str, width: int, expected: str) -> None:
    assert shorten(text, width) == expected
    assert cell_width(shorten(text, width)) <= width


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4.1", ["openai/gpt-4.1"]),
        ("openrouter/deepseek/deepseek-r1", ["openrouter/deepseek/", "deepseek-r1"]),
        ("x" * 45, ["x" * 20, "x" * 20, "x" * 5]),
        ("y" * 90, ["y" * 20, "y" * 20, "y" * 19 + "…"]),
        ("a/" + "z" * 30, ["a/" + "z" * 18, "z" * 12]),
        ("", [""]),
    ],
)
def test_a_long_name_breaks_at_its_joints_and_is_cut_at_last(
    name: str, expected: list[str]
) -> None:
    assert wrap(name, 20, lines=3) == expected


def test_wrapping_ends_even_where_no_character_fits() -> None:
    assert wrap("模型模型", 1, lines=3) == ["模", "型", "…"]


@pytest.mark.parametrize(
    "text",
    ["=cmd()", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "\n=1", " =1", "＝1", "-", "--1", "=1"],  # noqa: RUF001
)
def test_a_formula_is_prefixed_in_a_sheet(text: str) -> None:
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1", "+0.5", "-1e-3", "0.25", "-.5", "", "a=b", "openai/x"])
def test_a_number_or_plain_text_stays_in_a_sheet(text: str) -> None:
    assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("a_b & 5% #1 $x^2$ ~", r"a\_b \& 5\% \#1 \$x\textasciicircum{}2\$ \textasciitilde{}"),
        ("[/INST]", "{[}/INST{]}"),
        ("*", "{*}"),
        ("a---b-c", "a-{}-{}-b-c"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("a\n\nb", "a b"),
    ],
)
def test_latex_prints_a_name_as_itself(text: str, expected: str) -> None:
    assert latex_escape(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a&#92;\|b"),
        ("<script>&lt;", "&lt;script&gt;&amp;lt;"),
        ("**b** _i_ `c`", r"\*\*b\*\* \_i\_ \`c\`"),
        ("![x](http://y)", r"!\[x\](http\://y)"),
        ("a\n| b", r"a \| b"),
    ],
)
def test_markdown_prints_a_name_as_itself(text: str, expected: str) -> None:
    assert markdown_cell(text) == expected


def test_no_pipe_in_a_markdown_cell_is_bare() -> None:
    assert not re.search(r"(?<!\\)\|", markdown_cell(r"|a\|\\|||"))


def test_rich_is_loaded_by_the_tables_alone() -> None:
    code = "import sys, rmjudge.render.commands.report_data; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
