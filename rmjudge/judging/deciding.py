"""Which of the things that look like a verdict decides: the last one, understood or not.

An earlier verdict is never taken instead of a later one: a judge that restates the forms it was
asked for, and then spells its own in a way that is not known here, would be inverted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rmjudge.calls import Unscored
from rmjudge.judging.marks import Mark
from rmjudge.judging.spelling import plain
from rmjudge.judging.withdrawn import is_taken_back, is_withdrawn
from rmjudge.metrics.tallies import TIE

SHOWN: Final = 160
ALL_FORMS: Final = 5
"""Verdicts that a pairwise judge may give: a list with as many is whole."""
_QUOTES: Final = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "「": "」", "”": "”"}  # noqa: RUF001
_CLOSERS: Final = frozenset(_QUOTES.values())
_VERDICT_WORDS: Final = (
    "verdict|judge?ment|decision|choice|preference|answer|conclusion|winner|rating|score|overall|"
    "final|result|therefore|so|thus"
)
_LEAD: Final = re.compile(rf"\W*(?:\w+ ){{0,4}}(?:{_VERDICT_WORDS})(?: is)?\W*", re.IGNORECASE)
_CONCLUDES: Final = re.compile(rf"\b(?:{_VERDICT_WORDS})", re.IGNORECASE)
_OF_A_RESPONSE: Final = re.compile(r"\b(?:response|assistant|model)s?\b", re.IGNORECASE)
_OF_A_FORM: Final = re.compile(
    r"\b[AB]\b|\b(?i:both|tied?|equal\w*|neither|first|second|if|when|means)\b"
)
_ITEM: Final = re.compile(r"[-*•+]|\d[.)]|\b(?i:if|when|means)\b")
_CRITERION: Final = re.compile(
    r"[^\w\n]*(?:\w+ ){0,3}(?:accuracy|clarity|coherence|completeness|conciseness|correctness|"
    r"depth|detail|facts|factuality|fluency|format(?:ting)?|harmlessness|helpfulness|honesty|length|logic|"
    r"presentation|readability|relevance|safety|style|substance|tone|truthfulness|verbosity)"
    r"(?: \w+)?\W*",
    re.IGNORECASE,
)
"""What stands before a verdict on one criterion: `Style:`, `Verdict on correctness:`."""
_BETWEEN_ITEMS: Final = 200
"""Characters between two forms of a list, at most."""


@dataclass(frozen=True, slots=True)
class Read:
    """A mark and what it is worth; None where it is not understood."""

    mark: Mark
    value: float | None

    @property
    def said(self) -> str:
        """Its content in one spelling."""
        return plain(self.mark.content or "")


def decide(
    text: str,
    own: Sequence[Read],
    foreign: Sequence[Read] = (),
    *,
    what: str = "verdict",
    later: Callable[[str], Sequence[float]] | None = None,
) -> float | Unscored:
    """What the last verdict is worth, or why there is none.

    `own` are marks of the forms that count. `foreign` are those of other forms, which count for
    nothing, but contradict: after a verdict, one of another value makes it doubtful. So does what
    `later` finds in the text that follows the verdict.
    """
    marks = _outermost(own)
    if not marks:
        return _none(text, what)
    stated = _stated(text, marks)
    final = stated[-1] if stated else marks[-1]
    doubt = _doubt(text, marks, stated)
    if not doubt and _contradicted(text, final, foreign, later):
        doubt = "what follows the last {what} says something else"
    if doubt or final.value is None:
        return Unscored("unparsed", f"{doubt.format(what=what)}: {_line(text, final)}")
    return final.value


def _stated(text: str, marks: Sequence[Read]) -> list[Read]:
    """The marks of the last line (or JSON object) that has any, less those only mentioned."""
    last = marks[-1].mark
    begin = text.rfind("\n", 0, last.start) + 1
    if last.begin is not None:
        begin = min(begin, last.begin)
    group = [item for item in marks if item.mark.end > begin]
    return [item for item in group if not _is_mention(text, item.mark)]


def _doubt(text: str, marks: Sequence[Read], stated: Sequence[Read]) -> str:
    """Why the last line gives no verdict; empty where it does."""
    if not stated:
        return "the last {what} is quoted or negated, not given"
    final = stated[-1]
    if final.value is None:
        return "no {what} is understood in the last line that has one"
    if len({item.value for item in stated if item.value is not None or _names_both(item)}) > 1:
        return "contradictory {what}s"
    if _ends_a_list(text, marks[: marks.index(final) + 1]):
        return "the last {what} ends a list of the forms"
    if _is_of_a_criterion(text, marks[: marks.index(final) + 1]):
        return "the last {what} is on one criterion of several"
    return ""


def _contradicted(
    text: str,
    final: Read,
    foreign: Sequence[Read],
    later: Callable[[str], Sequence[float]] | None,
) -> bool:
    """Whether a verdict of another form, or in words, follows and says something else."""
    after = final.mark.end
    others = {
        item.value
        for item in foreign
        if item.mark.start >= after and not _is_mention(text, item.mark)
    }
    if later is not None:
        others |= set(later(text[after:]))
    return bool(others - {final.value}) or (not others and is_taken_back(text[after:]))


def _none(text: str, what: str) -> Unscored:
    tail = _tail(text)
    return Unscored("unparsed", f"no {what}; it ends: {tail}" if tail else "no visible answer")


def _tail(text: str) -> str:
    return " ".join(text[-20 * SHOWN :].split())[-SHOWN:]


def _line(text: str, item: Read) -> str:
    start = text.rfind("\n", 0, item.mark.start) + 1
    end = text.find("\n", item.mark.end)
    return " ".join(text[start : end if end >= 0 else len(text)].split())[-SHOWN:]


def _outermost(marks: Sequence[Read]) -> list[Read]:
    """In the order of their ends; of one within another, that which is understood, or the outer."""
    kept: list[Read] = []
    for item in sorted(marks, key=lambda item: (item.mark.start, -item.mark.end)):
        outer = kept[-1] if kept else None
        if outer is None or item.mark.start >= outer.mark.end:
            kept.append(item)
        elif outer.value is None and item.value is not None and outer.mark.begin is None:
            kept[-1] = item
        elif item.mark.begin is not None and item.mark.begin == outer.mark.begin:
            kept.append(item)  # two keys of one object
    return sorted(kept, key=lambda item: item.mark.end)


def _is_mention(text: str, mark: Mark) -> bool:
    """Whether it is negated, or in quotes within a sentence: a report of what a response says.

    In quotes on a line of its own, or after "my verdict:", it is said by the judge itself.
    """
    if is_withdrawn(text, mark.start, mark.end):
        return True
    before, after = text[max(0, mark.start - 200) : mark.start], text[mark.end : mark.end + 200]
    line_before, line_after = before.rpartition("\n")[2], after.partition("\n")[0]
    head, tail = line_before.rstrip("$*` "), line_after.lstrip("$*` .,")
    if not head or head[-1] not in _QUOTES or not tail or tail[0] not in _CLOSERS:
        return False
    if re.search(r"\w", tail[1:]):
        return True
    lead = head[:-1].strip(" *#>-:_")
    if _OF_A_RESPONSE.search(lead):
        return True
    return bool(lead) and _LEAD.fullmatch(lead) is None


def _names_both(item: Read) -> bool:
    """Whether what is not understood could be a comparison all the same."""
    words = set(re.findall(r"[AB](?![A-Z])", item.said))
    return words == {"A", "B"}


def _ends_a_list(text: str, marks: Sequence[Read]) -> bool:
    """Whether the last mark ends a list of the forms, restated one after the other.

    It does not if the list is whole without it or has the same form already (a verdict that
    follows the list), or if words such as "my verdict" introduce it.
    """
    block = [marks[-1]]
    for item in reversed(marks[:-1]):
        between = text[item.mark.end : block[0].mark.start]
        rows = between.split("\n")
        if len(between) > _BETWEEN_ITEMS or not 2 <= len(rows) <= 3 or "".join(rows[1:-1]).strip():
            break
        block.insert(0, item)
    values = [item.value for item in block if item.value is not None]
    if len(set(values)) < 2 or block[-1].said in {item.said for item in block[:-1]}:
        return False
    if len(block) > ALL_FORMS and {1.0, TIE, 0.0} <= {item.value for item in block[:-1]}:
        return False
    lead = _lead_of(text, block[-1])
    if _CONCLUDES.search(lead) and not _OF_A_FORM.search(lead):
        return False
    if len(block) >= 3 and ({1.0, TIE, 0.0} <= set(values) or _is_ladder(values)):
        return True
    return all(_ITEM.search(_line_of(text, item)) for item in block)


def _is_of_a_criterion(text: str, marks: Sequence[Read]) -> bool:
    """Whether the last two marks are on a criterion each, and say different things."""
    if len(marks) < 2 or marks[-1].value == marks[-2].value:
        return False
    return all(_CRITERION.fullmatch(_lead_of(text, item)) for item in marks[-2:])


def _is_ladder(values: Sequence[float]) -> bool:
    """Whether three numbers or more only rise, or only fall, as the steps of a scale."""
    steps = [one < other for one, other in pairwise(values)]
    return len(set(values)) == len(values) >= 3 and len(set(steps)) == 1


def _line_of(text: str, item: Read) -> str:
    """What stands beside a mark on its line."""
    return _lead_of(text, item) + text[item.mark.end :].partition("\n")[0]


def _lead_of(text: str, item: Read) -> str:
    return text[text.rfind("\n", 0, item.mark.start) + 1 : item.mark.start]
