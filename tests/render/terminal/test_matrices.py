"""Matrices in a terminal: both axes, nine cells, and side by side where there is room."""

from __future__ import annotations

import io

import pytest
from drawn_reports import EMPTY, LENGTH, draw, lines_of, report
from rich.console import Console

from rmjudge.render.commands.report import report_renderable
from rmjudge.runs.results import ScorerResult


def matrix_lines(item: ScorerResult, encoding: str = "utf-8") -> list[str]:
    """What stands below the title of a scorer of one domain, up to the summary."""
    lines = lines_of(draw(report_renderable([item]), encoding=encoding))
    start = lines.index("Chat  129 tuples, half credit, %")
    return lines[start : lines.index("", start + 8 + 1)]


def test_a_matrix_shows_both_axes_nine_cells_and_what_follows() -> None:
    item = report("x", unscored=12, domains=("chat",))
    assert matrix_lines(item)[:15] == [
        "Chat  129 tuples, half credit, %",
        "            rejected →",
        "chosen ↓       concise    detailed    markdown",
        "───────────────────────────────────────────────",
        "concise         70.0 N      60.0 H      50.0 H",
        "detailed        80.0 E      70.0 N      60.0 H",
        "markdown        90.0 E      80.0 E      70.0 N",
        "",
        "Easy     83.3 (81.2-85.4)",
        "Normal   70.0 (67.9-72.1)",
        "Hard     56.7 (54.6-58.8)",
        "Average  70.0 (67.9-72.1)",
        "Tied      3.1",
        "† 12 of 1161 cells not scored; average between",
        "48.1 and 51.3",
    ]


def test_a_matrix_on_a_terminal_without_utf8_is_ascii() -> None:
    item = report("x", EMPTY, unscored=12, domains=("chat",))
    lines = matrix_lines(item, "ascii")
    assert lines[:7] == [
        "Chat  129 tuples, half credit, %",
        "            rejected >",
        "chosen v       concise    detailed    markdown",
        "-----------------------------------------------",
        "concise            - N      60.0 H      50.0 H",
        "detailed        80.0 E         - N      60.0 H",
        "markdown        90.0 E      80.0 E         - N",
    ]
    assert "# 12 of 1161" in "\n".join(lines)


def test_a_coloured_cell_names_both_its_colours() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system="truecolor")
    console.print(report_renderable([report("x", LENGTH)]))
    assert "\x1b[38;2;0;0;0;48;2;241;141;59m" in stream.getvalue()
    assert "\x1b[38;2;0;0;0;48;2;103;169;222m" in stream.getvalue()


@pytest.mark.parametrize(
    ("width", "matrices"), [(80, 1), (99, 1), (100, 2), (120, 2), (199, 2), (200, 4)]
)
def test_matrices_stand_side_by_side_where_there_is_room(width: int, matrices: int) -> None:
    first = next(
        line
        for line in draw(report_renderable([report("x")]), width).splitlines()
        if line.startswith("chosen ↓")
    )
    assert first.count("chosen ↓") == matrices
