"""Correctness against verbosity, a point a scorer: what every drawing of it shows.

This scatter is this project's own. The figure of RM-Bench's article has a point a response, at the
correctness and verbosity that a multi-attribute reward model gives to it.

Up: accuracy, in which every style is as often the right answer's as the wrong one's. Right: what
P(win) gains when the right answer is detailed and the wrong one concise instead of the other way
round (both plain text). A scorer of pure substance is at 0, 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.report import Interval
from rmjudge.render.figures import known
from rmjudge.statistics.style import Estimate, Style

ACROSS: Final = "verbosity: P(win) gained by detail, substance held fixed, points"
UP: Final = "correctness: accuracy over all styles, %"
NO_STYLE: Final = 0.0
"""Verbosity of a scorer that detail does not move, a fraction."""
CHANCE: Final = 0.5
"""Correctness of a coin, a fraction."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A value with the ends of its 95 % interval, fractions; without interval both are the value.

    The ends of an interval never leave the value outside.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scorer stands."""

    name: str
    verbosity: Coordinate
    correctness: Coordinate


def places(styles: Iterable[Style]) -> list[Place]:
    """Find the scorers' places; a scorer that lacks one of the two figures has none."""
    found: list[Place] = []
    for style in styles:
        across, up = _coordinate(style.verbosity), _coordinate(style.correctness)
        if across is not None and up is not None:
            found.append(Place(style.name, across, up))
    return found


def _coordinate(estimate: Estimate) -> Coordinate | None:
    value = known(estimate.value)
    if value is None:
        return None
    interval = estimate.interval or Interval(value, value)
    return Coordinate(value, min(value, interval.low), max(value, interval.high))
