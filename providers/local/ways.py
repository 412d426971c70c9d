"""The two ways through a decoder: what stays whole, what goes together, and the pass itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, Protocol

from rmjudge.providers.local import passes
from rmjudge.providers.local.flex import BLOCK
from rmjudge.providers.local.packing import Group, TokenIds, build_trie, fill, lay_out
from rmjudge.providers.local.states import States

FEWEST_ROWS: Final = 32
"""Products with fewer rows are other kernels on the CPU, which round differently."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Sequences that are computed together if memory allows, and their places in the groups.

    `size` is the number of rows that they take in a pass.
    """

    sequences: tuple[TokenIds, ...]
    places: tuple[tuple[int, int], ...]
    size: int


class Route(Protocol):
    """A way of computing units: several in one pass, as many as a token budget allows."""

    def units(self, groups: Sequence[Group]) -> list[Unit]:
        """What `groups` are made of."""

    def batches(self, units: Sequence[Unit], budget: int) -> list[list[Unit]]:
        """Which units go together in one pass."""

    def states(self, units: Sequence[Unit], budget: int) -> States:
        """The pass: states of all sequences of `units`, in their order."""

    def halves(self, unit: Unit) -> list[Unit]:
        """A unit as two smaller ones, or as itself if it is one sequence."""


class Packed:
    """Groups as tries, several in one pass; `decoder` is set to packed attention."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        # On CUDA every pass has the same number of rows and groups begin at block borders, because
        # libraries choose kernels by the number of rows: so no score depends on its neighbours.
        self._cuda = passes.input_device(decoder).type == "cuda"

    def units(self, groups: Sequence[Group]) -> list[Unit]:
        """One for each group."""
        return [
            _unit(group, [(number, k) for k in range(len(group))])
            for number, group in enumerate(groups)
            if group
        ]

    def batches(self, units: Sequence[Unit], budget: int) -> list[list[Unit]]:
        """First fit."""
        align = BLOCK if self._cuda else 1
        sizes = [-(-unit.size // align) * align for unit in units]
        return [[units[index] for index in batch] for batch in fill(sizes, budget)]

    def states(self, units: Sequence[Unit], budget: int) -> States:
        """One row of tokens."""
        tries = [build_trie(unit.sequences) for unit in units]
        if self._cuda:
            pack = lay_out(tries, align=BLOCK, multiple=max(BLOCK, budget // 4), least=budget)
        else:
            pack = lay_out(tries, least=FEWEST_ROWS)
        return passes.packed(self._decoder, pack, *_flat(units))

    def halves(self, unit: Unit) -> list[Unit]:
        """The group's sequences in two, those that begin alike together."""
        distinct = sorted(set(unit.sequences))
        if len(distinct) == 1:
            return [unit]
        middle = distinct[len(distinct) // 2]
        placed = list(zip(unit.sequences, unit.places, strict=True))
        sides = [[one for one in placed if (one[0] < middle) is low] for low in (True, False)]
        return [_unit([s for s, _ in side], [p for _, p in side]) for side in sides]


class Sorted:
    """Sequences by length, padded; equal sequences of a group once."""

    def __init__(self, decoder: Any, *, alone: bool) -> None:
        self._decoder = decoder
        self._alone = alone

    def units(self, groups: Sequence[Group]) -> list[Unit]:
        """One for each distinct sequence of a group, the longest first if padded."""
        units = []
        for number, group in enumerate(groups):
            order = sorted(range(len(group)), key=lambda k: group[k])
            for sequence, equal in groupby(order, key=lambda k: group[k]):
                places = tuple((number, k) for k in equal)
                units.append(Unit((tuple(sequence),) * len(places), places, len(sequence)))
        # Alone, length plays no part: group by group, so that a stop finds groups complete.
        return units if self._alone else sorted(units, key=lambda unit: -unit.size)

    def batches(self, units: Sequence[Unit], budget: int) -> list[list[Unit]]:
        """As many as the budget holds at the longest one's length, or one."""
        batches: list[list[Unit]] = []
        for unit in units:
            last = batches[-1] if batches else []
            if last and not self._alone and last[0].size * (len(last) + 1) <= budget:
                last.append(unit)
            else:
                batches.append([unit])
        return batches

    def states(self, units: Sequence[Unit], budget: int) -> States:
        """A padded batch."""
        return passes.padded(self._decoder, *_flat(units))

    def halves(self, unit: Unit) -> list[Unit]:
        """A sequence is not divided."""
        return [unit]


def _unit(sequences: Sequence[TokenIds], places: Sequence[tuple[int, int]]) -> Unit:
    own = tuple(tuple(sequence) for sequence in sequences)
    return Unit(own, tuple(places), len(build_trie(own).tokens))


def _flat(units: Sequence[Unit]) -> tuple[list[TokenIds], list[tuple[int, int]]]:
    return (
        [sequence for unit in units for sequence in unit.sequences],
        [place for unit in units for place in unit.places],
    )
