"""Estimates of tokens, for plans and rate limits; what is reported is what providers count."""

from __future__ import annotations

from typing import Final

from rmjudge.calls import Call, CompareCall

CHARACTERS_PER_TOKEN: Final = 4.0
"""English prose and code under current tokenizers: 3.5 to 4.5."""
FRAME_TOKENS: Final = {"pairwise": 420, "pointwise": 12}
"""The judge's rubric and delimiters, or the turns of a chat template."""


def estimate_tokens(call: Call) -> int:
    """Input tokens of one call, roughly."""
    if isinstance(call, CompareCall):
        characters = len(call.prompt) + len(call.first) + len(call.second)
        frame = FRAME_TOKENS["pairwise"]
    else:
        characters = len(call.prompt) + len(call.response)
        frame = FRAME_TOKENS["pointwise"]
    return int(characters / CHARACTERS_PER_TOKEN) + frame
