"""The words of the benchmark: styles, domains, difficulties and the nine cells.

Source: RM-Bench (ICLR 2025), section 3, and its published data files.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Style = Literal["concise", "detailed", "markdown"]
Domain = Literal["chat", "math", "code", "safety"]
Difficulty = Literal["easy", "normal", "hard"]
Method = Literal["pointwise", "pairwise"]
Order = Literal["seeded", "both", "audit"]

Part: TypeAlias = Difficulty | Literal["average"]
"""Of an accuracy: one difficulty, or their mean."""
TupleKey: TypeAlias = tuple[Domain, int | str]
"""What a tuple is found by; an id alone is not unique across domains."""

STYLES: Final[tuple[Style, ...]] = ("concise", "detailed", "markdown")
DOMAINS: Final[tuple[Domain, ...]] = ("chat", "math", "code", "safety")
DIFFICULTIES: Final[tuple[Difficulty, ...]] = ("easy", "normal", "hard")
PARTS: Final[tuple[Part, ...]] = (*DIFFICULTIES, "average")
METHODS: Final[tuple[Method, ...]] = ("pointwise", "pairwise")
ORDERS: Final[tuple[Order, ...]] = ("seeded", "both", "audit")

JUDGING_METHODS: Final = (
    "pairwise",
    "pairwise-two-level",
    "pairwise-logprob",
    "pointwise",
    "pointwise-logprob",
)
"""Ways to ask a generative judge; `rmjudge.judging.methods` has what each says."""

RULES: Final = (
    "boxed",
    "brackets",
    "answer-tag",
    "result-tag",
    "scores",
    "rank",
    "json",
    "letter",
)
"""Ways to read a judge's reply; `rmjudge.judging.rules` has what each reads."""

SOURCES: Final = ("sample", "rm-bench")
"""Data that has a name; everything else is a path."""

DOWNLOADED_SETS: Final = ("judgebench",)
"""Preference sets beside RM-Bench that `--data` downloads by their name."""

PUBLISHED_DOMAINS: Final[dict[str, Domain]] = {
    "chat": "chat",
    "math": "math",
    "code": "code",
    "safety-refuse": "safety",
    "safety-response": "safety",
    "safety": "safety",
}
"""Domain names as they occur in data files, and the domain each counts towards."""

CELLS: Final[tuple[tuple[int, int], ...]] = tuple((i, j) for i in range(3) for j in range(3))
"""(style of the chosen, style of the rejected), row by row."""


def difficulty_of(chosen_style: int, rejected_style: int) -> Difficulty:
    """Tell how hard a cell is for a judge that likes fancy style.

    Easy: the chosen has the fancier style. Hard: the rejected has.
    """
    if chosen_style > rejected_style:
        return "easy"
    return "normal" if chosen_style == rejected_style else "hard"


CELLS_OF: Final[dict[Difficulty, tuple[tuple[int, int], ...]]] = {
    name: tuple(cell for cell in CELLS if difficulty_of(*cell) == name) for name in DIFFICULTIES
}

READS: Final = "reads"
"""Of a scorer's identity: which part of a kept reply counts. It changes no reply, so no key."""

RewardKind: TypeAlias = Literal["classifier", "dpo", "without-reference"]
REWARD_KINDS: Final[tuple[RewardKind, ...]] = ("classifier", "dpo", "without-reference")
"""What a preference set is turned into a reward model by: the columns of the article's table."""
