"""Texts that deserve a look: cut in mid-sentence, canned, almost the same as others. Pure.

Each is a sieve: it names what a person should read, and decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.vocabulary import STYLES, Domain, Style

Side: TypeAlias = Literal["chosen", "rejected"]
SIDES: Final[tuple[Side, ...]] = ("chosen", "rejected")
CANNED: Final = 5
"""A response that this many tuples of a domain share is canned."""
ALIKE: Final = 0.8
"""Prompts that have this share of their runs of words in common are near-duplicates."""
_RUN: Final = 3
_WORDS: Final = re.compile(r"\w+")
_CUT: Final = re.compile(r"[\w,]\Z")
_STATED: Final = re.compile(r"[:=]\s*\S+(?:\s\S+){0,2}\Z")
"""The end of a last line that states a result, which needs no full stop: `Answer: 5/18`."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A detailed or Markdown response that ends in a letter, a digit or a comma."""

    name: str
    side: Side
    style: Style


@dataclass(frozen=True, slots=True)
class Canned:
    """Responses of one domain, side and style that many tuples share.

    `texts` maps each such text to the names of its tuples.
    """

    domain: Domain
    side: Side
    style: Style
    texts: Mapping[str, tuple[str, ...]]

    @property
    def tuples(self) -> int:
        """Tuples with a canned response."""
        return sum(map(len, self.texts.values()))


def cut_texts(items: Iterable[BenchTuple]) -> tuple[Cut, ...]:
    """Find detailed and Markdown responses that end in mid-sentence.

    A last line that states a result is none (`Answer: 5/18`). A list whose last point has no full
    stop is found too; a text cut behind a mark is not.
    """
    return tuple(
        Cut(item.name, side, style)
        for item in items
        for side, texts in zip(SIDES, (item.chosen, item.rejected), strict=True)
        for style, text in tuple(zip(STYLES, texts, strict=True))[1:]
        if _is_cut(text)
    )


def _is_cut(text: str) -> bool:
    last = text.rstrip().rpartition("\n")[2]
    return _CUT.search(last) is not None and _STATED.search(last) is None


def canned_texts(items: Sequence[BenchTuple]) -> tuple[Canned, ...]:
    """Find responses that at least `CANNED` tuples of a domain have word for word."""
    groups: dict[tuple[Domain, Side, Style], dict[str, list[str]]] = {}
    for item in items:
        for side, texts in zip(SIDES, (item.chosen, item.rejected), strict=True):
            for style, text in zip(STYLES, texts, strict=True):
                group = groups.setdefault((item.domain, side, style), defaultdict(list))
                group[" ".join(text.split())].append(item.name)
    found = (
        Canned(*place, {text: tuple(of) for text, of in texts.items() if len(of) >= CANNED})
        for place, texts in groups.items()
    )
    return tuple(one for one in found if one.texts)


def similar_prompts(items: Sequence[BenchTuple]) -> tuple[tuple[str, ...], ...]:
    """Group tuples whose prompts are almost the same, but not all equal; names, in data order.

    Two prompts are alike where the Jaccard index of their runs of three words is `ALIKE` or more.
    Prompts of fewer words have no such run.
    """
    first: dict[str, int] = {}
    same: dict[int, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        same[first.setdefault(item.prompt, place)].append(place)
    runs = {place: _runs(items[place].prompt) for place in same}
    having: dict[tuple[str, ...], list[int]] = defaultdict(list)
    group = {place: place for place in same}
    for place, own in runs.items():
        shared = Counter(other for run in own for other in having[run])
        for other, common in shared.items():
            if common >= ALIKE * (len(own) + len(runs[other]) - common):
                group[_root(group, place)] = _root(group, other)
        for run in own:
            having[run].append(place)
    joined: dict[int, list[int]] = defaultdict(list)
    for place in same:
        joined[_root(group, place)].append(place)
    return tuple(
        tuple(items[place].name for place in sorted(k for one in places for k in same[one]))
        for places in joined.values()
        if len(places) > 1
    )


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORDS.findall(text.lower())
    return frozenset(zip(*(words[start:] for start in range(_RUN)), strict=False))


def _root(group: dict[int, int], place: int) -> int:
    while group[place] != place:
        place = group[place]
    return place
