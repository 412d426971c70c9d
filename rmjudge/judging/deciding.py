"""Which of the things that look like a verdict decides: the last one, understood or not.

An earlier verdict is never taken instead of a later one: a judge that restates the forms it was
asked for, and then spells its own in a way that is not known here, would be inverted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.calls import Unscored
from rmjudge.judging.marks import Mark
from rmjudge.judging.spelling import plain
from rmjudge.metrics.tallies import TIE

SHOWN: Final = 160
_QUOTES: Final = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "「": "」", "”": "”"}  # noqa: RUF001
_CLOSERS: Final = frozenset(_QUOTES.values())
_VERDICT_WORDS: Final = (
    "verdict|judge?ment|decision|choice|preference|answer|conclusion|winner|rating|score|overall|"
    "final|result|therefore|so|thus"
)
_LEAD: Final = re.compile(rf"\W*(?:\w+ ){{0,4}}(?:{_VERDICT_WORDS})(?: is)?\W*", re.IGNORECASE)
_OF_A_RESPONSE: Final = re.compile(r"\b(?:response|assistant|model)s?\b", re.IGNORECASE)


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
    last = marks[-1]
    begin = text.rfind("\n", 0, last.mark.start) + 1
    if last.mark.begin is not None:
        begin = min(begin, last.mark.begin)
    group = [item for item in marks if item.mark.end > begin]
    stated = [item for item in group if not _is_mention(text, item.mark)]
    if not stated:
        return Unscored("unparsed", f"the last {what} stands in quotes: {_line(text, last)}")
    final = stated[-1]
    if final.value is None:
        return Unscored("unparsed", f"no {what} is understood in the last line that has one: {_line(text, final)}")
    if len({item.value for item in stated if item.value is not None or _names_both(item)}) > 1:
        return Unscored("unparsed", f"contradictory {what}s: {_line(text, final)}")
    if _ends_a_list(text, marks[: marks.index(final) + 1]):
        return Unscored("unparsed", f"the last {what} ends a list of the forms: {_line(text, final)}")
    after = final.mark.end
    for item in foreign:
        if item.mark.start >= after and not _is_mention(text, item.mark):
            if item.value != final.value:
                return Unscored("unparsed", f"another {what} follows: {_line(text, item)}")
    if later is not None and any(value != final.value for value in later(text[after:])):
        return Unscored("unparsed", f"another {what} follows: {_tail(text)}")
    return final.value


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
    """Whether it stands in quotes within a sentence, such as one that tells what a response says.

    In quotes on a line of its own, or after "my verdict:", it is said by the judge itself.
    """
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

    It does not if the list has the same form already (a verdict that follows the list), or if
    words such as "verdict" introduce it.
    """
    block = [marks[-1]]
    for item in reversed(marks[:-1]):
        between = text[item.mark.end : block[0].mark.start]
        if len(between) > 100 or between.count("\n") > 2 or "\n" not in between:
            break
        block.insert(0, item)
    values = {item.value for item in block}
    if len(block) < 2 or block[-1].said in {item.said for item in block[:-1]}:
        return False
    leads = [_lead_of(text, item) for item in block]
    if any(re.search(r"[^\W\d]", lead) for lead in leads):
        return False
    if len(block) >= 3 and {1.0, TIE, 0.0} <= values:
        return True
    return {1.0, 0.0} <= values and all(re.search(r"[-*•+]|\d[.)]", lead) for lead in leads)


def _lead_of(text: str, item: Read) -> str:
    return text[text.rfind("\n", 0, item.mark.start) + 1 : item.mark.start]
