"""One item of a preference set: a conversation, its responses, and which of them are better."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rmjudge.vocabulary import CELLS, STYLES

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor
    from rmjudge.dataset.tuples import BenchTuple


@dataclass(frozen=True, slots=True)
class Turn:
    """One message before the responses; `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Response:
    """A response. `grade` says how good it is: 1 right and 0 wrong, or any numbers.

    `group` is what it is counted by, such as a style or the model that wrote it.
    """

    text: str
    grade: float
    group: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Places of two responses of which the first is better; `cell` names the pair, if any."""

    better: int
    worse: int
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """What is asked about. `cells` are the pairs that count; empty: every better against worse.

    `raw_subset` is the subset as its file names it, where a benchmark gathers several.
    """

    id: int | str
    subset: str
    turns: tuple[Turn, ...]
    responses: tuple[Response, ...]
    cells: tuple[Pair, ...] = ()
    raw_subset: str = ""

    @property
    def name(self) -> str:
        """The key as people write it: `Natural/17`, or the id alone."""
        return f"{self.subset}/{self.id}" if self.subset else str(self.id)

    @property
    def is_conversation(self) -> bool:
        """Whether there is more before the responses than one message of a user."""
        return len(self.turns) != 1 or self.turns[0].role != "user"

    @property
    def messages(self) -> tuple[tuple[str, str], ...]:
        """The turns, role and text."""
        return tuple((turn.role, turn.content) for turn in self.turns)

    @property
    def prompt(self) -> str:
        """The user's message, as it is; a conversation is written out, a head before each turn."""
        if not self.is_conversation:
            return self.turns[0].content
        return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in self.turns)

    @property
    def texts(self) -> tuple[str, ...]:
        """The responses' texts."""
        return tuple(response.text for response in self.responses)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that count."""
        if self.cells:
            return self.cells
        grades = [response.grade for response in self.responses]
        places = range(len(grades))
        return tuple(Pair(i, j) for i in places for j in places if grades[i] > grades[j])

    @property
    def best(self) -> tuple[int, ...]:
        """Places of the responses of the highest grade."""
        top = max(response.grade for response in self.responses)
        return tuple(k for k, response in enumerate(self.responses) if response.grade == top)


@dataclass(frozen=True)
class ItemSet:
    """Items of one benchmark, in the order of their files. `notes` are lines for people."""

    descriptor: Descriptor
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def name(self) -> str:
        """The benchmark's."""
        return self.descriptor.name

    @cached_property
    def digest(self) -> str:
        """A hash of everything that is scored: equal digests, equal data (64 hex digits)."""
        sha = hashlib.sha256()
        for item in self.items:
            words = repr((item.subset, item.id, item.turns, item.responses, item.cells))
            sha.update(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest())
        return sha.hexdigest()

    def without_ties(self) -> ItemSet:
        """The items that are not scored by the formula of ties."""
        kept = tuple(item for item in self.items if not self.descriptor.is_ties(item.subset))
        return ItemSet(self.descriptor, kept, self.notes)

    def first(self, limit: int | None) -> ItemSet:
        """The first `limit` items of each subset; all for None."""
        if limit is None:
            return self
        counts: dict[str, int] = {}
        kept = []
        for item in self.items:
            counts[item.subset] = counts.get(item.subset, 0) + 1
            if counts[item.subset] <= limit:
                kept.append(item)
        return ItemSet(self.descriptor, tuple(kept), self.notes)


def item_of(tuple_: BenchTuple) -> Item:
    """A tuple of RM-Bench as an item: six responses, their styles, nine named pairs."""
    sides: Sequence[tuple[Sequence[str], float]] = ((tuple_.chosen, 1.0), (tuple_.rejected, 0.0))
    responses = [
        Response(text, grade, style)
        for texts, grade in sides
        for text, style in zip(texts, STYLES, strict=True)
    ]
    cells = tuple(Pair(i, 3 + j, f"{STYLES[i]}/{STYLES[j]}") for i, j in CELLS)
    return Item(tuple_.id, tuple_.domain, (Turn("user", tuple_.prompt),), tuple(responses), cells)
