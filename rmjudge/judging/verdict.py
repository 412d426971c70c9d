r"""Reading a judge's verdict: the last well-formed one in the visible answer.

Reasoning is taken off first and never searched. Verdicts that are quoted on the way do no
harm; two different verdicts in the last line that holds any are a contradiction, and a
contradiction is no verdict.
"""

from __future__ import annotations

import re
from typing import Final

from rmjudge.calls import Unscored, Verdict

PARSER: Final = "verdict/1"

_CREDIT: Final = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B=A": 0.5, "B>A": 0.0, "B>>A": 0.0}
_VERDICT: Final = re.compile(
    r"\\boxed\s*\{\s*(?:\\text\s*\{\s*)?([AB])\s*(>>|>|=|\\gg|\\gt)\s*([AB])\s*\}"
)
_SIGN: Final = {"\\gg": ">>", "\\gt": ">"}
_THINKING: Final = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_SHOWN: Final = 160


def strip_reasoning(text: str) -> str:
    """Take leading `<think>` blocks off; text that never closes one has no visible answer.

    Some templates open the block in the prompt, so that a reply starts inside it: everything
    up to the first closing tag is reasoning then.
    """
    while (rest := _THINKING.sub("", text, count=1)) != text:
        text = rest
    if text.lstrip().startswith("<think>"):
        return ""
    head, closing, tail = text.partition("</think>")
    return tail if closing and "<think>" not in head else text


def parse_verdict(answer: str) -> Verdict | Unscored:
    r"""Read a verdict of the forms `\boxed{A>>B}`, `A>B`, `A=B`, `B>A`, `B>>A`."""
    visible = strip_reasoning(answer)
    for line in reversed(visible.splitlines()):
        found = {
            _credit(*match.groups()) for match in _VERDICT.finditer(line) if match[1] != match[3]
        }
        if len(found) > 1:
            return Unscored("unparsed", f"contradictory verdicts: {line.strip()[-_SHOWN:]}")
        if found:
            return Verdict(found.pop())
    tail = " ".join(visible.split())[-_SHOWN:]
    return Unscored("unparsed", f"no verdict; it ends: {tail}" if tail else "no visible answer")


def _credit(first: str, sign: str, second: str) -> float:
    return _CREDIT[f"{first}{_SIGN.get(sign, sign)}{second}"]
