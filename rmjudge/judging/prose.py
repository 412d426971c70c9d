"""Verdicts in words. They never count as one, but one that follows a verdict makes it doubtful."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rmjudge.judging.spelling import comparison, winner, without_latex

_LOOKED_AT: Final = 6000
_SIGN: Final = r"(?:>{1,2}|={1,2}|<{1,2}|≫|≻|≪|≺|≈)"
_WHO: Final = r"(?:(?:response|assistant|model|answer|option|output)[ _]?)?\(?\[?"
_BARE: Final = re.compile(
    rf"(?<![\w\\])(?i:{_WHO})[AB]\)?\]?[\s*_`]*{_SIGN}[\s*_`]*(?i:{_WHO})[AB](?![\w'’])"  # noqa: RUF001
)
_STATED: Final = re.compile(
    r"(?i:verdict|winner|decision|judge?ment|conclusion|preference|preferred(?: \w+)?|final answer|"
    r"final choice|better (?:response|answer|assistant))[\s*_`\"]*"
    r"(?:(?i:is|goes to)\b|[:=])[\s:*_`\"(\[]*"
    rf"(?i:the )?(?i:{_WHO})(?P<who>[ABC]|(?i:tie|draw))(?![\w'’]|\s*(?:[<>=≫≻≪≺≈]))"  # noqa: RUF001
)
_WHOLE_LINE: Final = re.compile(
    r"^[ \t*_`#>\"-]{0,12}"
    r"(?i:so|thus|therefore|overall|hence|finally|in conclusion|in summary)?,?[ \t*_`]{0,6}"
    rf"(?i:{_WHO})(?P<who>[AB])\)?\]?(?i:[\s*_`]+(?:is|was)[\s*_`]+(?:\w+[\s*_`]+){{0,2}}?"
    r"(?:better|best|superior|preferable|the winner)|[\s*_`]+wins)?(?: overall)?[ \t*_`\".!]{0,8}$",
    re.MULTILINE,
)


def stated_in_words(text: str) -> list[float]:
    """The verdicts that a text gives in words: `Verdict: A > B`, `**B**` or "A is better."."""
    text = text[-_LOOKED_AT:]
    if "\\" in text or "$" in text:
        text = re.sub("[{}$]", " ", without_latex(text))
    return list(_stated(text))


def _stated(text: str) -> Iterator[float]:
    for found in _BARE.finditer(text):
        value = comparison(found[0])
        if value is not None:
            yield value
    for pattern in (_STATED, _WHOLE_LINE):
        for found in pattern.finditer(text):
            value = winner(found["who"])
            if value is not None:
                yield value
