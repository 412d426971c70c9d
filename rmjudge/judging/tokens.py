"""Which texts look like a verdict themselves.

A response may carry a verdict token by chance (a boxed result in mathematics) or as an attack
on the judge. Such a tuple is flagged; what keeps it harmless is the fence around the response
and that only the judge's last verdict counts.
"""

from __future__ import annotations

import re
from typing import Final

VERDICT_TOKEN: Final = re.compile(r"\\boxed\s*\{|\[\[\s*[ABC]\s*\]\]|</?think>", re.IGNORECASE)
r"""`\boxed{`, `[[A]]`, `[[B]]`, `[[C]]`, `<think>` and `</think>`, in any case and spacing."""


def carries_verdict_token(text: str) -> bool:
    """Tell whether a text holds something that reads like a verdict or like reasoning."""
    # Looking for how each of them begins takes a twentieth of the time.
    begins = "\\" in text or "[[" in text or "<" in text
    return begins and VERDICT_TOKEN.search(text) is not None
