"""The words of the benchmark: styles, domains, difficulties and the nine cells.

Source: RM-Bench (ICLR 2025), section 3, and its published data files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

Style = Literal["concise", "detailed", "markdown"]
Difficulty = Literal["easy", "normal", "hard"]
Method = Literal["pointwise", "pairwise", "choice", "generation"]
Order = Literal["seeded", "both", "audit"]

Domain: TypeAlias = str
"""One of the benchmark's four (`DOMAINS`), or a name of the user's own, such as `finance`."""
Part: TypeAlias = Difficulty | Literal["average"]
"""Of an accuracy: one difficulty, or their mean."""
TupleKey: TypeAlias = tuple[Domain, int | str]
"""What a tuple is found by; an id alone is not unique across domains."""

STYLES: Final[tuple[Style, ...]] = ("concise", "detailed", "markdown")
DOMAINS: Final[tuple[Domain, ...]] = ("chat", "math", "code", "safety")
DIFFICULTIES: Final[tuple[Difficulty, ...]] = ("easy", "normal", "hard")
PARTS: Final[tuple[Part, ...]] = (*DIFFICULTIES, "average")
METHODS: Final[tuple[Method, ...]] = ("pointwise", "pairwise", "choice")
"""Of a scorer; what writes texts for `rmjudge build` has `generation`, and scores nothing."""
ORDERS: Final[tuple[Order, ...]] = ("seeded", "both", "audit")

JUDGING_METHODS: Final = (
    "pairwise",
    "pairwise-two-level",
    "pairwise-logprob",
    "pointwise",
    "pointwise-logprob",
    "choice",
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

_OWN_DOMAIN: Final = re.compile(r"[^\W_][\w.-]{0,31}")
_AVERAGES: Final = frozenset(("all", "none", "any", "average", "overall"))


_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def counted_as(named: str) -> Domain:
    """The domain that a name in a data file counts towards; one of the user's own is its own."""
    return PUBLISHED_DOMAINS.get(named, named)


def may_be_domain(named: str) -> bool:
    """Whether data may use this name: a published one, or letters, digits, `_`, `.` and `-`.

    What tables call an average, and a published name in other letters, are no names of domains.
    """
    if named in PUBLISHED_DOMAINS:
        return True
    small = named.lower()
    fits = _OWN_DOMAIN.fullmatch(named) is not None
    return fits and small not in _AVERAGES and small not in PUBLISHED_DOMAINS


def in_order(domains: Iterable[Domain]) -> tuple[Domain, ...]:
    """Each domain once: the benchmark's in its order, then others by name."""
    present = set(domains)
    own = sorted(present.difference(DOMAINS))
    return (*(domain for domain in DOMAINS if domain in present), *own)


def is_benchmark(domains: Iterable[Domain]) -> bool:
    """Whether these are the benchmark's four domains, all of them and no other."""
    return in_order(domains) == DOMAINS


def average_over(domains: Iterable[Domain]) -> str:
    """Say what an average is over where these are not the benchmark's four; empty where they are.

    `average over chat, code only; math, safety missing`.
    """
    present = in_order(domains)
    missing = ", ".join(domain for domain in DOMAINS if domain not in present)
    if not present:
        return f"no average; {missing} missing"
    over = f"average over {', '.join(present)}"
    if set(present) <= set(DOMAINS):
        return f"{over} only; {missing} missing" if missing else ""
    if set(present).isdisjoint(DOMAINS):
        return f"{over}; none of them is RM-Bench's"
    return f"{over}; {missing} missing" if missing else f"{over}: RM-Bench's four and others"


def title_of(domain: Domain) -> str:
    """A domain's name at the head of a column."""
    return domain[:1].upper() + domain[1:]


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


def bare_id(identity: int | str, named: str) -> int | str:
    """The id as the file of one domain has it: 100 for `chat/100` of the published total file.

    `named` is the domain's published name, such as `safety-refuse`, or the domain itself.
    """
    if isinstance(identity, str):
        for domain in dict.fromkeys((named, counted_as(named))):
            bare = identity.removeprefix(f"{domain}/")
            if bare != identity and bare.strip():
                return int(bare) if _NUMBER.fullmatch(bare) else bare
    return identity
