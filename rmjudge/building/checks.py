"""Mechanical checks: what a program can see is wrong with a text or with an edit. Pure.

Each returns the reason, a short word and what was seen, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from rmjudge.building.styling import is_markdown, is_plain
from rmjudge.calls import Answer, Text, Unscored
from rmjudge.dataset.quality import is_cut

MOST_WORDS: Final = 12
"""An edit changes at most so many words."""
SHORTER: Final = 3
"""A concise text is at most this part of the Markdown text, in characters."""
_VERDICT: Final = re.compile(
    r"\[\[\s*[ABC]\s*\]\]|\\boxed\{\s*[AB]\s*(?:[<>=]+\s*[AB]\s*)?\}"
    r"|<answer>\s*[AB12]\s*</answer>|\[RESULT\]|\[rmjudge build",
    re.IGNORECASE,
)
_LEAK: Final = re.compile(
    r"\bas (?:you )?(?:instructed|requested)\b|\b(?:per|following) (?:your|the) instructions?\b"
    r"|\b(?:the|your) (?:provided |given )?reference (?:text|material|says|states)\b"
    r"|\b(?:introduc|insert|inject|contain|add)\w* (?:an? |the |one )?(?:subtle |deliberate |"
    r"intentional |factual |false )*(?:error|mistake|falsehood)\b"
    r"|\b(?:deliberate|intentional)(?:ly)? (?:error|mistake|false|wrong|incorrect)\b"
    r"|\bfalse claim\b|\bhere(?:'s| is) (?:the|a) (?:concise|shorter|rewritten|markdown|revised)\b",
    re.IGNORECASE,
)
_REFUSAL: Final = re.compile(
    r"\A\W*(?:I(?:'m| am) (?:very |really |so )?(?:sorry|unable|not able)|sorry\b|"
    r"I (?:cannot|can't|"
    r"can not|won't|must decline)|as an AI\b|unfortunately, I (?:cannot|can't))",
    re.IGNORECASE,
)
_DECLINES: Final = re.compile(
    r"\b(?:I|we)\b[^.!?\n]{0,40}(?:"
    r"\b(?:can(?:no|')t|can not|could not|won't|will not|(?:un|not )able to|not comfortable"
    r"(?: with)?|not in a position to|refuse to|rather not|not going to) (?:\w+ ){0,2}"
    r"(?:advis|answer|assist|comply|creat|describ|discuss|do (?:that|this|it)\b|engag|explain|"
    r"fulfil|giv|go into|guid|help\b(?! but)|offer|produc|provid|recommend|respond|shar|support|"
    r"take (?:this|it) on|tell|walk you|writ)"
    r"|\b(?:must |have to |need to |going to |will |'ll )?(?:respectfully |politely )?declin)",
    re.IGNORECASE,
)
_HEDGE: Final = re.compile(
    r"\b(?:actually|incorrect\w*|wrong\w*|false\w*|mistaken\w*|erroneous\w*|error|correction|"
    r"contrary|supposedly|allegedly|reportedly|so-called|purportedly|not really|in fact|in reality|"
    r"although|however|some (?:say|claim|believe)|it is said|perhaps|might|possibly|claimed)\b"
    r"|\[sic\]|\?",
    re.IGNORECASE,
)
_POINT: Final = re.compile(r"\s*(?:[-*+|]|\d+[.)])\s")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is no part of the set: a word that docs/build.md lists, and details."""

    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One atomic false edit, as the writer gave it."""

    claim_true: str
    claim_false: str
    why: str
    edits: tuple[tuple[str, str], ...]


def unfinished(answer: Answer) -> Reason | None:
    """Whether a model did not come to its end, or wrote nothing that can be used."""
    match answer:
        case Unscored(status, detail):
            return Reason(status, detail)
        case Text(_, finish) if finish != "stop":
            return Reason("truncated", f"the server ended it for the reason {finish!r}")
        case Text(text, _) if not text.strip():
            return Reason("empty")
    return None


def bad_text(text: str, *, refusing: bool = False) -> Reason | None:
    """What no text of a tuple may have: a refusal, a verdict, words about the task.

    A text that is to be `refusing` may have one.
    """
    signs = (("verdict", _VERDICT), ("prompt-leak", _LEAK), ("refusal", _REFUSAL))
    for word, sign in signs[: 2 if refusing else 3]:
        if found := sign.search(text):
            return Reason(word, found[0].strip())
    return None


def declines(text: str) -> str:
    """The words with which a text, in English, declines to answer; empty where there are none."""
    plainly = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found = _DECLINES.search(plainly) or _REFUSAL.search(plainly)
    return found[0].strip() if found else ""


def is_refusal(text: str) -> bool:
    """Whether a text opens with a refusal."""
    return bool(_REFUSAL.search(text))


def bad_markdown(text: str, *, refusing: bool = False) -> Reason | None:
    """Whether a detailed Markdown text is none, or is cut."""
    if reason := bad_text(text, refusing=refusing):
        return reason
    if not is_markdown(text):
        return Reason("style", "the detailed text has fewer than two marks of Markdown")
    return _cut(text)


def bad_prose(prose: str, markdown: str) -> Reason | None:
    """Whether what stands around the code of a response is bad, or the response is cut."""
    return bad_text(prose) or _cut(markdown)


def _cut(text: str) -> Reason | None:
    if is_cut(text) and not _is_whole_point(text.rstrip().splitlines()):
        return Reason("truncated", f"it ends in mid-sentence: ...{text.rstrip()[-40:]}")
    return None


def _is_whole_point(lines: Sequence[str]) -> bool:
    """Whether the last line is a list's point that needs no full stop: the others have none."""
    if not _POINT.match(lines[-1]):
        return False
    others = [line for line in lines[:-1] if _POINT.match(line)]
    return not others or any(is_cut(line) for line in others)


