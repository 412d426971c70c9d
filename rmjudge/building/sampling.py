"""Both sides as samples of one model at one temperature: how many, and which two. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ROUND: Final = 4
"""Samples that are asked for at once."""
ROUNDS: Final = 3
"""More are asked for while one of the sides is lacking, but so often at most."""


def nearest_pairs(right: Sequence[str], wrong: Sequence[str]) -> list[tuple[int, int]]:
    """All pairs of a right and a wrong text, by place, the nearest in length first."""
    pairs = [(one, other) for one in range(len(right)) for other in range(len(wrong))]
    return sorted(pairs, key=lambda pair: (abs(len(right[pair[0]]) - len(wrong[pair[1]])), *pair))
