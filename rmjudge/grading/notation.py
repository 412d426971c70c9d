r"""An answer as LaTeX that can be read in one way only, and the unit beside it. Pure.

A parser of mathematics reads something into almost any text: `2 million` is 2, `1 000` is 0 and
`101_2` is 101 to it. So only what is surely read right gets as far, and nothing else ever
reaches the parser: what a model wrote is hostile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 200
"""Characters of an answer."""
WORDS: Final = 3
"""Of a unit; what has more is a sentence."""
_SIGNS: Final[Mapping[str, str]] = {
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": r"\times ",
    "·": r"\cdot ",
    "⋅": r"\cdot ",
    "÷": r"\div ",
    "π": r"\pi ",
    "∞": r"\infty ",
    "≤": r"\le ",
    "≥": r"\ge ",
    "±": r"\pm ",
    "½": r"\frac{1}{2}",
    "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}",
    "\N{NO-BREAK SPACE}": " ",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\leq": r"\le",
    r"\geq": r"\ge",
    r"\left": "",
    r"\right": "",
    r"\displaystyle": "",
    r"\!": "",
    r"\;": " ",
    r"\:": " ",
    r"\(": "",
    r"\)": "",
    r"\[": "",
    r"\]": "",
    "{,}": ",",
}
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RAISED_RUN: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_SIGN: Final = re.compile(
    "|".join(
        re.escape(sign) + ("(?![A-Za-z])" if sign[-1].isalpha() and sign[0] == "\\" else "")
        for sign in sorted(_SIGNS, key=len, reverse=True)
    )
)
_BOX: Final = re.compile(r"\\(?:boxed|fbox)\s*\{(.*)\}", re.DOTALL)
_TEXT: Final = re.compile(r"\\(?:text(?:bf|it)?|math(?:rm|bf)|mbox|operatorname)\s*\{([^{}]*)\}")
_ROOT: Final = re.compile(r"(?:√|(?<!\\)\bsqrt)\s*(?:(\d+|[A-Za-z]\b)|\(([^()]*)\))")
_POWER: Final = re.compile(r"\^\s*(-?\d+|[A-Za-z])(?![\d.])")
_SCIENTIFIC: Final = re.compile(r"(?<=\d)[eE]([+-]?\d+)\b")
_DEGREES: Final = re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|°")
_THOUSANDS: Final = re.compile(r"(?<![\d,.])\d{1,3}(?:(?:,|\\,)\d{3})+(?![\d,])")
_NAME: Final = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_UNIT: Final = re.compile(
    r"((?:\s*(?<![\\A-Za-z])[A-Za-z]{2,}(?:\s*/\s*[A-Za-z]+)?"
    r"(?:\s*\^\s*(?:\{-?\d+\}|-?\d+))?)+)\.?\s*\Z"
)
_FUNCTIONS: Final = frozenset(
    ("sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan")
)
_COMMANDS: Final = frozenset(
    (
        *("frac", "sqrt", "pi", "infty", "times", "cdot", "div", "pm", "binom", "ln", "log"),
        *("le", "ge", "lt", "gt", "theta", "alpha", "beta", "gamma", "lambda", "mu", "phi"),
        *_FUNCTIONS,
    )
)
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)")
_KNOWN: Final = re.compile(r"(?:[0-9A-Za-z+\-*/^()\[\],.=<>|! ]|\\[A-Za-z]+|\\?[{}]|(?<=\\log)_)*")
_TWO_WAYS: Final = re.compile(
    r"\d\s+[\d.]|\.\d*\s*\.|\.(?!\d)|\^\s*-?\d+\."  # 1 000, 1.2.3, 5., 2^1.5
    r"|/\s*(?:\d+(?!\d)|[A-Za-z])\s*(?:[A-Za-z({]|\\(?!times|cdot|div|pm|le|ge|lt|gt))"  # 1/2x
    r"|\^(?:\{[^{}]*\}|\S)\s*\^|!\s*!|\\frac\s*\d{3}|\\sqrt\s*\d\d"  # 2^3^2, \sqrt12
    r"|\\log(?!_)|<.*<|>.*>"  # the base of a logarithm
    r"|\\(?:(?:arc)?(?:sin|cos|tan)|sec|csc|cot|ln)"  # \sin x \cos x
    r"(?!\s*(?:\(|\{|(?:\d+(?!\d)|[A-Za-z]|\\pi)\s*(?:\Z|[-+=,)\]}])))"
)


@dataclass(frozen=True, slots=True)
class Formula:
    """LaTeX, the words and signs beside it that may be its unit, digits behind its point.

    `places` is None where it is not one number in digits.
    """

    latex: str
    unit: frozenset[str]
    decimal: bool
    places: int | None


def formula(words: str) -> Formula | None:
    """Read an answer; None where it could be read in another way, or not at all."""
    if len(words) > LONGEST:
        return None
    text = _unboxed(words.strip())
    text, unit = _without_unit(text)
    text = _SIGN.sub(lambda found: _SIGNS[found[0]], text)
    text = _RAISED_RUN.sub(lambda found: f"^{{{found[0].translate(_RAISED)}}}", text)
    text = re.sub(r"(?<![\\A-Za-z])pi\b", r"\\pi ", text)
    text = _ROOT.sub(lambda found: rf"\sqrt{{{found[1] or found[2]}}}", text)
    text = _SCIENTIFIC.sub(r" \\times 10^{\1}", text)
    text = _without_thousands(text)
    text, names = _without_names(text)
    text = _POWER.sub(r"^{\1}", re.sub(r"\\,|\\ ", " ", text)).strip()
    unit |= names
    if not _is_sure(text, unit):
        return None
    number = re.fullmatch(r"-?\d*(?:\.(\d+))?", text)
    places = len(number[1] or "") if number else None
    return Formula(text, unit, bool(re.search(r"\.\d", text)), places)


def _is_sure(text: str, unit: frozenset[str]) -> bool:
    """Whether a text has only what is surely read right."""
    commands = set(_COMMAND.findall(text))
    if not text or not _KNOWN.fullmatch(text) or _TWO_WAYS.search(text) or commands - _COMMANDS:
        return False
    in_degrees = bool(commands & _FUNCTIONS) and "degrees" in unit  # sin 30 is something else
    return not (in_degrees or _NAME.search(text) or _commas_are_two_ways(text))


def _unboxed(text: str) -> str:
    if found := re.fullmatch(r"\$*(?:\\displaystyle)?\s*(\\(?:boxed|fbox)\s*\{.*\})\s*\$*", text):
        text = found[1]
    found = _BOX.fullmatch(text)
    return found[1].strip() if found else text


def _without_unit(text: str) -> tuple[str, frozenset[str]]:
    """The text without the signs of dollars, percent and degrees, and without formula marks."""
    unit = set()
    text = _TEXT.sub(r" \1 ", text)
    if r"\$" in text:
        unit.add("dollars")
        text = text.replace(r"\$", "")
    if text.count("$") == 1 and re.match(r"-?\$\s*\d", text):
        unit.add("dollars")
    text = text.replace("$", "") if text.count("$") != 1 or "dollars" in unit else text
    if "%" in text:
        unit.add("percent")
        text = text.replace(r"\%", "").replace("%", "")
    if _DEGREES.search(text):
        unit.add("degrees")
        text = _DEGREES.sub("", text)
    return text, frozenset(unit)


def _without_thousands(text: str) -> str:
    if re.search(r"[(\[{]\s*-?\d+(?:\.\d+)?,", text):  # (1,234) is a point
        return text
    return _THOUSANDS.sub(lambda found: re.sub(r"\\?,", "", found[0]), text)


def _commas_are_two_ways(text: str) -> bool:
    """Whether a comma may be a list's, or that of a decimal, or of thousands: 0,5 and (1,234)."""
    if not re.search(r"\d,\d", text):
        return False
    listed = re.search(r"[(\[{]", text) or text.count(",") > 1
    return not listed or bool(re.search(r"\d,\d{3}(?!\d)", text))


def _without_names(text: str) -> tuple[str, frozenset[str]]:
    """The text without the few words behind it."""
    found = _UNIT.search(text)
    if found is None:
        return text, frozenset()
    names = re.sub(r"[{}]", "", found[1]).lower().split()
    if len(names) > WORDS:
        return text, frozenset()
    return text[: found.start()], frozenset(names)
