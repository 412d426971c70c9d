r"""Reading a rating of one response: the last `\boxed{7}` or `[[7]]` of the visible answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.calls import Reward, Unscored
from rmjudge.judging.deciding import decide
from rmjudge.judging.marks import Find, boxes, brackets, json_ratings, results, tags
from rmjudge.judging.reasoning import strip_reasoning
from rmjudge.judging.spelling import even, rating
from rmjudge.judging.verdict import read_marks

PARSER: Final = "rating/3"
FORMS: Final[tuple[Find, ...]] = (boxes, brackets, tags, json_ratings, results)


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

    own = [item for find in forms for item in read_marks(find, worth, text)]
    others = [find for find in FORMS if find not in forms]
    foreign = [item for find in others for item in read_marks(find, worth, text)]
    found = decide(text, own, [item for item in foreign if item.value is not None], what="rating")
    return found if isinstance(found, Unscored) else on_scale(found, scale)


def on_scale(found: float, scale: Scale) -> Reward | Unscored:
    """The number as a reward, if it is on the scale: it is never clamped."""
    if scale.low <= found <= scale.high:
        return Reward(found)
    return Unscored("unparsed", f"a rating of {found:g} is outside {scale}")
