r"""Reading a rating of one response: the last `\boxed{7}` or `[[7]]` of the visible answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rmjudge.calls import Reward, Unscored
from rmjudge.judging.deciding import Read, decide
from rmjudge.judging.marks import Find, boxes, brackets, json_ratings, results, tags
from rmjudge.judging.reasoning import strip_reasoning
from rmjudge.judging.spelling import even, rating
from rmjudge.judging.verdict import read_marks

PARSER: Final = "rating/4"
FORMS: Final[tuple[Find, ...]] = (boxes, brackets, tags, json_ratings, results)

_DENOMINATOR: Final = re.compile(
    r"[\s*_`$)]{0,4}(?:/|out of|of)\s{0,2}(\d+(?:\.\d+)?)\b", re.IGNORECASE
)
_IN_WORDS: Final = re.compile(
    r"\b(?:final|overall|total|revised|corrected) (?:score|rating|grade)\W{0,6}(?:is\W{1,4})?"
    r"(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The lowest and the highest rating that a judge is asked for."""

    low: float = 1.0
    high: float = 10.0

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


DEFAULT: Final = Scale()


def parse_rating(
    answer: str, scale: Scale = DEFAULT, forms: Sequence[Find] = (boxes, brackets)
) -> Reward | Unscored:
    """Read a number of the scale, kept as it is; two in the last line, or another, are none."""
    text = even(strip_reasoning(even(answer)))

    def worth(said: str) -> float | None:
        return rating(said, scale.high)

    own = [
        _with_denominator(item, text, scale)
        for find in forms
        for item in read_marks(find, worth, text)
    ]
    others = [find for find in FORMS if find not in forms]
    foreign = [item for find in others for item in read_marks(find, worth, text)]
    foreign = [item for item in foreign if item.value is not None]
    found = decide(text, own, foreign, what="rating", later=_in_words)
    return found if isinstance(found, Unscored) else on_scale(found, scale)


def _with_denominator(item: Read, text: str, scale: Scale) -> Read:
    r"""`\boxed{7}/5` and `\boxed{7} out of 100` are on another scale."""
    named = _DENOMINATOR.match(text, item.mark.end)
    if named is None or float(named[1]) == scale.high:
        return item
    return replace(item, value=None)


def _in_words(text: str) -> list[float]:
    return [float(found[1]) for found in _IN_WORDS.finditer(text)]


def on_scale(found: float, scale: Scale) -> Reward | Unscored:
    """The number as a reward, if it is on the scale: it is never clamped."""
    if scale.low <= found <= scale.high:
        return Reward(found)
    return Unscored("unparsed", f"a rating of {found:g} is outside {scale}")
