"""Which part of the work is asked where not all of it is: a hash of a tuple's texts decides.

Neither the id, nor the seed, nor the other tuples of a run have a say: a part of the data asks what
the whole asks, and another run asks the same. Each question has a hash of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.vocabulary import CELLS


def asked_cells(item: BenchTuple, cells: int) -> tuple[tuple[int, int], ...]:
    """The cells of a tuple that are asked: all nine, or three.

    Three are one in each row and one in each column, and one Easy, one Normal, one Hard: those with
    (i + j) mod 3 equal to the hash mod 3. Over tuples each cell is asked of a third.
    """
    if cells == len(CELLS):
        return CELLS
    turn = _hash("cells", item) % 3
    return tuple((i, j) for i, j in CELLS if (i + j) % 3 == turn)


def audited(item: BenchTuple, share: float) -> bool:
    """Whether a tuple is asked in both orders; a larger share has the tuples of a smaller one."""
    return _hash("audit", item) < share * 2**64


def in_hashed_order(items: Sequence[BenchTuple]) -> list[int]:
    """The places of the tuples in an order by hash, in which every part has all domains alike.

    Each domain is ordered by hash and spread evenly over the whole.
    """
    ranked = sorted(range(len(items)), key=lambda place: (_hash("order", items[place]), place))
    counts = dict.fromkeys(dict.fromkeys(item.domain for item in items), 0)
    rank: dict[int, int] = {}
    for place in ranked:
        domain = items[place].domain
        rank[place] = counts[domain]
        counts[domain] += 1
    return sorted(
        ranked, key=lambda place: (2 * rank[place] + 1) / (2 * counts[items[place].domain])
    )


def _hash(question: str, item: BenchTuple) -> int:
    """64 bits."""
    words = repr((question, item.prompt, item.chosen, item.rejected))
    digest = hashlib.sha256(words.encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big")
