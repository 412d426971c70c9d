r"""Reading a rating of one response: the last `\boxed{7}` or `[[7]]` of the visible answer."""

from __future__ import annotations

import re
from typing import Final

from rmjudge.calls import Reward, Unscored
from rmjudge.judging.verdict import strip_reasoning

PARSER: Final = "rating/1"
_RATING: Final = re.compile(
    r"(?:\\boxed\s*\{|\[\[)\s*(\d{1,2}(?:\.\d+)?)\s*(?:/\s*10\s*)?(?:\}|\]\])"
)
_SHOWN: Final = 160


def parse_rating(answer: str) -> Reward | Unscored:
    """Read a number from 1 to 10; anything else, or two in the last line, is no rating."""
    visible = strip_reasoning(answer)
    for line in reversed(visible.splitlines()):
        found = {float(match[1]) for match in _RATING.finditer(line)}
        if len(found) > 1:
            return Unscored("unparsed", f"contradictory ratings: {line.strip()[-_SHOWN:]}")
        if found:
            rating = found.pop()
            if 1 <= rating <= 10:
                return Reward(rating)
            return Unscored("unparsed", f"a rating of {rating:g} is outside 1 to 10")
    tail = " ".join(visible.split())[-_SHOWN:]
    return Unscored("unparsed", f"no rating; it ends: {tail}" if tail else "no visible answer")
