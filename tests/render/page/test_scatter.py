"""Correctness against verbosity: points where the figures say, names that can be read."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest

from rmjudge.metrics.tallies import Credits
from rmjudge.render.page.scatter import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Scatter,
    scatter_charts,
    scatter_of,
)
from rmjudge.render.verbosity import Coordinate, Place, places
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.style import Lengths, style_of
from rmjudge.vocabulary import TupleKey


def at(value: float, half: float = 0.0) -> Coordinate:
    return Coordinate(value, value - half, value + half)


def place(name: str, across: float, up: float, half: float = 0.0) -> Place:
    return Place(name, at(across, half), at(up, half))


def test_the_place_of_a_scorer_is_what_its_nine_cells_say() -> None:
    # Two tuples: detail wins over concise once more than it loses to it, and six cells of nine.
    first: Credits = ((1.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 1.0, 1.0))
    second: Credits = ((1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1.0, 0.0, 1.0))
    scored = Scored("m", "pointwise", {("chat", 1): first, ("chat", 2): second})
    lengths = {key: Lengths((1, 2, 3), (1, 2, 3)) for key in scored.credits}
    (found,) = places([style_of(scored, lengths, "strict")])
    assert found.verbosity.value == pytest.approx((1 + 1) / 2 - (0 + 1) / 2)
    assert found.correctness.value == pytest.approx((7 + 5) / 18)
    for of in (found.verbosity, found.correctness):
        assert of.low <= of.value <= of.high


def test_a_scorer_without_a_figure_has_no_place_and_no_chart_is_drawn_of_nothing() -> None:
    blank: Credits = ((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    scored = Scored("m", "pointwise", {("chat", 1): blank})
    style = style_of(scored, {("chat", 1): Lengths((1, 1, 1), (1, 1, 1))}, "strict")
    assert places([style]) == []
    assert scatter_charts([Scatter("chat", [])], ["m"]) == []


def test_points_and_intervals_stand_where_the_ticks_say() -> None:
    own = [place("a", 0.30, 0.70, 0.05), place("b", -0.10, 0.40), place("c", 0.9, 0.6)]
    (chart,) = scatter_charts([Scatter("", own)], ["a", "b"])
    (x0, first), (x1, second) = chart.columns[0], chart.columns[-1]
    (y0, low), (y1, high) = chart.lines[0], chart.lines[-1]

    def across(value: float) -> float:
        return x0 + (x1 - x0) * (value * 100 - float(first)) / (float(second) - float(first))

    def up(value: float) -> float:
        return y0 + (y1 - y0) * (value * 100 - float(low)) / (float(high) - float(low))

    for dot, one in zip(chart.dots, own, strict=True):
        assert dot.x == pytest.approx(across(one.verbosity.value), abs=0.2)
        assert dot.y == pytest.approx(up(one.correctness.value), abs=0.2)
    assert chart.dots[0].across == pytest.approx((across(0.25), across(0.35)), abs=0.2)
    assert chart.dots[0].up == pytest.approx((up(0.65), up(0.75)), abs=0.2)
    assert chart.no_style == pytest.approx(across(0), abs=0.2)
    assert chart.chance == pytest.approx(up(0.5), abs=0.2)
    assert [dot.series for dot in chart.dots] == [0, 1, None]


@pytest.mark.parametrize(("spread", "number"), [(0.5, 6), (0.03, 6), (0.5, 16), (0.0, 3)])
def test_names_cover_neither_each_other_nor_a_point(spread: float, number: int) -> None:
    draw = random.Random(number)
    own = [
        place(f"provider/model-{k}-{'x' * k}", draw.uniform(0, spread), 0.5 + draw.uniform(0, 0.1))
        for k in range(number)
    ]
    (chart,) = scatter_charts([Scatter("", own)], [one.name for one in own])
    labels = [dot.label for dot in chart.dots if dot.label is not None]
    assert len(labels) + len(chart.unnamed) == number
    assert len(labels) >= number * 3 / 4
    for one, other in combinations(labels, 2):
        assert not one.box.meets(other.box)
    for label in labels:
        assert label.box.left >= LEFT
        assert label.box.right <= RIGHT
        assert label.box.top >= TOP
        assert label.box.bottom <= BOTTOM
        for dot in chart.dots:
            beside_x = dot.x <= label.box.left or dot.x >= label.box.right
            assert beside_x or dot.y <= label.box.top or dot.y >= label.box.bottom


def test_a_name_without_room_is_told_with_its_figures() -> None:
    own = [place(f"provider/{'m' * 24}{k:02}", 0.2, 0.6) for k in range(60)]
    (chart,) = scatter_charts([Scatter("", own)], [])
    named = {dot.name for dot in chart.dots if dot.label}
    assert chart.unnamed
    assert len(named) + len(chart.unnamed) == 60
    assert chart.unnamed[0].endswith(": accuracy 60.0 %, detail is worth +20.0 points")


def test_the_data_is_named_where_there_are_several_charts() -> None:
    one, two = Scatter("chat", [place("a", 0, 0.5)]), Scatter("code", [place("b", 0, 0.5)])
    assert [chart.about for chart in scatter_charts([one], ["a"])] == [""]
    assert [chart.about for chart in scatter_charts([one, two], ["a"])] == ["chat", "code"]


@pytest.mark.parametrize("width", [0.0, 0.01, 0.1, 0.37, 1.0, 2.0])
def test_ticks_are_few_round_and_evenly_apart(width: float) -> None:
    own = [place("a", 0.0, 0.5), place("b", width, 0.5 + width / 4)]
    (chart,) = scatter_charts([Scatter("", own)], [])
    for ticks in (chart.columns, chart.lines):
        values = [float(name) for _, name in ticks]
        assert 2 <= len(values) <= 9
        steps = {round(b - a, 6) for a, b in pairwise(values)}
        assert len(steps) == 1
        assert steps <= {1, 2, 5, 10, 20, 25, 50}


def test_long_names_of_one_family_stay_different_in_the_chart() -> None:
    names = [f"vllm/a-family-of-reward-models-{k}b" for k in (1, 3)]
    own = [place(name, 0.1 * k, 0.6) for k, name in enumerate(names)]
    (chart,) = scatter_charts([Scatter("", own)], names)
    shown = [dot.label.text for dot in chart.dots if dot.label]
    assert len(set(shown)) == 2
    for text, name in zip(shown, names, strict=True):
        head, tail = text.split("\N{HORIZONTAL ELLIPSIS}")
        assert name.startswith(head)
        assert name.endswith(tail)
        assert len(text) <= 24


def test_who_has_no_place_is_named() -> None:
    full: Credits = ((1.0, 0.0, 1.0),) * 3
    blank: Credits = ((1.0, None, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    lengths: dict[TupleKey, Lengths] = {("chat", 1): Lengths((1, 1, 1), (1, 1, 1))}
    styles = [
        style_of(Scored(name, "pointwise", {("chat", 1): credits}), lengths, "strict")
        for name, credits in (("whole", full), ("stopped", blank))
    ]
    scatter = scatter_of("chat", styles)
    assert [one.name for one in scatter.places] == ["whole"]
    (chart,) = scatter_charts([scatter], ["whole", "stopped"])
    assert chart.lacking == ("stopped",)
