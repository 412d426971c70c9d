"""The charts of the page, as coordinates; `charts.html` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.render.figures import ends, known, percent
from rmjudge.runs.views import View
from rmjudge.statistics.lengths import length_curve
from rmjudge.text import shorten
from rmjudge.vocabulary import DIFFICULTIES

LEFT: Final = 30.0
RIGHT: Final = 388.0
ROW: Final = 52.0
TOP: Final = 22.0
PLOT_HEIGHT: Final = 190.0
NAME_COLUMNS: Final = 52
SERIES: Final = 8
"""Colours there are; a ninth scorer begins again."""
DASHES: Final = 3
"""Kinds of lines: neighbours differ without their colours, and so do two of one colour."""
BIN_NAMES: Final = ("<1/4", "1/4-1/2", "1/2-4/5", "about 1", "5/4-2", "2-4", ">4")


@dataclass(frozen=True, slots=True)
class Mark:
    """An accuracy with its interval: x coordinates, and what a pointer over it tells."""

    part: str
    x: float
    low: float
    high: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class DifficultyRow:
    """A scorer's three accuracies."""

    name: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class DifficultyChart:
    """Easy, Normal and Hard of every scorer, one below the other."""

    height: float
    rows: tuple[DifficultyRow, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Mean credit in a bin of lengths."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A scorer's points; `series` chooses its colour, `dash` its kind of line."""

    name: str
    series: int
    dash: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class LengthChart:
    """Mean credit against how long the chosen response is beside the rejected one."""

    curves: tuple[Curve, ...]
    columns: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, str], ...]


def difficulty_chart(view: View) -> DifficultyChart | None:
    """Lay out a row for each scorer with numbers; None where there is none."""
    rows: list[DifficultyRow] = []
    for scorer in view.scorers:
        metrics = scorer.result.metrics
        top = TOP + ROW * len(rows)
        marks: list[Mark] = []
        for number, part in enumerate(DIFFICULTIES):
            value = known(getattr(metrics.headline, part))
            if value is None:
                continue
            interval = getattr(metrics.intervals, part)
            low, high = (value, value) if interval is None else (interval.low, interval.high)
            figure = f"{part.capitalize()} {percent(value)}{ends(interval)}"
            y = top + 20 + 9 * number
            marks.append(Mark(part, _across(value), _across(low), _across(high), y, figure))
        if marks:
            rows.append(DifficultyRow(shorten(scorer.name, NAME_COLUMNS), top, tuple(marks)))
    if not rows:
        return None
    ticks = tuple((_across(percent / 100), str(percent)) for percent in range(0, 101, 25))
    return DifficultyChart(TOP + ROW * len(rows) + 18, tuple(rows), ticks)


def _across(fraction: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * min(max(fraction, 0.0), 1.0), 1)


def length_chart(view: View) -> LengthChart | None:
    """Lay out a line for each scorer; None without texts, or where no bin has enough cells."""
    columns = tuple(
        (round(LEFT + (RIGHT - LEFT) * (place + 0.5) / len(BIN_NAMES), 1), name)
        for place, name in enumerate(BIN_NAMES)
    )
    curves: list[Curve] = []
    for number, scorer in enumerate(view.scorers):
        bins = length_curve(
            (viewed.item, outcome.credits)
            for viewed in view.tuples
            if viewed.item is not None and (outcome := viewed.outcomes[number]) is not None
        )
        points = tuple(
            Point(x, _down(found.credit), f"{name}: {percent(found.credit)} % of {found.cells:,}")
            for (x, name), found in zip(columns, bins, strict=True)
            if found.credit is not None
        )
        if points:
            curves.append(Curve(scorer.name, number % SERIES, number % DASHES, points))
    if not curves:
        return None
    lines = tuple((_down(share / 100), str(share)) for share in range(0, 101, 25))
    return LengthChart(tuple(curves), columns, lines)


def _down(fraction: float) -> float:
    return round(10 + (PLOT_HEIGHT - 20) * (1 - fraction), 1)


def path(points: Sequence[Point]) -> str:
    """A line through the points, as SVG writes it."""
    return " ".join(f"{point.x:g},{point.y:g}" for point in points)
