"""The code of a response: whole, as its fence has it, never reflowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rmjudge.building.styling import fences, plain

_CALLED: Final[Mapping[str, frozenset[str]]] = {
    "python": frozenset(("python", "py", "python3")),
    "javascript": frozenset(("javascript", "js", "node")),
    "cpp": frozenset(("cpp", "c++", "cc", "cxx")),
    "rust": frozenset(("rust", "rs")),
    "go": frozenset(("go", "golang")),
    "java": frozenset(("java",)),
}


def code_of(markdown: str, language: str) -> str | None:
    """The one block in the language; None where there is none, or more than one."""
    found = blocks(markdown, language)
    return found[0] if len(found) == 1 else None


def blocks(markdown: str, language: str) -> list[str]:
    """All blocks in a language; without one so called, those that are called nothing."""
    all_of = [((info.lower().split() or [""])[0], content) for info, content in fences(markdown)]
    own = [text for name, text in all_of if name in _CALLED[language]]
    return own or [text for name, text in all_of if not name]


def named_block(markdown: str, language: str, name: str) -> str | None:
    """The first block in the language that has a name, or the first at all; None without one."""
    found = blocks(markdown, language)
    having = [text for text in found if name and re.search(rf"\b{re.escape(name)}\b", text)]
    return next(iter(having or found), None)


def in_plain(text: str, code: str) -> str | None:
    """The code again, as lines of their own in a plain text; None where it is not once there."""
    places = [
        found
        for found in re.finditer(re.escape(code), text)
        if (found.start() == 0 or text[found.start() - 1] == "\n")
        and (found.end() == len(text) or text[found.end()] == "\n")
    ]
    return places[0][0] if len(places) == 1 else None


def prose_of(markdown: str, code: str) -> str:
    """What a response says around its code, as plain text."""
    return plain(markdown).replace(code, "\n")
