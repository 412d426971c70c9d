"""Correctness against verbosity as the page draws it: a point a scorer, its name beside it.

A name goes to the first of several places around its point where it covers neither a point nor
another name; one further away has a line to its point. A name for which there is no such place
is not drawn but named below.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.render.figures import percent
from rmjudge.render.page.charts import SERIES
from rmjudge.render.verbosity import CHANCE, NO_STYLE, Place, places
from rmjudge.statistics.style import Style
from rmjudge.text import cell_width, one_line, shorten

LEFT: Final = 34.0
RIGHT: Final = 390.0
TOP: Final = 22.0
BOTTOM: Final = 262.0
NAME_COLUMNS: Final = 24
COLUMN: Final = 6.6
"""Width of a name's column of text, on the side of too much: fonts differ."""
LINE: Final = 14.0
BASE: Final = 10.5
"""From the top of a name to its base line."""
SIDEWAYS: Final = 0.35
"""Cosine of a direction from which on a name begins or ends there, and is not centred."""
RADIUS: Final = 5.0
NEAR: Final = 9.0
"""Distance of a name from its point; further away a line leads there."""
AWAY: Final = (NEAR, 20.0, 34.0, 50.0, 68.0, 88.0)
DIRECTIONS: Final = 16
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
MOST_TICKS: Final = 8
MARGIN: Final = 0.08


@dataclass(frozen=True, slots=True)
class Scatter:
    """The places of one data set's scorers; `about` names the data, `lacking` who has no place."""

    about: str
    places: Sequence[Place]
    lacking: tuple[str, ...] = ()


def scatter_of(about: str, styles: Sequence[Style]) -> Scatter:
    """Find the places of a data set's scorers."""
    found = places(styles)
    there = {place.name for place in found}
    return Scatter(about, found, tuple(s.name for s in styles if s.name not in there))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether two rectangles share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A name drawn: where its base line is anchored, and where the line to its point ends."""

    text: str
    x: float
    y: float
    anchor: str
    box: Box
    line: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A scorer: its point, the ends of its intervals; `series` is None for one only beside."""

    name: str
    x: float
    y: float
    across: tuple[float, float]
    up: tuple[float, float]
    series: int | None
    title: str
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class ScatterChart:
    """The points, the ticks of both axes and the two lines that mean something.

    `unnamed` tells the scorers for whose names there was no room, `lacking` names those that
    have no place.
    """

    about: str
    dots: tuple[Dot, ...]
    columns: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, str], ...]
    no_style: float
    chance: float
    unnamed: tuple[str, ...]
    lacking: tuple[str, ...]


def scatter_charts(scatters: Sequence[Scatter], names: Sequence[str]) -> list[ScatterChart]:
    """Lay out a chart for each data set with points, which is named where there are several.

    `names` are the page's scorers, whose colours the points have.
    """
    drawn = [scatter for scatter in scatters if scatter.places]
    return [_chart(scatter, names, scatter.about if len(drawn) > 1 else "") for scatter in drawn]


def _chart(scatter: Scatter, names: Sequence[str], about: str) -> ScatterChart:
    own = scatter.places
    across = _scale([(p.verbosity.low, p.verbosity.high) for p in own], NO_STYLE)
    up = _scale([(p.correctness.low, p.correctness.high) for p in own], CHANCE)
    dots = [_dot(place, across, up, names) for place in own]
    labels = _labelled(dots)
    return ScatterChart(
        about=about,
        dots=tuple(
            Dot(d.name, d.x, d.y, d.across, d.up, d.series, d.title, label)
            for d, label in zip(dots, labels, strict=True)
        ),
        columns=tuple((across.at(value, LEFT, RIGHT), _signed(value)) for value in across.ticks),
        lines=tuple((up.at(value, BOTTOM, TOP), f"{value * 100:.0f}") for value in up.ticks),
        no_style=across.at(NO_STYLE, LEFT, RIGHT),
        chance=up.at(CHANCE, BOTTOM, TOP),
        unnamed=tuple(d.title for d, label in zip(dots, labels, strict=True) if label is None),
        lacking=scatter.lacking,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float, start: float, end: float) -> float:
        return round(start + (end - start) * (value - self.low) / (self.high - self.low), 1)


