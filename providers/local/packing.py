"""Which tokens are computed, once each, and in which forward pass: token tries and packs.

The sequences of one prompt begin alike. A trie holds every shared beginning once: a node is a run
of tokens, its children go on after it. Laid out depth first, a node's descendants are the rows
right behind it, which is all that attention needs to know (see `attention`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

TokenIds: TypeAlias = tuple[int, ...]
Group: TypeAlias = Sequence[TokenIds]
"""The sequences of one prompt: the unit of sharing, and of determinism."""

LEAST_SAVED = 4
"""A node costs one more call of the attention kernel per layer: sharing fewer rows is no gain."""


@dataclass(frozen=True, slots=True)
class Node:
    """A run of tokens: rows `start` to `stop` of its trie, at positions from `position` on.

    The rows from `stop` to `end` are its descendants', each of which sees the whole node.
    `parent` is the index of the node before it, or -1.
    """

    start: int
    stop: int
    end: int
    position: int
    parent: int


@dataclass(frozen=True, slots=True)
class Trie:
    """The rows of one group: `tokens[r]` stands in row r. `leaves[k]` is sequence k's last node."""

    tokens: TokenIds
    nodes: tuple[Node, ...]
    leaves: tuple[int, ...]

    @property
    def depth(self) -> int:
        """The length of the longest sequence, in tokens."""
        return max((node.position + node.stop - node.start for node in self.nodes), default=0)

    def rows(self, sequence: int) -> list[tuple[int, int]]:
        """The row ranges that sequence number `sequence` runs through, first to last."""
        ranges = []
        index = self.leaves[sequence]
        while index >= 0:
            node = self.nodes[index]
            ranges.append((node.start, node.stop))
            index = node.parent
        return ranges[::-1]


@dataclass(frozen=True, slots=True)
class _Branch:
    """Sequences that agree up to `start`, and in the token there; `parent` is the node before."""

    members: tuple[TokenIds, ...]
    start: int
    parent: int


def build_trie(group: Group, least_saved: int = LEAST_SAVED) -> Trie:
    """Share the beginnings of `group`'s sequences where that saves at least `least_saved` rows.

    Raises:
        ValueError: A sequence is empty.
    """
    if not all(group):
        raise ValueError("a sequence without tokens cannot be scored")
    tokens: list[int] = []
    nodes: list[Node] = []
    leaf: dict[TokenIds, int] = {}
    waiting = _split(tuple(sorted({tuple(sequence) for sequence in group})), 0, 0, -1)
    while waiting:
        branch = waiting.pop()
        first, last = branch.members[0], branch.members[-1]
        stop = _common(first, last, branch.start)  # sorted, so all agree where these two do
        saved = (stop - branch.start) * (len(branch.members) - 1)
        if len(branch.members) > 1 and saved < least_saved:
            waiting += _split(branch.members, stop, branch.start, branch.parent)
            continue
        here = len(tokens)
        tokens += first[branch.start : stop]
        nodes.append(Node(here, len(tokens), len(tokens), branch.start, branch.parent))
        longer = branch.members
        if len(first) == stop:
            leaf[first] = len(nodes) - 1
            longer = longer[1:]
        waiting += _split(longer, stop, stop, len(nodes) - 1)
    return Trie(tuple(tokens), _closed(nodes), tuple(leaf[tuple(s)] for s in group))


def _split(members: tuple[TokenIds, ...], at: int, start: int, parent: int) -> list[_Branch]:
    """Branches by the token at `at`, the last one first: they are taken from the end."""
    parts = groupby(members, key=lambda member: member[at : at + 1])
    return [_Branch(tuple(part), start, parent) for _, part in parts][::-1]


def _common(first: TokenIds, last: TokenIds, known: int) -> int:
    """How many tokens two sequences share, given that they share `known`."""
    longest = min(len(first), len(last))
    if first[:longest] == last[:longest]:
        return longest
    return next(at for at in range(known, longest) if first[at] != last[at])


def _closed(nodes: list[Node]) -> tuple[Node, ...]:
    """The nodes with their `end`, now that all descendants are laid out."""
    ends = [node.stop for node in nodes]
    for index in range(len(nodes) - 1, -1, -1):
        parent = nodes[index].parent
        if parent >= 0:
            ends[parent] = max(ends[parent], ends[index])
    return tuple(
        Node(node.start, node.stop, end, node.position, node.parent)
        for node, end in zip(nodes, ends, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Pack:
    """Tries in one forward pass: trie k stands in the rows from `offsets[k]` on, of `rows` in all.

    Rows that belong to no trie are filling.
    """

    tries: tuple[Trie, ...]
    offsets: tuple[int, ...]
    rows: int

    def nodes(self) -> Iterator[Node]:
        """All nodes, in rows of the pack; `parent` counts nodes of the pack."""
        before = 0
        for trie, offset in zip(self.tries, self.offsets, strict=True):
            for node in trie.nodes:
                parent = node.parent + before if node.parent >= 0 else -1
                rows = (node.start + offset, node.stop + offset, node.end + offset)
                yield Node(*rows, node.position, parent)
            before += len(trie.nodes)

    def sequences(self) -> Iterator[list[tuple[int, int]]]:
        """The row ranges of every sequence, flattened over the tries, in order."""
        for trie, offset in zip(self.tries, self.offsets, strict=True):
            for number in range(len(trie.leaves)):
                yield [(start + offset, stop + offset) for start, stop in trie.rows(number)]


def lay_out(tries: Sequence[Trie], *, align: int = 1, multiple: int = 1, least: int = 1) -> Pack:
    """Put tries behind each other, each beginning at a multiple of `align`.

    The pack's rows are filled up to a multiple of `multiple` and to at least `least`.
    """
    offsets = []
    at = 0
    for trie in tries:
        at = _up(at, align)
        offsets.append(at)
        at += len(trie.tokens)
    return Pack(tuple(tries), tuple(offsets), max(_up(at, multiple), least))


def fill(sizes: Sequence[int], budget: int) -> list[list[int]]:
    """Which of the things sized `sizes` go together: first fit, in order, at most `budget` rows.

    What is larger than `budget` goes alone.
    """
    packs: list[list[int]] = []
    free: list[int] = []
    for index, size in enumerate(sizes):
        fits = next((pack for pack, room in enumerate(free) if size <= room), None)
        if fits is None:
            packs.append([index])
            free.append(budget - size)
        else:
            packs[fits].append(index)
            free[fits] -= size
    return packs


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
