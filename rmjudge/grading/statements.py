"""What a text states as its final answer. Pure."""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r"\banswer\b(?:\s+is\b)?\s*[:=]?", re.IGNORECASE)
_HEADING: Final = re.compile(r"[#\s]*(?:the\s+)?(?:final\s+)?answer(?:\s+is)?\s*:?", re.IGNORECASE)
_BOX: Final = re.compile(r"\\boxed\s*\{")
_EMPTY: Final = re.compile(r"(?:\s|\$|\\[\[\]()])*")
"""A line of nothing but the marks of a formula."""
_SENTENCE: Final = re.compile(r"[.;]\s+\S")
_OUTCRY: Final = re.compile(r"[!?][\s)\]]*\Z")
_LETTER: Final = re.compile(r"\(?([A-J])(?:[).:]+(?:\s(?:(?![.;!?]\s).)*)?)?")
_WORDS: Final = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_PAIRS: Final = (frozenset(("yes", "no")), frozenset(("true", "false")))


def statements(text: str) -> tuple[str, ...]:
    r"""All that a text states as its answer: in each `\boxed{}`, and at its end.

    What is stated at the end is the last line's: behind the word answer, below a line that is
    this word alone, or the line itself where it is the whole text. Nothing may follow it, since
    that may take it back.
    """
    text = text.replace("**", "").replace("__", "")
    lines = [line.strip() for line in text.split("\n") if not _EMPTY.fullmatch(line)]
    if not lines:
        return ()
    boxes = [_inside(text, found.end()) for found in _BOX.finditer(text)]
    *_, before, last = ("", "", *lines)
    marks = list(_MARK.finditer(last))
    if _BOX.search(last):
        end = []  # it is among the boxes
    elif marks and (words := _clean(last[marks[-1].end() :])):
        end = [words]
    elif _HEADING.fullmatch(before) or len(lines) == 1:
        end = [_clean(last)]
    else:
        end = []
    found = (*boxes, *end)
    if not end and not (_BOX.search(last) and _says_no_more(last)):
        return ()
    return tuple(dict.fromkeys(found)) if all(found) else ()


def word_of(words: str) -> tuple[str, frozenset[str]] | None:
    """An answer that is one of few words, and what it may be told from; None for any other."""
    bare = _WORDS.sub(r"\1", words).strip().strip("$").strip()
    if found := _LETTER.fullmatch(bare):
        return found[1], frozenset("ABCDEFGHIJ")
    said = bare.rstrip(".").lower()
    return next(((said, pair) for pair in _PAIRS if said in pair), None)


def _clean(words: str) -> str:
    """Words of a line without the end of its sentence; empty where another sentence follows."""
    words = words.strip().lstrip("*:=").strip()
    if _SENTENCE.search(words) and not _LETTER.fullmatch(words):
        return ""
    if _OUTCRY.search(words):  # 5! may be 120, or a cry
        return ""
    return words.rstrip(".*` ")


def _says_no_more(line: str) -> bool:
    """Whether a line has no word behind its last box."""
    at = [found.end() for found in _BOX.finditer(line)][-1]
    rest = line[at + len(_raw_inside(line, at)) :]
    return not re.search(r"[^\W_]", rest.replace("\\text", ""))


def _inside(text: str, at: int) -> str:
    return _raw_inside(text, at).strip()


def _raw_inside(text: str, at: int) -> str:
    """What stands from here to the brace that closes; empty where none does."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[at:place]
    return ""
