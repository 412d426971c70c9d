"""Asking a generative model for a text, with no judging in it: what `rmjudge build` does."""

from __future__ import annotations

from typing import Final

from rmjudge.calls import Answer, Call, GenerateCall, Text
from rmjudge.judging.methods import JudgingMethod
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import ChatReply


def _prompt(call: Call) -> JudgePrompt:
    if not isinstance(call, GenerateCall):
        raise TypeError(f"a {type(call).__name__} asks for no text")
    (_, user), *others = reversed(call.messages)
    return JudgePrompt(system="\n\n".join(text for _, text in others), prompt="", responses=user)


def _read(reply: ChatReply) -> Answer:
    return reply.withheld or Text(reply.text, reply.odd_reason or "stop")


GENERATION: Final = JudgingMethod(
    "generation", "generation", "", _prompt, "generation/1", _read, shares_prefix=False
)
"""A user's turn, with a system's before it or without; the visible text is the answer."""
