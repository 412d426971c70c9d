r"""Reading a judge's verdict: the last well-formed one in the visible answer.

Reasoning is taken off first and never searched. Verdicts that are quoted on the way do no
harm; two different verdicts in the last line that holds any are a contradiction, and a
contradiction is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from rmjudge.calls import Unscored, Verdict
from rmjudge.metrics.tallies import TIE

PARSER: Final = "verdict/1"

_CREDIT: Final = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B=A": 0.5, "B>A": 0.0, "B>>A": 0.0}
_CREDIT_LETTER: Final = {"A": 1.0, "B": 0.0, "C": 0.5, "TIE": 0.5}
_SIGN: Final = {"\\gg": ">>", "\\gt": ">"}
_COMPARISON: Final = r"([AB])\s*(>>|>|=|\\gg|\\gt)\s*([AB])"
_BOXED: Final = re.compile(rf"\\boxed\s*\{{\s*(?:\\text\s*\{{\s*)?{_COMPARISON}\s*\}}")
_BRACKETED: Final = re.compile(rf"\[\[\s*{_COMPARISON}\s*\]\]")
_LETTER: Final = re.compile(
    r"\[\[\s*(A|B|C|tie)\s*\]\]|\\boxed\s*\{\s*(A|B|C|tie)\s*\}"
    r'|"(?:verdict|winner|better|choice|preference)"\s*:\s*"(A|B|C|tie)"',
    re.IGNORECASE,
)
_SHOWN: Final = 160


def strip_reasoning(text: str) -> str:
    """Take `<think>` blocks off; text that begins with one it never closes is reasoning only.

    Some templates open the block in the prompt, so that a reply starts inside it: everything
    up to a closing tag that was not opened is reasoning then.
    """
    *blocks, rest = text.split("</think>")
    visible: list[str] = []
    for block in blocks:
        head, opening, _ = block.partition("<think>")
        if opening:
            visible.append(head)
        else:
            visible.clear()
    if rest.lstrip().startswith("<think>"):
        rest = ""
    return "".join([*visible, rest])


def parse_verdict(answer: str) -> Verdict | Unscored:
    r"""Read a verdict of the forms `\boxed{A>>B}`, `A>B`, `A=B`, `B>A`, `B>>A`."""
    return _last_verdict(answer, _boxed_levels)


def parse_letter_verdict(answer: str) -> Verdict | Unscored:
    """Read `[[A]]` or `[[B]]`; a judge asked for two levels has no tie to give."""
    return _last_verdict(answer, lambda line: {c for c in _letters(line) if c != TIE})


def parse_any_verdict(answer: str) -> Verdict | Unscored:
    r"""Read any form that judges' prompts ask for, for a template of the user's own.

    `\boxed{A>B}`, `[[A>B]]`, `[[A]]`, `[[C]]` or `[[tie]]`, and JSON such as `"winner": "A"`.
    """
    return _last_verdict(
        answer, lambda line: _boxed_levels(line) | _levels(_BRACKETED, line) | _letters(line)
    )


def _last_verdict(answer: str, credits_in: Callable[[str], set[float]]) -> Verdict | Unscored:
    visible = strip_reasoning(answer)
    for line in reversed(visible.splitlines()):
        found = credits_in(line)
        if len(found) > 1:
            return Unscored("unparsed", f"contradictory verdicts: {line.strip()[-_SHOWN:]}")
        if found:
            return Verdict(found.pop())
    tail = " ".join(visible.split())[-_SHOWN:]
    return Unscored("unparsed", f"no verdict; it ends: {tail}" if tail else "no visible answer")


def _boxed_levels(line: str) -> set[float]:
    return _levels(_BOXED, line)


def _levels(form: re.Pattern[str], line: str) -> set[float]:
    return {
        _CREDIT[f"{first}{_SIGN.get(sign, sign)}{second}"]
        for first, sign, second in form.findall(line)
        if first != second
    }


def _letters(line: str) -> set[float]:
    return {_CREDIT_LETTER["".join(groups).upper()] for groups in _LETTER.findall(line)}
