"""Replies as the vendors of judges send them, built from what a test is about."""

from __future__ import annotations

import math
from typing import Any, Final

A_WINS: Final = "I compared them.\n\\boxed{A>B}"
B_WINS: Final = "\\boxed{B>A}"

# Chat completions


def completion(message: Any, reason: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"model": "gpt-4.1-2025-04-14", "choices": [choice], **more}


def entry(tops: dict[str, Any], said: str = "A") -> dict[str, Any]:
    """A token with log-probabilities, as OpenAI lists them."""
    listed = [{"token": name, "logprob": value, "bytes": None} for name, value in tops.items()]
    return {"token": said, "logprob": tops.get(said), "top_logprobs": listed}


def entries(*probabilities: dict[str, float]) -> list[dict[str, Any]]:
    """Tokens that were said, each the first of its alternatives."""
    return [
        entry({token: math.log(share) for token, share in tops.items()}, next(iter(tops)))
        for tops in probabilities
    ]


# OpenAI's Responses API

REASONING: Final = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": B_WINS}],
    "content": [{"type": "reasoning_text", "text": B_WINS}],
}
DECLINED: Final = {"type": "message", "content": [{"type": "refusal", "refusal": "I\nwill not."}]}


def output_text(*said: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": part, "annotations": []} for part in said]
    return {"type": "message", "role": "assistant", "content": parts}


def response(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "object": "response",
        "model": "gpt-4.1-2025-04-14",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": list(output),
        **more,
    }


def incomplete(reason: str, *output: Any) -> dict[str, Any]:
    return response(*output, status="incomplete", incomplete_details={"reason": reason})


# Anthropic's Messages API

THINKING: Final = {"type": "thinking", "thinking": B_WINS, "signature": "s"}


def text_block(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def message(*blocks: dict[str, Any], stop: Any = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5-20261001",
        "content": list(blocks),
        "stop_reason": stop,
        **more,
    }


# Google's generateContent

THOUGHT: Final = {"text": B_WINS, "thought": True}


def candidate(*parts: Any, finish: Any = "STOP", **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"content": content, "finishReason": finish, "index": 0, **more}


def generated(*candidates: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": list(candidates), "modelVersion": "gemini-4-flash-001", **more}


def texts(*said: str, finish: Any = "STOP") -> dict[str, Any]:
    return generated(candidate(*({"text": text} for text in said), finish=finish))


def blocked(reason: str, **more: Any) -> dict[str, Any]:
    """What comes instead of a reply to a prompt that the vendor does not let through."""
    return {"promptFeedback": {"blockReason": reason, "safetyRatings": []}, **more}


def likely(*probabilities: dict[str, float]) -> dict[str, Any]:
    places = [
        {"candidates": [{"token": t, "logProbability": math.log(p)} for t, p in tops.items()]}
        for tops in probabilities
    ]
    return generated(candidate({"text": "x"}, logprobsResult={"topCandidates": places}))
