# ruff: noqa: RUF001  the signs of other scripts are what is read
r"""How judges spell a verdict: from `\textbf{A ≫ B}` or "Response A" to the one plain form."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

from rmjudge.judging.latex import unwrapped
from rmjudge.metrics.tallies import TIE

_BRACKETS: Final = {
    **dict.fromkeys(map(ord, "【［〖〔"), "["),
    **dict.fromkeys(map(ord, "】］〗〕"), "]"),
}
_DOUBLE: Final = {ord("⟦"): "[[", ord("⟧"): "]]", ord("｛"): "{", ord("｝"): "}"}
_INVISIBLE: Final = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0xAD, 0xFE0F]
)
_EVEN: Final = str.maketrans({**_BRACKETS, **_DOUBLE, **_INVISIBLE})

_SIGNS: Final = {
    "≫": ">>", "⋙": "?", "≻": ">", "⪼": ">>", "›": ">", "»": ">>", "〉": ">", "》": ">>",
    "≪": "<<", "⋘": "?", "≺": "<", "⪻": "<<", "‹": "<", "«": "<<", "〈": "<", "《": "<<",
    "≈": "=", "≡": "=", "≃": "=", "≅": "=", "∼": "=", "⩵": "=",
}  # fmt: skip
_COMMANDS: Final = {
    "gg": ">>", "gt": ">", "succ": ">", "greater": ">", "rangle": ">",
    "ll": "<<", "lt": "<", "prec": "<", "less": "<", "langle": "<",
    "approx": "=", "equiv": "=", "sim": "=", "simeq": "=", "cong": "=", "eq": "=",
}  # fmt: skip
_COMMAND: Final = re.compile(
    rf"\\+({'|'.join(sorted(_COMMANDS, key=len, reverse=True))})(?=[abAB]?(?![a-zA-Z]))"
)
# `A\ggB` is how it is often written, although LaTeX would take `ggB` for the command's name.
_NOISE: Final = re.compile(r"[\s{}$*`\"'“”‘’„_~#|()\[\]]+")
_NAMES: Final = re.compile(
    r"\b(?:THE|RESPONSE|ASSISTANT|MODEL|ANSWER|OPTION|OUTPUT|CANDIDATE|CHATBOT|COMPLETION|AI)[\s_-]*"
    r"(?=\(?[AB12](?![A-Z0-9]))"
)
_COMPARISON: Final = re.compile(r"([AB12])(>>|>|==?|<<|<)([AB12])")
_TIES: Final = frozenset(
    ("C", "TIE", "TIED", "DRAW", "EQUAL", "BOTH", "SAME", "NEITHER", "EVEN", "平局")
)
_WINS: Final = re.compile(r"([AB12])(?:IS)?(?:BETTER|WINS|WIN|WINNER)?")


def even(text: str) -> str:
    """A text with its HTML entities read, its brackets those of ASCII, and no invisible signs."""
    if "&" in text:
        text = html.unescape(text)
    return text.translate(_EVEN)


def without_latex(text: str) -> str:
    """A text with the signs of LaTeX's commands, and without those that say how it looks."""
    return unwrapped(_COMMAND.sub(lambda match: f" {_COMMANDS[match[1]]} ", text))


def plain(content: str) -> str:
    r"""The content of a box or of brackets in one spelling: `\text{a ≫ b}.` is `A>>B`."""
    # What is struck out is not said.
    text = unicodedata.normalize("NFKC", html.unescape(content)).replace("~~", "?")
    for sign, meaning in _SIGNS.items():
        text = text.replace(sign, meaning)
    text = without_latex(text)
    text = text.replace("_", " ").upper()
    text = _NAMES.sub("", re.sub(r"[{}$*`\"'“”‘’]", " ", text))
    return _NOISE.sub("", text).rstrip(".,;:!。，")


def comparison(content: str, *, numbers: bool = False) -> float | None:
    """P(A) of `A>>B`, `A>B`, `A=B`, `A<B` and the like; None for anything else.

    `numbers`: 1 and 2 stand for A and B.
    """
    match = _COMPARISON.fullmatch(plain(content))
    if match is None:
        return None
    first, sign, second = match.groups()
    if not numbers and {first, second} != {"A", "B"}:
        return None
    if {first, second} not in ({"A", "B"}, {"1", "2"}):
        return None
    if sign.startswith("="):
        return TIE
    return float((first in "A1") == (sign[0] == ">"))


def winner(content: str, *, numbers: bool = False, ties: bool = True) -> float | None:
    """P(A) of `A`, `Response B`, `tie` and the like; None for anything else."""
    word = plain(content)
    if word in _TIES:
        return TIE if ties else None
    match = _WINS.fullmatch(word)
    if match is None or (match[1].isdigit() and not numbers):
        return None
    return float(match[1] in "A1")


def either(content: str, *, numbers: bool = False) -> float | None:
    """P(A) of a comparison or of a winner."""
    found = comparison(content, numbers=numbers)
    return winner(content, numbers=numbers) if found is None else found


_NUMBER: Final = r"[+-]?\d+(?:\.\d+)?"
_TWO_NUMBERS: Final = re.compile(r"\d[\s_,{}$*`]+\d|\d[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉¼½¾]")
"""Numbers beside each other, which would become one: `1 0`, `7²`."""
_ONE: Final = re.compile(rf"({_NUMBER})(?:(?:/|OUTOF)({_NUMBER}))?")


def rating(content: str, high: float) -> float | None:
    """A number, `7/10` or `7 out of 10`; None where the scale named is another one."""
    if _TWO_NUMBERS.search(content):
        return None
    word = re.sub(r"^(?:RATING|SCORE)[:=]?", "", plain(content))
    match = _ONE.fullmatch(word)
    if match is None or (match[2] is not None and float(match[2]) != high):
        return None
    return float(match[1])