def bad_plain(text: str) -> Reason | None:
    """Whether a derived plain text still has marks, or nothing is left of it."""
    if not text:
        return Reason("style", "the plain text is empty")
    if not is_plain(text):
        return Reason("style", "the plain text has marks of Markdown")
    return None


def bad_concise(text: str, markdown: str, *, refusing: bool = False) -> Reason | None:
    """Whether a concise text is none."""
    if reason := bad_text(text, refusing=refusing):
        return reason
    if not is_plain(text):
        return Reason("style", "the concise text has marks of Markdown")
    if SHORTER * len(text) > len(markdown):
        return Reason("style", f"the concise text has {len(text)} of {len(markdown)} characters")
    return None


def bad_edit(edit: Edit, markdown: str, concise: str) -> Reason | None:
    """Whether an edit does not apply as one, or changes too much, or takes itself back."""
    if reason := _inapplicable(edit, markdown, concise):
        return reason
    new = " ".join(_only_new(find, replacement) for find, replacement in edit.edits)
    if found := _HEDGE.search(new):
        return Reason("hedge", found[0])
    after = [applied(text, edit) for text in (markdown, concise)]
    for old, text in zip((markdown, concise), after, strict=True):
        if text is None:
            return Reason("edit-find", "the edits overlap")
        if (words := changed_words(old, text)) > MOST_WORDS:
            return Reason("edit-size", f"{words} words differ, {MOST_WORDS} may")
    return next(filter(None, (bad_text(text or "") for text in after)), None)


def _inapplicable(edit: Edit, markdown: str, concise: str) -> Reason | None:
    if edit.claim_true.strip().lower() == edit.claim_false.strip().lower():
        return Reason("edit", "the two claims are the same")
    for find, replacement in edit.edits:
        if find == replacement:
            return Reason("edit", f"{find!r} is replaced by itself")
        for name, text in (("Markdown", markdown), ("concise", concise)):
            if (times := text.count(find)) != 1:
                return Reason("edit-find", f"{find!r} is {times} times in the {name} text")
    return None


def applied(text: str, edit: Edit) -> str | None:
    """The text with the edits; None where they overlap. Each `find` is in it once."""
    places = sorted((text.index(find), find, replacement) for find, replacement in edit.edits)
    parts: list[str] = []
    end = 0
    for start, find, replacement in places:
        if start < end:
            return None
        parts += [text[end:start], replacement]
        end = start + len(find)
    return "".join([*parts, text[end:]])


def changed_words(before: str, after: str) -> int:
    """How many words two texts have that the other has not in that place."""
    one, other = before.split(), after.split()
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for kind, a, b, c, d in blocks if kind != "equal")


def _only_new(find: str, replacement: str) -> str:
    old = set(find.lower().split())
    return " ".join(word for word in replacement.split() if word.lower() not in old)


def repeated(texts: Sequence[Sequence[str]]) -> Reason | None:
    """Whether two styles of a side, or two sides of a style, are one text."""
    chosen, rejected = ([" ".join(text.split()) for text in side] for side in texts)
    for side in (chosen, rejected):
        if len(set(side)) < len(side):
            return Reason("duplicate", "two styles are the same text")
    if any(one == other for one, other in zip(chosen, rejected, strict=True)):
        return Reason("duplicate", "chosen and rejected are the same text")
    return None
