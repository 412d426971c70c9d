"""Which response a judge sees first: a hash decides, never a clock, a thread or a subset.

The rule: the distinct comparisons of a tuple are ranked by the hash of (seed, tuple, i, j);
the first half of the ranking shows the chosen first. Of nine cells that is four or five,
and a hash of (seed, tuple) decides which, so that a set of tuples is balanced as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rmjudge.dataset.tuples import BenchTuple


def chosen_first(
    item: BenchTuple, cells: Sequence[tuple[int, int]], seed: int
) -> dict[tuple[int, int], bool]:
    """Say for each cell (i, j) whether the chosen is shown first."""
    tuple_words = f"{seed!r}|{item.domain!r}|{item.id!r}"
    ranked = sorted(cells, key=lambda cell: _hash(f"{tuple_words}|{cell[0]}|{cell[1]}"))
    half = len(ranked) // 2
    if len(ranked) % 2:
        half += _hash(tuple_words)[0] & 1
    return {cell: rank < half for rank, cell in enumerate(ranked)}


def _hash(words: str) -> bytes:
    return hashlib.sha256(words.encode("utf-8", "backslashreplace")).digest()
