"""The article's figure on the page: every response where the ticks say, a panel a domain."""

from __future__ import annotations

import re

import pytest

from rmjudge.render.page.responses import Panel, responses_chart
from rmjudge.statistics.responses import Response, Responses

NAMES = {"correctness": "correctness", "verbosity": "verbosity"}


def chart(*points: Response) -> tuple[Panel, ...]:
    return responses_chart(Responses("m", NAMES, points)).panels


def drawn(panel: Panel) -> list[tuple[float, float]]:
    """The middle of each point's mark, of all groups."""
    marks = [m for g in panel.groups for m in re.findall(r"M([\d.e+-]+) ([\d.e+-]+)h(\d)", g.path)]
    return [(float(x) + float(width) / 2, float(y)) for x, y, width in marks]


def test_responses_stand_where_the_ticks_say() -> None:
    (panel,) = chart(
        Response("chat", True, 0, 1.0, -2.0),
        Response("chat", True, 2, 3.0, 0.5),
        Response("chat", False, 1, 2.0, 4.0),
    )
    (x0, low), (x1, high) = panel.columns[0], panel.columns[-1]
    (y0, down), (y1, up) = panel.lines[0], panel.lines[-1]
    for (x, y), (verbosity, correctness) in zip(
        drawn(panel), ((-2, 1), (0.5, 3), (4, 2)), strict=True
    ):
        across = (verbosity - float(low)) / (float(high) - float(low))
        upwards = (correctness - float(down)) / (float(up) - float(down))
        assert x == pytest.approx(x0 + across * (x1 - x0), abs=0.3)
        assert y == pytest.approx(y0 + upwards * (y1 - y0), abs=0.3)
    assert [(group.side, group.style) for group in panel.groups] == [
        ("chosen", 0),
        ("chosen", 2),
        ("rejected", 1),
    ]


def test_panels_of_domains_have_one_scale_and_do_not_overlap() -> None:
    panels = chart(
        Response("safety", True, 0, 0.0, 0.0),
        Response("chat", True, 0, 4.0, 4.0),
        Response("code", False, 1, 1.0, 2.0),
    )
    assert [panel.name for panel in panels] == ["chat", "code", "safety"]
    assert len({tuple(name for _, name in panel.columns) for panel in panels}) == 1
    assert len({(panel.x, panel.y) for panel in panels}) == 3


@pytest.mark.parametrize("value", [0.0, 1e100, -1e100, 1e-9, 5.0])
def test_equal_and_extreme_values_are_drawn_within_their_panel(value: float) -> None:
    (panel,) = chart(
        Response("chat", True, 0, value, value), Response("chat", False, 0, value, -value)
    )
    for x, y in drawn(panel):
        assert panel.x <= x <= panel.x + 166
        assert panel.y <= y <= panel.y + 150
    assert len(panel.columns) <= 12
