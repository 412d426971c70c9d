r"""Things in an answer that look like a verdict or a rating, whatever they say.

`\boxed{...}` (its backslash lost or doubled, unclosed, over several lines), `[[...]]` in any kind
of brackets, `<answer>...</answer>` and its kin, `"winner": ...` in JSON, `[RESULT] ...`. Each
finder looks at the last things of its kind only: the last one decides.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

LAST: Final = 64
"""How many marks of a kind are looked at, from the end."""
_ROOM: Final = 300
"""Characters that a verdict takes at most."""


@dataclass(frozen=True, slots=True)
class Mark:
    """From `start` to `end` stands something that looks like a verdict.

    `content` is what it says; None where it is not closed. `begin` is where its group begins,
    such as the JSON object that it belongs to.
    """

    start: int
    end: int
    content: str | None
    begin: int | None = None


Find: TypeAlias = Callable[[str], Iterator[Mark]]

# Each branch begins with a literal: only then does `re` skip to the few places that may match.
_BOX: Final = re.compile(
    r"(?:\\\\*\s?[bB]oxed|\\\\*[fF](?:rame)?box|\x08oxed|b(?<!\wb)oxed|B(?<!\wB)oxed)"
    r"[ \t]*\n?[ \t]*"
    r"(?:(?P<open>\{)|(?<=[dx])(?=[(\[]\s*[ABab]\b)|\s(?=[AB]\b))"
)
_BRACKETS: Final = re.compile(r"\\?\[\s?\\?\[")
_BRACKETS_END: Final = re.compile(r"\\?\]\s?\\?\]")
_HALF: Final = re.compile(r"(?<![\[\\])\[\W{0,4}(?:[ABC]|tie)\W{0,4}\]\]", re.IGNORECASE)
_TAG: Final = re.compile(
    r"<\s*(?P<name>(?:final[_ -]?)?(?:answer|verdict|winner|choice|decision|judge?ment|preference|"
    r"result|output|better|score|rating)(?:[_ -]?(?:response|answer))?)\s*>",
    re.IGNORECASE,
)
_RESULT: Final = re.compile(
    r"(?:\[\s?RESULT\s?\]\s?:?|\*\*\s?Result\s?:?\s?\*\*\s?:?|(?:^|\n)[# ]{0,6}Result\s?:)[ \t]*\n?"
    r"(?P<said>[^\n]{0,120})",
    re.IGNORECASE,
)
_STRONG: Final = (
    r"(?:final|overall)?[_ -]?(?:verdict|winner|better|best|choice|preference|preferred|decision|"
    r"judge?ment)(?:[_ -]?(?:response|answer|assistant|model|output|option))?|更好的回答"
)
_WEAK: Final = r"(?:final[_ -]?)?(?:answer|result|output)"
_NUMERIC: Final = r"(?:final|overall)?[_ -]?(?:score|rating|grade)"


def boxes(text: str) -> Iterator[Mark]:
    r"""`\boxed{...}`, braces balanced."""
    for opening in _last(_BOX, text):
        if opening["open"] is None:
            yield Mark(opening.start(), opening.end(), None)
            continue
        depth, place, stop = 1, opening.end(), min(len(text), opening.end() + _ROOM)
        while place < stop and depth:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            place += 1
        if depth:
            yield Mark(opening.start(), opening.end(), None)
        else:
            yield Mark(opening.start(), place, text[opening.end() : place - 1])


def brackets(text: str) -> Iterator[Mark]:
    """`[[...]]`, and what has lost one of its brackets."""
    if "[" not in text:
        return
    for opening in _last(_BRACKETS, text):
        closing = _BRACKETS_END.search(text, opening.end(), opening.end() + _ROOM)
        if closing is None:
            if re.match(r"\W{0,6}(?:[ABC]|tie)\b", text[opening.end() : opening.end() + 12], re.I):
                yield Mark(opening.start(), opening.end(), None)
        elif closing.start() - opening.end() <= _ROOM // 4:
            yield Mark(opening.start(), closing.end(), text[opening.end() : closing.start()])
    for half in _last(_HALF, text):
        yield Mark(half.start(), half.end(), None)


def tags(text: str) -> Iterator[Mark]:
    """`<answer>...</answer>` and its kin; one that a stop sequence left open ends with the text."""
    for opening in _last(_TAG, text):
        name = re.escape(opening["name"])
        closing = re.compile(rf"<\s*/\s*{name}\s*>", re.IGNORECASE).search(
            text, opening.end(), opening.end() + _ROOM
        )
        if closing is not None:
            yield Mark(opening.start(), closing.end(), text[opening.end() : closing.start()])
        elif len(rest := text[opening.end() :]) <= _ROOM // 4:
            yield Mark(opening.start(), len(text), rest)


def results(text: str) -> Iterator[Mark]:
    """`[RESULT] A` and `**Result:** A`."""
    if "result" not in text.lower():
        return
    for found in _last(_RESULT, text):
        yield Mark(found.start(), found.end(), found["said"])


def json_winners(text: str) -> Iterator[Mark]:
    """Values of keys such as `winner`; of `answer` and its kin where there is none of these."""
    yield from _json(text, _STRONG) or _json(text, _WEAK)


def json_ratings(text: str) -> Iterator[Mark]:
    """Values of the keys `score`, `rating` and their kin."""
    yield from _json(text, _NUMERIC)


def _json(text: str, keys: str) -> list[Mark]:
    key = re.compile(rf"""(?P<quote>["'])(?:{keys})(?P=quote)\s*:\s*""", re.IGNORECASE)
    found: list[Mark] = []
    for match in _last(key, text):
        # All that the object says is part of it, quoted verdicts in its other texts too.
        begin, end = _object_around(text, match.start(), match.end())
        content, value_end = _value(text, match.end())
        found.append(Mark(begin, max(end, value_end), content, begin))
    return found


_VALUE: Final = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.){0,200}"|'(?:[^'\\\n]|\\.){0,200}')|(?P<bare>[\w.+-]{1,40})"""
)


def _value(text: str, place: int) -> tuple[str | None, int]:
    match = _VALUE.match(text, place)
    if match is None:
        return None, place
    said: str = match[0][1:-1] if match["text"] else match[0]
    return said, match.end()


def _object_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the JSON object with this key begins and ends, as far as this can be found."""
    place = start
    for _ in range(8):
        place = text.rfind("{", max(0, start - 20_000), place)
        if place < 0:
            break
        whole = _decoded(text, place)
        if whole is not None and whole[1] >= end:
            return place, whole[1]
    nearest = text.rfind("{", max(0, start - 20_000), start)
    return (start if nearest < 0 or "}" in text[nearest:start] else nearest), end


def _decoded(text: str, place: int) -> tuple[Any, int] | None:
    try:
        return json.JSONDecoder(strict=False).raw_decode(text, place)
    except (ValueError, RecursionError):
        return None


def last_object(text: str) -> tuple[Any, int, int] | None:
    """The last JSON object or list of a text, with where it begins and ends."""
    best: tuple[Any, int, int] | None = None
    places = [match.start() for match in _last(re.compile(r"\{"), text)]
    for place in places:
        if best is not None and place < best[2]:
            continue  # within the one before
        whole = _decoded(text, place)
        if whole is not None:
            best = (whole[0], place, whole[1])
    return best


def _last(pattern: re.Pattern[str], text: str) -> deque[re.Match[str]]:
    return deque(pattern.finditer(text), maxlen=LAST)
