"""Sheets in a terminal and in Markdown: figures are never cut, names are inert."""

from __future__ import annotations

import csv
import io
import math

import pytest
from rich.console import Console

from rmjudge.metrics.report import Interval
from rmjudge.render.sheets import (
    Sheet,
    chance,
    points,
    points_range,
    rows_csv,
    scope,
    sheets_markdown,
    sheets_renderable,
    signed_half,
)
from rmjudge.vocabulary import DOMAINS

SHEET = Sheet(
    title="What it is worth",
    header=("Scorer", "Gap", "95 %"),
    rows=(("one", "+12.3", "1.0 to 20.0"), ("another/name", "-4.5", "±0.5")),
    notes=("A note.",),
)


def drawn(width: int, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream, width=width, highlight=False, markup=False)
    console.print(sheets_renderable([SHEET]))
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(encoding)


def test_a_sheet_is_a_table_with_its_notes() -> None:
    lines = [line.rstrip() for line in drawn(60).splitlines()]
    assert lines == [
        "What it is worth",
        "Scorer          Gap         95 %",
        "─────────────────────────────────",
        "one           +12.3  1.0 to 20.0",
        "another/name   -4.5         ±0.5",
        "A note.",
        "",
    ]


@pytest.mark.parametrize("width", [10, 20, 30])
def test_a_narrow_terminal_gets_a_block_a_row_and_every_figure(width: int) -> None:
    shown = "".join(drawn(width).split())
    for _, gap, interval in SHEET.rows:
        assert gap in shown
        assert "".join(interval.split()) in shown


def test_a_terminal_without_utf8_gets_ascii_signs() -> None:
    assert "+-0.5" in drawn(60, "ascii")


def test_markdown_is_a_heading_a_table_and_its_notes() -> None:
    assert sheets_markdown([SHEET]) == (
        "### What it is worth\n\n"
        "| Scorer | Gap | 95 % |\n| --- | --: | --: |\n"
        "| one | +12.3 | 1.0 to 20.0 |\n| another/name | -4.5 | ±0.5 |\n\n"
        "A note.\n"
    )


def test_names_cannot_break_out_of_markdown() -> None:
    hostile = Sheet("<b>|x", ("a|b",), (("| <script>",),))
    found = sheets_markdown([hostile])
    assert "<script>" not in found
    assert "| \\| &lt;script&gt; |" in found


def test_names_cannot_steer_a_terminal_or_a_spreadsheet() -> None:
    text = rows_csv(("scorer", "value"), [("=cmd()\x1b[2J", 0.5)])
    assert list(csv.reader(text.splitlines()))[1] == ["'=cmd()[2J", "0.5"]


def test_csv_leaves_unknown_numbers_empty() -> None:
    text = rows_csv(("a",) * 5, [(None, math.nan, True, 3, 1 / 3)])
    assert text.splitlines()[1] == ",,true,3,0.333333333"


def test_csv_has_no_noise_of_adding_up_and_no_negative_nothing() -> None:
    text = rows_csv(("a",) * 4, [(-0.0, 1.11022302e-16, -1e-12, -2 / 3)])
    assert text.splitlines()[1] == "0,0,0,-0.666666667"


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+12.3"), (-0.0001, "+0.0"), (None, "-"), (math.nan, "-")]
)
def test_points_have_a_sign_and_no_negative_nothing(value: float | None, text: str) -> None:
    assert points(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "<0.001"), (0.0, "<0.001"), (0.05, "0.050"), (None, "-")]
)
def test_a_p_value_is_never_nought(value: float | None, text: str) -> None:
    assert chance(value) == text


def test_intervals_are_written_with_what_they_are_around() -> None:
    assert points_range(Interval(-0.05, 0.1)) == "-5.0 to 10.0"
    assert points_range(None) == "-"
    assert signed_half(1.0, Interval(0.5, 1.5)) == "+1.00 ±0.50"
    assert signed_half(1.0, None) == "+1.00"


def test_only_an_average_over_all_four_domains_is_called_all() -> None:
    assert scope(None, DOMAINS) == "all"
    assert scope(None, ("chat", "safety")) == "chat+safety"
    assert scope("math", DOMAINS) == "math"
