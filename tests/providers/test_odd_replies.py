"""Replies of any shape, from every judge: an answer or no reply, but never a crash."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any, Final

import pytest
from judge_dialects import DIALECTS
from outcomes import CALL, SINGLE

from rmjudge.calls import Reward, Unscored, Usage, Verdict
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import MalformedBodyError, Provider, Target
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import provider_class

GOOD: Final[dict[str, Any]] = {
    "openai": {
        "model": "m",
        "system_fingerprint": "f",
        "choices": [
            {
                "message": {
                    "content": [{"type": "text", "text": "A"}],
                    "refusal": None,
                },
                "finish_reason": "stop",
                "logprobs": {
                    "content": [
                        {
                            "token": "A",
                            "logprob": -0.1,
                            "top_logprobs": [{"token": "B", "logprob": -3.0}],
                        },
                        {"token": "0", "logprob": -0.1, "top_logprobs": []},
                    ],
                },
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    },
    "together": {
        "choices": [
            {
                "message": {"content": "A"},
                "logprobs": {"top_logprobs": [{"A": -0.1, "B": -3.0}, {"0": -0.1}]},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "prompt_cache_hit_tokens": 1},
    },
    "openai-responses": {
        "status": "completed",
        "model": "m",
        "error": {"code": "x"},
        "incomplete_details": {"reason": None},
        "output": [
            {"type": "reasoning", "content": []},
            {
                "type": "message",
                "content": [
                    {
                        "type": "output_text",
                        "text": "A",
                        "logprobs": [
                            {
                                "token": "A",
                                "logprob": -0.1,
                                "top_logprobs": [{"token": "B", "logprob": -3.0}],
                            }
                        ],
                    },
                    {"type": "refusal", "refusal": ""},
                ],
            },
        ],
        "usage": {
            "input_tokens": 1,
            "output_tokens": 1,
            "input_tokens_details": {"cached_tokens": 1},
        },
    },
    "anthropic": {
        "type": "message",
        "model": "m",
        "content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "[[A]]"}],
        "stop_reason": "end_turn",
        "stop_details": {"category": None},
        "usage": {
            "input_tokens": 1,
            "output_tokens": 1,
            "cache_read_input_tokens": 1,
            "cache_creation_input_tokens": 1,
        },
    },
    "gemini": {
        "candidates": [
            {
                "content": {"parts": [{"text": "t", "thought": True}, {"text": "A"}]},
                "finishReason": "STOP",
                "logprobsResult": {
                    "topCandidates": [
                        {
                            "candidates": [
                                {"token": "A", "logProbability": -0.1},
                                {"token": "B", "logProbability": -3.0},
                            ]
                        }
                    ]
                },
            }
        ],
        "promptFeedback": {"blockReason": None},
        "usageMetadata": {
            "promptTokenCount": 1,
            "candidatesTokenCount": 1,
            "thoughtsTokenCount": 1,
            "cachedContentTokenCount": 1,
        },
        "modelVersion": "m",
    },
    "openai-decisions": {
        "model": "m",
        "answers": [
            {
                "type": "choice",
                "name": "better",
                "choice": "A",
                "probabilities": [
                    {"value": "A", "probability": 0.4},
                    {"value": "B", "probability": 0.6},
                ],
            }
        ],
        "usage": {"input_tokens": 1, "output_tokens": 0},
    },
    "systemone": {
        "model": "m",
        "answers": {
            "better": {"type": "choice", "choice": "A", "probabilities": {"A": 0.4, "B": 0.6}}
        },
        "usage": {"input_tokens": 1, "output_tokens": 0},
    },
}
ODD: Final[tuple[Any, ...]] = (
    *(None, 0, -1, 1, 2.5, True, "x", "", [], {}, [None], [[]], {"x": 1}),
    *(math.nan, math.inf, -math.inf, 10**400, -(10**400)),
)


def places(body: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    steps = (
        body.items()
        if isinstance(body, dict)
        else enumerate(body)
        if isinstance(body, list)
        else ()
    )
    for step, part in steps:
        yield from places(part, (*path, step))


def replaced(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def provider_for(name: str, method: str) -> Provider:
    kind = provider_class(name)
    target = Target("m", "http://h")
    if not issubclass(kind, JudgeProvider):
        return kind(target)
    return kind(target, METHODS[method])


@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method)
        for name in GOOD
        for method in ("pairwise-two-level", "pairwise-logprob", "pointwise-logprob")
        if not method.endswith("logprob") or getattr(provider_class(name), "has_logprobs", False)
    ],
)
def test_a_reply_of_any_shape_is_an_answer_or_no_reply_but_never_a_crash(
    name: str, method: str
) -> None:
    provider = provider_for(name, method)
    call = CALL if provider.method == "pairwise" else SINGLE
    tried = 0
    for path in places(GOOD[name]):
        for value in ODD:
            try:
                answer, usage, model = provider.read(replaced(GOOD[name], path, value), call)
            except MalformedBodyError:
                pass
            else:
                assert isinstance(answer, Reward | Verdict | Unscored)
                assert isinstance(usage, Usage)
                assert model is None or isinstance(model, str)
            tried += 1
    assert tried > 200


def test_there_is_a_reply_of_every_dialect_to_change() -> None:
    assert set(DIALECTS) <= set(GOOD)
