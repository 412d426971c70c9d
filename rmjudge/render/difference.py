"""Where two texts differ, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORDS: Final = re.compile(r"\s+|\d+(?:[.,]\d+)+|\w+|[^\w\s]")
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_MOST: Final = 4_000_000
"""Pairs of words up to which words are compared; longer texts are compared line by line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `own`: the other text has not got it there."""

    text: str
    own: bool


def difference(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Cut two texts into what they share and what each has for itself; the pieces are whole."""
    left, right = _WORDS.findall(one), _WORDS.findall(other)
    if len(left) * len(right) > _MOST:
        left, right = _LINES.findall(one), _LINES.findall(other)
    first: list[Piece] = []
    second: list[Piece] = []
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    for kind, start, end, from_, to in matcher.get_opcodes():
        own = kind != "equal"
        if start < end:
            first.append(Piece("".join(left[start:end]), own))
        if from_ < to:
            second.append(Piece("".join(right[from_:to]), own))
    return _joined(first), _joined(second)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Take a blank between two pieces of its own text for a part of them: fewer, longer marks."""
    found: list[Piece] = []
    for piece in pieces:
        blank = len(found) > 1 and found[-2].own and found[-1].text.isspace()
        if blank and piece.own:
            between, before = found.pop(), found.pop()
            found.append(Piece(before.text + between.text + piece.text, True))
        else:
            found.append(piece)
    return found
