# ruff: noqa: RUF001  the signs of other scripts are what is read
"""Verdicts that a judge writes and does not give: negated, struck out, supposed, or taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_NEAR: Final = 200
"""Characters before and after a verdict that are looked at."""
_NEGATED: Final = re.compile(
    r"(?:\b(?:not|never|cannot|against|rather than|instead of|no longer|reject(?:s|ed|ing)?|"
    r"ruled? out|nicht|kein|pas|не)|n['’]t)"
    r"(?:\s+(?:be|been|say|choose|pick|call|it|the|a|that|think|verdict|give|award|write|"
    r"select|für|de))*[\s*_`\"'“‘($]*$",
    re.IGNORECASE,
)
_SUPPOSED: Final = re.compile(r"\bHad (?:the |only )?(?:\w+ )?[AB]\b[^.\n]*$")
_STRIKES: Final = re.compile(r"\\(?:sout|st|[hbx]?cancel|xout)\s*\{[^{}\n]*$")
_DENIED: Final = re.compile(
    r"[\s*_`\"'”’)$]*(?:"
    r"(?:is|was|would be)(?:\s+not|n['’]t)\s+(?:my|the|what|right|correct|true)\b|"
    r"(?:is|was|would be)\s+(?:wrong|false|incorrect|no longer|"
    r"(?:the )?(?:worse|loser|inferior))\b|"
    r"loses\b|lost\b|"
    r"would (?:only )?(?:apply|hold|have been|be (?:right|correct|true|warranted))\b)",
    re.IGNORECASE,
)
_STRUCK: Final = re.compile(
    r"~~[^~\n]{1,400}~~|<(?P<tag>del|s|strike)>.{1,1000}?</(?P=tag)>|<!--.{1,2000}?(?:-->|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_TAKEN_BACK: Final = re.compile(
    r"\b(?:mixed|swapped|switched|reversed|confused|mislabell?ed|got)\b[^.\n]{0,20}"
    r"\b(?:them|these|letters|labels|responses|order|it the wrong way)\b"
    r"|\b(?:the )?other way (?:a?round)\b|\bvice versa is (?:right|true)\b"
    r"|\bI (?:was wrong|misread|misspoke|made a mistake|take (?:that|it|this) back|"
    r"(?:have )?changed? my mind)\b"
    r"|(?:^|[.!?(—–\n-])[\s*_]*(?:oops|scratch that|on second thoughts?|correction|erratum|"
    r"(?:no )?wait|hold on|I meant)\b",
    re.IGNORECASE,
)


def is_withdrawn(text: str, start: int, end: int) -> bool:
    """Whether what stands from `start` to `end` is negated, supposed, struck out or a comment."""
    before = text[max(0, start - _NEAR) : start].rpartition("\n")[2]
    after = text[end : end + _NEAR].partition("\n")[0]
    if _NEGATED.search(before) or _SUPPOSED.search(before) or _STRIKES.search(before):
        return True
    if _DENIED.match(after):
        return True
    return any(place <= start and end <= stop for place, stop in _struck(text))


def is_taken_back(after: str) -> bool:
    """Whether the text that follows a verdict says that it was a mistake."""
    return _TAKEN_BACK.search(after) is not None


def _struck(text: str) -> Iterator[tuple[int, int]]:
    if "~~" in text or "<" in text:
        for span in _STRUCK.finditer(text):
            yield span.start(), span.end()
