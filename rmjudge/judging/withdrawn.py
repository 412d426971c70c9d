# ruff: noqa: RUF001  the signs of other scripts are what is read
"""Verdicts that a judge writes and does not give: negated, struck out, supposed, or taken back."""

from __future__ import annotations

import re
from typing import Final

_NEAR: Final = 200
"""Characters before a verdict in which words may deny it."""
_FAR: Final = 2000
"""Characters before and after it in which it may be struck out."""
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
_TAGS: Final = re.compile(r"<(?P<end>/?)(?P<name>del|s|strike)>", re.IGNORECASE)
_MIXED: Final = r"(?:mixed|swapped|switched|reversed|confused|mislabell?ed|got)\b"
_TAKEN_BACK: Final = re.compile(
    rf"\bI(?:['’]ve| have| may have| must have| just| accidentally){{0,2}} {_MIXED}[^.\n]{{0,30}}"
    r"\b(?:them|these|letters|labels|responses|order|wrong way)\b"
    rf"|\b(?:letters|labels)\b[^.\n]{{0,30}}\b{_MIXED}"
    r"|(?:\bit(?:['’]s| is)|\bshould (?:be|have been)|\bmeant?|\A|[.!?(\n])[\s*_,]{0,8}"
    r"(?:the )?other way (?:a?round)\b"
    r"|\bvice versa is (?:right|true)\b"
    r"|\bI (?:was wrong|misread|misspoke|made a mistake|take (?:that|it|this) back|"
    r"(?:have )?changed? my mind)\b"
    r"|(?:\A|[.!?(:;—–\n]|\s-\s)[\s*_]{0,8}(?:(?:but|sorry|hmm+|oh|ah|actually|no)[,.:]?\s{1,4}){0,2}"
    r"(?:oops|scratch that|on second thoughts?|I meant|"
    r"(?:correction|errat(?:um|a))\s*[:—–-]|"
    r"(?:wait|hold on)(?:[,.!:…—–-]|\s+(?:no|actually|I|let)\b))",
    re.IGNORECASE,
)
"""Of the judge's own words: what it says of the responses ("B reversed the order") is none."""


def is_withdrawn(text: str, start: int, end: int) -> bool:
    """Whether what stands from `start` to `end` is negated, supposed, struck out or a comment."""
    before, after = text[max(0, start - _FAR) : start], text[end : end + _FAR]
    line_before = before.rpartition("\n")[2]
    line_after = after.partition("\n")[0]
    near = line_before[-_NEAR:]
    return (
        _NEGATED.search(near) is not None
        or _SUPPOSED.search(near) is not None
        or _STRIKES.search(near) is not None
        or _DENIED.match(line_after) is not None
        or (line_before.count("~~") % 2 == 1 and "~~" in line_after)
        or before.rfind("<!--") > before.rfind("-->")
        or _is_in_tag(before, after)
    )


def is_taken_back(after: str) -> bool:
    """Whether the text that follows a verdict says that it was a mistake."""
    return _TAKEN_BACK.search(after) is not None


def _is_in_tag(before: str, after: str) -> bool:
    last = next(reversed([*_TAGS.finditer(before)]), None) if "<" in before else None
    return last is not None and not last["end"] and f"</{last['name']}>" in after
