r"""Reading a judge's verdict: the last thing in the visible answer that looks like one.

Reasoning is taken off first and never searched. Verdicts that are quoted on the way do no
harm; two different verdicts in the last line that holds any are a contradiction, and a
contradiction is no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rmjudge.calls import Unscored, Verdict
from rmjudge.judging.deciding import Read, decide
from rmjudge.judging.marks import Find, boxes, brackets, json_winners, results, tags
from rmjudge.judging.prose import stated_in_words
from rmjudge.judging.reasoning import strip_reasoning
from rmjudge.judging.spelling import comparison, either, even, winner
from rmjudge.metrics.tallies import TIE

PARSER: Final = "verdict/4"

Worth = Callable[[str], float | None]
FORMS: Final[tuple[Find, ...]] = (boxes, brackets, tags, json_winners, results)
"""Where verdicts stand, in all the ways that judges' prompts ask for."""


def parse_verdict(answer: str) -> Verdict | Unscored:
    r"""Read a verdict of the forms `\boxed{A>>B}`, `A>B`, `A=B`, `B>A`, `B>>A`."""
    return read_verdict(answer, {boxes: comparison})


def parse_letter_verdict(answer: str) -> Verdict | Unscored:
    """Read `[[A]]` or `[[B]]`; a judge asked for two levels has no tie to give."""
    forms = (boxes, brackets, json_winners)
    return read_verdict(answer, dict.fromkeys(forms, lambda said: winner(said, ties=False)))


def parse_any_verdict(answer: str) -> Verdict | Unscored:
    r"""Read any form that judges' prompts ask for, for a template of the user's own.

    `\boxed{A>B}`, `[[A>B]]`, `[[A]]`, `[[C]]` or `[[tie]]`, `<answer>A</answer>`, `[RESULT] A`, and
    JSON such as `"winner": "A"`.
    """
    return read_verdict(answer, dict.fromkeys(FORMS, either))


def read_verdict(answer: str, forms: dict[Find, Worth]) -> Verdict | Unscored:
    """Read the last verdict of these forms."""
    text = even(strip_reasoning(even(answer)))
    own = [item for find, worth in forms.items() for item in read_marks(find, worth, text)]
    foreign = [
        item
        for find in FORMS
        if find not in forms
        for item in read_marks(find, either, text)
        if item.value is not None
    ]
    found = decide(text, own, foreign, later=stated_in_words)
    return found if isinstance(found, Unscored) else Verdict(found)


def read_marks(find: Find, worth: Worth, text: str) -> Sequence[Read]:
    """The marks of a form, with what each is worth."""
    return [
        Read(mark, None if mark.content is None else worth(mark.content)) for mark in find(text)
    ]


__all__ = [
    "PARSER",
    "TIE",
    "parse_any_verdict",
    "parse_letter_verdict",
    "parse_verdict",
    "read_verdict",
    "strip_reasoning",
]