def _scale(ranges: Sequence[tuple[float, float]], always: float) -> _Scale:
    """Hold all values and `always`, with a little room around them and few round ticks."""
    low = min(always, *(start for start, _ in ranges))
    high = max(always, *(end for _, end in ranges))
    room = max(MARGIN * (high - low), 0.01)
    low, high = low - room, high + room
    step = next((s for s in STEPS if (high - low) / s <= MOST_TICKS), STEPS[-1])
    first, last = math.ceil(low / step), math.floor(high / step)
    return _Scale(low, high, tuple(number * step for number in range(first, last + 1)))


def _dot(place: Place, across: _Scale, up: _Scale, names: Sequence[str]) -> Dot:
    right, correct = place.verbosity, place.correctness
    return Dot(
        name=place.name,
        x=across.at(right.value, LEFT, RIGHT),
        y=up.at(correct.value, BOTTOM, TOP),
        across=(across.at(right.low, LEFT, RIGHT), across.at(right.high, LEFT, RIGHT)),
        up=(up.at(correct.low, BOTTOM, TOP), up.at(correct.high, BOTTOM, TOP)),
        series=names.index(place.name) % SERIES if place.name in names else None,
        title=f"{place.name}: accuracy {percent(correct.value)} %, "
        f"detail is worth {right.value * 100:+.1f} points",
    )


def _labelled(dots: Sequence[Dot]) -> list[Label | None]:
    """Place the names, those of the rightmost and topmost points first; each in the dots' order."""
    taken = [Box(d.x - RADIUS, d.y - RADIUS, d.x + RADIUS, d.y + RADIUS) for d in dots]
    labels: list[Label | None] = [None] * len(dots)
    for number in sorted(range(len(dots)), key=lambda k: (-dots[k].x, dots[k].y)):
        dot = dots[number]
        free = (one for one in _candidates(dot) if not any(map(one.box.meets, taken)))
        label = next(free, None)
        if label is not None:
            labels[number] = label
            taken.append(label.box)
    return labels


def _candidates(dot: Dot) -> Iterator[Label]:
    """Where a name could stand, the best first: right, left, above, below, then further away."""
    text = _short(dot.name)
    width = cell_width(text) * COLUMN
    for away in AWAY:
        for turn in sorted(range(DIRECTIONS), key=lambda k: (k % 8 != 0, k % 4 != 0, k)):
            angle = 2 * math.pi * turn / DIRECTIONS
            end_x, end_y = dot.x + away * math.cos(angle), dot.y - away * math.sin(angle)
            side = 0 if abs(math.cos(angle)) < SIDEWAYS else math.copysign(1, math.cos(angle))
            left = end_x - width * (1 - side) / 2
            top = end_y - LINE / 2 - math.sin(angle) * LINE / 2
            box = Box(left, top, left + width, top + LINE)
            if box.left < LEFT + 2 or box.right > RIGHT or box.top < TOP or box.bottom > BOTTOM:
                continue
            line = None if away == NEAR else (round(end_x, 1), round(end_y, 1))
            anchor = {1: "start", 0: "middle", -1: "end"}[round(side)]
            yield Label(text, round(end_x, 1), round(top + BASE, 1), anchor, box, line)


def _short(name: str) -> str:
    """Shorten a long name in its middle: names of one family differ at their ends."""
    line = one_line(name)
    if cell_width(line) <= NAME_COLUMNS:
        return line
    start = len(line)
    while cell_width(line[start - 1 :]) <= NAME_COLUMNS // 2:
        start -= 1
    return shorten(line, NAME_COLUMNS - cell_width(line[start:])) + line[start:]


def _signed(fraction: float) -> str:
    points = round(fraction * 100)
    return f"{points:+d}" if points else "0"
