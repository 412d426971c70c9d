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
    ranked = sorted(cells, key=lambda cell: _hash(seed, item, *cell))
    half = len(ranked) // 2
    if len(ranked) % 2:
        half += _hash(seed, item)[0] & 1
    return {cell: rank < half for rank, cell in enumerate(ranked)}


def _hash(seed: int, item: BenchTuple, *cell: int) -> bytes:
    words = (seed, item.domain, item.id, *cell)
    return hashlib.sha256("|".join(map(repr, words)).encode("utf-8", "backslashreplace")).digest()
