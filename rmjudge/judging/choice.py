"""Reading which of several responses a judge calls the best: `[[C]]`, a box, JSON or a tag."""

from __future__ import annotations

import re
from typing import Final

from rmjudge.calls import Choice, Unscored
from rmjudge.judging.deciding import decide
from rmjudge.judging.marks import boxes, brackets, json_winners, results, tags
from rmjudge.judging.prompt import LETTERS
from rmjudge.judging.spelling import even, plain
from rmjudge.judging.verdict import read_marks, strip_reasoning

PARSER: Final = "choice/1"
_LETTER: Final = re.compile(r"(?:(?:ASSISTANT|RESPONSE|MODEL|OPTION)S?)?([A-Z])")
_FORMS: Final = (boxes, brackets, json_winners, tags, results)


def parse_choice(answer: str) -> Choice | Unscored:
    """Read the last letter in any of these forms; two that differ in the last line are unparsed."""
    text = even(strip_reasoning(even(answer)))
    own = [item for find in _FORMS for item in read_marks(find, _worth, text)]
    found = decide(text, own, ())
    return found if isinstance(found, Unscored) else Choice(int(found))


def _worth(content: str) -> float | None:
    """The place of the letter; None for anything else, a tie among them."""
    match = _LETTER.fullmatch(plain(content))
    return float(LETTERS.index(match[1])) if match else None
