"""Items of other benchmarks' files, known by their fields, and what to say of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeGuard

from rmjudge.text import quote
from rmjudge.vocabulary import STYLES

_Fields: TypeAlias = Mapping[str, Any]
_OURS: Final = frozenset(("id", "domain", "subset", "prompt", "chosen", "rejected"))
_TWINS: Final = (("a", "b"), ("1", "2"), ("0", "1"))
"""Endings that tell two responses of one item apart: `output_1` and `output_2`."""
_TALKS: Final = ("messages", "conversations", "conversation")
_OTHER: Final = "of another layout"
_DESCRIBED: Final = "--as FILE.toml reads such a file, where a few lines describe it"
_ADVICE: Final = (
    (_OTHER, "pairs under other names are read with --map, as in --map chosen=good"),
    ("one chosen against", f'{_DESCRIBED}, with kind = "best"'),
    ("pairs ('", f"{_DESCRIBED}, with responses and label"),
)
"""How a layout begins, and what to do with such a file."""
_HEADER: Final = re.compile(rb'"?[\w .-]+"?([,;\t]"?[\w .-]+"?)+')
"""Names of columns, as the first line of a table has them."""
NAMED: Final = 4
"""Fields that the description of an unknown layout names."""


def foreign_layout(item: object) -> str:
    """Say what an item is that is no RM-Bench tuple and nothing like one; empty of all others.

    An item with lists on both sides is held to be a tuple, with whatever is wrong in it, unless one
    response stands against several.
    """
    if not isinstance(item, dict):
        return ""
    return next((found for layout in _LAYOUTS if (found := layout(item))), "")


def foreign_opening(raw: bytes) -> str:
    """Say what a file is that begins with these bytes, which are no JSON; empty of all others."""
    line = raw.lstrip().partition(b"\n")[0].strip()
    if line.startswith(b"<"):
        return "a web page or XML, as a download that failed leaves; get the file itself again"
    if line.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS; `git lfs pull` gets the file itself"
    if _HEADER.fullmatch(line):
        return "a table; write each row as a JSON object in a line of its own, in a .jsonl file"
    return ""


def foreign_line(file: str, layout: str, count: int) -> str:
    """Say it once for a file."""
    advice = next((f"; {told}" for head, told in _ADVICE if layout.startswith(head)), "")
    items = "1 item is" if count == 1 else f"{count:,} items are"
    return (
        f"{file}: {items} {layout}, no RM-Bench tuples; a tuple has a prompt and three chosen and "
        f"three rejected responses ({', '.join(STYLES)}); `rmjudge data new FILE` writes one to "
        f"fill in{advice}"
    )


def _preferences(item: _Fields) -> str:
    """Preference data sets: a text, a conversation or a list of one on each side."""
    sides = item.get("chosen"), item.get("rejected")
    single = all(_is_response(side) or (_is_texts(side) and len(side) == 1) for side in sides)
    return "pairs (one chosen and one rejected response)" if single else ""


def _one_against_several(item: _Fields) -> str:
    """RewardBench 2, and sets with a right response and several wrong ones."""
    chosen, rejected = item.get("chosen"), item.get("rejected")
    alone = (_is_texts(chosen) and len(chosen) == 1) or (
        isinstance(chosen, str) and "domain" not in item
    )
    if alone and _is_texts(rejected) and len(rejected) > 1:
        return f"one chosen against {len(rejected)} rejected responses"
    return ""


def _labelled(item: _Fields) -> str:
    """JudgeBench, LLMBar, arenas, RewardMATH: two fields whose names differ in the last sign."""
    if "chosen" in item or "rejected" in item:
        return ""
    for name in item:
        for one, two in _TWINS:
            twin = name[:-1] + (two.upper() if name[-1:].isupper() else two)
            both = item.get(name), item.get(twin)
            if name[:-1] and name[-1].lower() == one and all(map(_is_answer, both)):
                return f"pairs ({quote(name)} and {quote(twin)})"
    return ""


def _talks(item: _Fields) -> str:
    talks = any(_is_conversation(item.get(name)) for name in _TALKS)
    return "conversations" if talks and not {"prompt", "chosen", "rejected"} & item.keys() else ""


def _unknown(item: _Fields) -> str:
    others = [name for name in item if name not in _OURS]
    if "chosen" in item or "rejected" in item or not others:
        return ""
    named = ", ".join(map(quote, others[:NAMED])) + (", ..." if len(others) > NAMED else "")
    return f"{_OTHER} (with {named}, without chosen and rejected)"


_LAYOUTS: Final[tuple[Callable[[_Fields], str], ...]] = (
    *(_preferences, _one_against_several, _labelled, _talks, _unknown),
)


def _is_response(value: object) -> bool:
    return isinstance(value, str) or _is_conversation(value)


def _is_answer(value: object) -> bool:
    return _is_response(value) or _is_texts(value)


def _is_conversation(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and bool({"role", "from"} & turn.keys()) for turn in value)
    )


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
