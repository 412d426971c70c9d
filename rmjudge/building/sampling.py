"""Both sides as samples of one model at one temperature: asked for in rounds, paired by length.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from rmjudge.building.asking import WRITER, Ask
from rmjudge.building.cases import Case
from rmjudge.building.writing import Tools
from rmjudge.calls import Json

ROUND: Final = 4
"""Samples that are asked for at once."""
ROUNDS: Final = 3
"""More are asked for while one of the sides is lacking, but so often at most."""


def asked(
    tools: Tools, case: Case, turn: int, example: Callable[[int], str], **values: Json
) -> list[Ask]:
    """The samples of one round; `example` is what the sample of a number may look like."""
    return [
        tools.templates.ask(
            "answer",
            WRITER,
            number,
            example=example(number),
            prompt=case.prompt,
            reference=case.reference,
            **values,
        )
        for number in range(turn * ROUND, (turn + 1) * ROUND)
    ]


def nearest_pairs(right: Sequence[str], wrong: Sequence[str]) -> list[tuple[int, int]]:
    """All pairs of a right and a wrong text, by place, the nearest in length first."""
    pairs = [(one, other) for one in range(len(right)) for other in range(len(wrong))]
    return sorted(pairs, key=lambda pair: (abs(len(right[pair[0]]) - len(wrong[pair[1]])), *pair))


def counted(words: Sequence[Json]) -> str:
    """How often each word is there, for a reason's detail."""
    found = Counter(map(str, words))
    return ", ".join(f"{word} {count}" for word, count in sorted(found.items()))
