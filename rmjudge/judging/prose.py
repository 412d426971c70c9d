# ruff: noqa: RUF001  the signs of other scripts are what is read
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
    rf"(?<![\w\\])(?i:{_WHO})[AB]\)?\]?[\s*_`]*{_SIGN}[\s*_`]*(?i:{_WHO})[AB](?![\w'’])"
)
_STATED: Final = re.compile(
    r"(?i:verdict|winner|decision|judge?ment|conclusion|preference|preferred(?: \w+)?|final answer|"
    r"final choice|better (?:response|answer|assistant))[\s*_`\"]*"
    r"(?:(?i:is|goes to)\b|[:=])[\s:*_`\"(\[]*"
    rf"(?i:the )?(?i:{_WHO})(?P<who>[ABC]|(?i:tie|draw))(?![\w'’]|\s*(?:[<>=≫≻≪≺≈]))"
)
_CHOSEN: Final = re.compile(
    r"(?i:\b(?:I|we)(?: (?:would|will|must|now|therefore|thus|finally)|['’](?:d|ll))* "
    r"(?:choose|prefer|pick|select|favou?r|go (?:with|for)|vote for|rank))\s[\s*_`\"(\[]*"
    rf"(?i:the )?(?i:{_WHO})(?P<who>[AB])(?=[\])*_`\"”]*"
    r"(?:[.,;:!?)\n]|\s*\Z|\s+(?i:overall|as|because|since|over)\b))"
)
"""With nothing behind it that limits it: "I prefer B in style" is no verdict."""
_BETTER: Final = re.compile(
    r"(?:\A|[.!?(:;\n—–]|,\s(?=so\b|thus\b|hence\b|therefore\b))[\s*_`\"-]{0,8}"
    r"(?i:(?:so|thus|therefore|hence|overall|finally|actually|no|sorry|edit|i\.e\.|in fact|"
    r"in conclusion|in summary|on balance|all in all|"
    r"(?:I|we)(?: now)? (?:think|believe|conclude|say|find|feel)(?: that)?)[,:]?\s{1,4}){0,3}"
    rf"(?i:the )?(?i:{_WHO})(?P<who>[AB])[\])*_`]*\s+(?i:(?:is|was)\s+(?:\w+\s+){{0,2}}?"
    r"(?:better|best|superior|preferable|the winner|stronger)"
    r"(?: (?:one|response|answer|choice|overall))*"
    r"|wins(?: overall)?)[\s*_`]*(?:[.!?)\n]|\Z)"
)
"""A sentence alone: "In style B is better." and "B is better formatted" are no verdicts."""
_BEST: Final = (
    r"(?i:bessere?r?|beste|mejor|meilleure?|migliore|melhor|лучш[а-я]{1,3}|победитель|urteil|fazit|"
    r"gewinner|entscheidung|вердикт|veredicto|ganador|gagnante?|vincitore|vencedor|"
    r"verdetto|veredito)|(?:最终|最後|最終)\w{1,4}?(?=[是为為:：])|结论|結論|裁决|胜者|更好的\w{0,3}?(?=[是为為:：])"
)
_ELSEWHERE: Final = re.compile(
    rf"(?:{_BEST})[^\n.。;]{{0,24}}?(?:\b(?i:ist|es|est|è|é)\b|[-—:：]|[是为為])"
    r"[\s*_`\"(\[]*(?i:antwort|respuesta|réponse|risposta|resposta|ответ|回答|回复|助手)?"
    r"[\s*_`\"(\[]*(?P<who>[AB])(?![A-Za-z'’])"
    r"|(?<![A-Za-z])(?P<better>[AB])\s?(?i:(?:更好|更佳|更优|胜出|获胜|の方が)|(?:\S+ )?"
    r"(?:ist besser|es mejor|est meilleure?|è migliore|é melhor|лучше))\s?(?:[.!。！)\n]|\Z)"
)
"""The same in other languages that judges answer in."""
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
    for pattern in (_STATED, _CHOSEN, _BETTER, _ELSEWHERE, _WHOLE_LINE):
        for found in pattern.finditer(text):
            said = found.groupdict()
            value = winner(said["who"] or said.get("better") or "")
            if value is not None:
                yield value
