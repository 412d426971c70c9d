"""How correct and how verbose each response is to a reward model that gives both as attributes.

Of the RM-Bench article's third figure: a point a response. Style should move the verbosity alone,
and the side, chosen or rejected, the correctness alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rmjudge.errors import UsageError
from rmjudge.text import one_line
from rmjudge.vocabulary import Domain, in_order

if TYPE_CHECKING:
    from rmjudge.runs.attributes import Described

CORRECTNESS: Final = "correctness"
VERBOSITY: Final = "verbosity"
MEANINGS: Final = (CORRECTNESS, VERBOSITY)


@dataclass(frozen=True, slots=True)
class Response:
    """A response's attributes, as the model gives them; `style` is an index in `STYLES`."""

    domain: Domain
    chosen: bool
    style: int
    correctness: float
    verbosity: float


@dataclass(frozen=True, slots=True)
class Responses:
    """A run's responses; `names` are those of the attributes that are read as the two.

    `lacking` counts the responses without an answer, or with one that has not both.
    """

    name: str
    names: Mapping[str, str]
    points: tuple[Response, ...] = field(repr=False)
    lacking: int = 0

    @property
    def domains(self) -> list[Domain]:
        """The domains there are, in their usual order."""
        there = {point.domain for point in self.points}
        return list(in_order(there))

    def of(self, domain: Domain) -> Responses:
        """The responses of one domain."""
        own = tuple(point for point in self.points if point.domain == domain)
        return Responses(self.name, self.names, own)

    def kinds(self) -> Iterator[Kind]:
        """The chosen responses style by style, then the rejected; those that there are."""
        for chosen in (True, False):
            for style in range(3):
                own = [p for p in self.points if (p.chosen, p.style) == (chosen, style)]
                if own:
                    yield Kind(chosen, style, tuple(own))


@dataclass(frozen=True, slots=True)
class Kind:
    """The responses of one side and style."""

    chosen: bool
    style: int
    points: tuple[Response, ...]

    @property
    def correctness(self) -> float:
        """The mean."""
        return math.fsum(point.correctness for point in self.points) / len(self.points)

    @property
    def verbosity(self) -> float:
        """The mean."""
        return math.fsum(point.verbosity for point in self.points) / len(self.points)


def responses_of(
    name: str, described: Sequence[Described], names: Mapping[str, str] | None = None
) -> Responses | None:
    """Read the two attributes of each response, the mean of its answers.

    `names` says which they are; without it they are found by their names, and None is returned
    where none are called so.

    Raises:
        UsageError: no answer holds an attribute of `names`.
    """
    there = list(dict.fromkeys(key for one in described for given in one.answers for key in given))
    if names is None:
        called = {meaning: attribute_called(meaning, there) for meaning in MEANINGS}
        names = {meaning: one for meaning, one in called.items() if one is not None}
        if len(names) < len(MEANINGS):
            return None
    for wanted in names.values():
        if wanted not in there:
            held = ", ".join(map(one_line, there))
            raise UsageError(f"{name}: no attribute is called {one_line(wanted)}; there are {held}")
    points = tuple(
        Response(one.domain, one.chosen, one.style, *means)
        for one in described
        if (means := _means(one, [names[meaning] for meaning in MEANINGS]))
    )
    return Responses(name, dict(names), points, len(described) - len(points))


def _means(one: Described, wanted: Sequence[str]) -> list[float]:
    known = [given for given in one.answers if given.keys() >= set(wanted)]
    return [math.fsum(given[key] for given in known) / len(known) for key in wanted if known]


def attribute_called(meaning: str, names: Sequence[str]) -> str | None:
    """Find the attribute of this meaning: the one of the name, or the only one that ends in it.

    So `helpsteer-correctness` is the correctness where no other attribute's name ends in the word.
    """
    exact = [name for name in names if name.casefold() == meaning]
    ending = [
        name
        for name in names
        if name.casefold().endswith(meaning) and not name[: -len(meaning)][-1:].isalnum()
    ]
    found = exact or ending
    return found[0] if len(found) == 1 else None
