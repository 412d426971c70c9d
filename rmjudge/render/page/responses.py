"""The article's figure as the page draws it: a point a response, a panel a domain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.render.commands.responses import kind_name
from rmjudge.statistics.responses import Kind, Responses
from rmjudge.vocabulary import STYLES

WIDTH: Final = 196.0
LEFT: Final = 30.0
TOP: Final = 34.0
HEIGHT: Final = 150.0
ROW: Final = 204.0
ACROSS: Final = 2
MOST_TICKS: Final = 5
MARGIN: Final = 0.05
WIDE: Final = 4.0
MARKDOWN: Final = STYLES.index("markdown")


@dataclass(frozen=True, slots=True)
class Group:
    """The points of one side and style as one path, and the mean of them."""

    side: str
    style: int
    path: str
    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A domain: where its panel lies, its groups and ticks."""

    name: str
    x: float
    y: float
    groups: tuple[Group, ...]
    columns: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class ResponsesChart:
    """One reward model's responses."""

    name: str
    height: float
    panels: tuple[Panel, ...]


def responses_chart(found: Responses) -> ResponsesChart:
    """Lay out a panel for each domain; all have the same scales."""
    across = _scale([point.verbosity for point in found.points])
    up = _scale([point.correctness for point in found.points])
    panels = tuple(
        _panel(found.of(domain), _Frame(number, across, up))
        for number, domain in enumerate(found.domains)
    )
    return ResponsesChart(found.name, ROW * math.ceil(len(panels) / ACROSS) + 12, panels)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float, start: float, end: float) -> float:
        return round(start + (end - start) * (value - self.low) / (self.high - self.low), 1)


def _scale(values: Sequence[float]) -> _Scale:
    """Hold all values, with a little room around them and few ticks: 1, 2 or 5 times 10^k."""
    low, high = min(values), max(values)
    span = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-6)
    power = 10.0 ** math.floor(math.log10(span / MOST_TICKS))
    step = next(m * power for m in (1, 2, 5, 10) if span / (m * power) <= MOST_TICKS)
    first, last = math.ceil(low / step), math.floor(high / step)
    room = MARGIN * span
    ticks = tuple(number * step for number in range(first, last + 1))
    return _Scale(low - room, high + room, ticks)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the panel of this number lies, and its scales."""

    number: int
    across: _Scale
    up: _Scale

    @property
    def left(self) -> float:
        return WIDTH * (self.number % ACROSS) + LEFT

    @property
    def top(self) -> float:
        return ROW * (self.number // ACROSS) + TOP

    def x(self, verbosity: float) -> float:
        return self.across.at(verbosity, self.left, self.left + WIDTH - LEFT)

    def y(self, correctness: float) -> float:
        return self.up.at(correctness, self.top + HEIGHT, self.top)


def _panel(found: Responses, frame: _Frame) -> Panel:
    """The panel of one domain's responses."""
    return Panel(
        name=found.domains[0],
        x=frame.left,
        y=frame.top,
        groups=tuple(_group(kind, frame) for kind in found.kinds()),
        columns=tuple((frame.x(tick), f"{tick:g}") for tick in frame.across.ticks),
        lines=tuple((frame.y(tick), f"{tick:g}") for tick in frame.up.ticks),
    )


def _group(kind: Kind, frame: _Frame) -> Group:
    return Group(
        side="chosen" if kind.chosen else "rejected",
        style=kind.style,
        # A line without length is drawn as its cap: far fewer bytes than a circle each.
        path="".join(
            _dash(frame.x(point.verbosity), frame.y(point.correctness), wide=kind.style == MARKDOWN)
            for point in kind.points
        ),
        x=frame.x(kind.verbosity),
        y=frame.y(kind.correctness),
        title=f"{kind_name(kind)}, mean of {len(kind.points):,}: correctness "
        f"{kind.correctness:.3g}, verbosity {kind.verbosity:.3g}",
    )


def _dash(x: float, y: float, *, wide: bool) -> str:
    return f"M{x - WIDE / 2:g} {y:g}h{WIDE:g}" if wide else f"M{x:g} {y:g}h0"
