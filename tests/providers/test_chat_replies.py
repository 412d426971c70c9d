"""Judges over chat completions: how the replies of each vendor read.

The ids of the cases name the rows of the wire facts: who sends it, and what.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pytest
from judge_dialects import CHAT
from judge_replies import A_WINS, B_WINS, completion, entry

from rmjudge.calls import Answer, Json, Unscored, Usage, Verdict
from rmjudge.providers.base import MalformedBodyError

read = CHAT.read


THINKING: Final = {"type": "thinking", "thinking": [{"type": "text", "text": B_WINS}]}
SCORED: Final[dict[str, tuple[Any, Any]]] = {
    "Together: finish_reason eos": ({"content": A_WINS}, "eos"),
    "xAI: finish_reason is empty": ({"content": A_WINS}, ""),
    "finish_reason is null": ({"content": A_WINS}, None),
    "OpenAI: refusal is null": ({"content": A_WINS, "refusal": None}, "stop"),
    "Mistral: content is a list with thinking": (
        {"content": [THINKING, {"type": "text", "text": A_WINS}]},
        "stop",
    ),
    "a list with a chunk of another type": (
        {"content": [{"type": "text", "text": A_WINS}, {"type": "reasoning", "text": B_WINS}]},
        "stop",
    ),
    "SGLang, DeepSeek: reasoning_content": (
        {"reasoning_content": B_WINS, "content": A_WINS},
        "stop",
    ),
    "vLLM, Ollama, Together: reasoning": ({"reasoning": B_WINS, "content": A_WINS}, "stop"),
    "OpenRouter: reasoning_details": (
        {"reasoning_details": [{"type": "reasoning.text", "text": B_WINS}], "content": A_WINS},
        "stop",
    ),
    "Groq: raw reasoning in the content": (
        {"content": f"<think>{B_WINS}</think>{A_WINS}"},
        "stop",
    ),
}


@pytest.mark.parametrize(("message", "reason"), SCORED.values(), ids=list(SCORED))
def test_a_verdict_is_read_in_the_visible_answer_alone(message: Any, reason: Any) -> None:
    assert read(completion(message, reason))[0] == Verdict(1.0)


UNSCORED: Final[dict[str, tuple[Any, Any, str]]] = {
    "a refusal beside a verdict": (
        {"content": A_WINS, "refusal": "I will not."},
        "stop",
        "refusal",
    ),
    "OpenAI, Azure: content_filter": ({"content": A_WINS}, "content_filter", "content-filter"),
    "Mistral: model_length": ({"content": A_WINS}, "model_length", "truncated"),
    "OpenAI: reasoning used the budget up": ({"content": ""}, "length", "truncated"),
    "SGLang, DeepSeek: reasoning_content alone": (
        {"content": None, "reasoning_content": A_WINS},
        "stop",
        "empty",
    ),
    "content is an empty text": ({"content": ""}, "stop", "empty"),
    "content is an empty list": ({"content": []}, "stop", "empty"),
    "content is blank": ({"content": " \n "}, "stop", "empty"),
    "content is a list of thinking alone": ({"content": [THINKING]}, "stop", "empty"),
    "content is missing": ({}, "stop", "empty"),
    "message is null": (None, "stop", "empty"),
    "a verdict in reasoning alone": (
        {"content": f"<think>{A_WINS}</think>I cannot tell."},
        "stop",
        "unparsed",
    ),
}


@pytest.mark.parametrize(("message", "reason", "status"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(message: Any, reason: Any, status: str) -> None:
    answer = read(completion(message, reason))[0]
    assert isinstance(answer, Unscored)
    assert answer.status == status


def test_a_refusal_is_told_in_one_short_line() -> None:
    answer = read(completion({"content": None, "refusal": "I cannot\ndo that. " + "x" * 500}))[0]
    assert isinstance(answer, Unscored)
    assert answer.detail.startswith("I cannot do that. ")
    assert len(answer.detail) <= 160


def test_a_reply_without_choices_is_empty_and_names_no_model() -> None:
    answer, _, model = read({"choices": [], "system_fingerprint": "fp_1"})
    assert isinstance(answer, Unscored)
    assert (answer.status, model) == ("empty", None)


@pytest.mark.parametrize("choice", [None, 1, "text", [], {}, {"message": 5}, {"message": []}])
def test_a_choice_of_any_shape_is_read_without_a_crash(choice: Json) -> None:
    answer = read({"choices": [choice]})[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "empty"


@pytest.mark.parametrize(
    "reason",
    ["error", "abort", "insufficient_system_resource"],
    ids=["OpenRouter, Mistral: error", "SGLang: abort", "DeepSeek: insufficient_system_resource"],
)
def test_an_answer_that_the_server_broke_off_is_no_reply(reason: str) -> None:
    with pytest.raises(MalformedBodyError, match="half way"):
        read(completion({"content": A_WINS}, reason))


@pytest.mark.parametrize("part", [{"choices": None}, {"choices": {}}], ids=repr)
def test_what_is_no_completion_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="choices"):
        read(part)


USAGES: Final[dict[str, tuple[str, Any, Usage]]] = {
    "DeepSeek: hit and miss tokens": (
        "deepseek",
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
        },
        Usage(100, 20, 64),
    ),
    "xAI: reasoning tokens stand apart": (
        "xai",
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 300},
        },
        Usage(100, 320, 64),
    ),
    "xAI: no reasoning": (
        "xai",
        {"prompt_tokens": 100, "completion_tokens": 20},
        Usage(100, 20, None),
    ),
    "xAI: only reasoning is told": (
        "xai",
        {"completion_tokens_details": {"reasoning_tokens": 300}},
        Usage(),
    ),
    "SGLang: reasoning tokens at the top are among the completion's": (
        "sglang-chat",
        {"prompt_tokens": 100, "completion_tokens": 20, "reasoning_tokens": 15},
        Usage(100, 20, None),
    ),
    "Ollama: three counters": (
        "ollama",
        {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        Usage(100, 20, None),
    ),
    "vLLM: details are null": (
        "vllm-chat",
        {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": None},
        Usage(100, 20, None),
    ),
    "usage is a list": ("openai", [], Usage()),
    "usage is an empty object": ("openai", {}, Usage()),
    "usage is a text": ("openai", "many", Usage()),
    "counts that are none": (
        "openai",
        {"prompt_tokens": "5", "completion_tokens": -1, "prompt_tokens_details": True},
        Usage(),
    ),
    "a count that is true": ("openai", {"prompt_tokens": True}, Usage()),
}


@pytest.mark.parametrize(("vendor", "usage", "expected"), USAGES.values(), ids=list(USAGES))
def test_usage_is_counted_as_the_vendor_counts(vendor: str, usage: Any, expected: Usage) -> None:
    part = completion({"content": A_WINS}, usage=usage)
    assert replace(CHAT, provider=vendor).read(part)[1] == expected


def test_the_model_that_answered_is_named_with_its_fingerprint() -> None:
    part = completion({"content": A_WINS}, system_fingerprint="fp_1")
    assert read(part)[2] == "gpt-4.1-2025-04-14 (fp_1)"
    assert read({**part, "system_fingerprint": None})[2] == "gpt-4.1-2025-04-14"
    assert read({**part, "model": None})[2] is None


# Token probabilities


def probable(logprobs: Any) -> Answer:
    choice = {"message": {"content": "A"}, "finish_reason": "stop", "logprobs": logprobs}
    return read({"choices": [choice]}, "pairwise-logprob")[0]


SHARES: Final = {"A": math.log(0.6), "B": math.log(0.2)}
TOLD: Final[dict[str, Any]] = {
    "vLLM: masked tokens are -9999": {"content": [entry({**SHARES, "C": -9999.0})]},
    "the token itself is not among the alternatives": {
        "content": [
            {
                "token": "A",
                "logprob": SHARES["A"],
                "top_logprobs": [{"token": "B", "logprob": SHARES["B"]}],
            }
        ]
    },
    "a blank comes first": {"content": [entry({"\n": -0.01}, "\n"), entry(SHARES)]},
    "Together: the older form": {
        "tokens": ["A"],
        "token_logprobs": [SHARES["A"]],
        "top_logprobs": [SHARES],
    },
    "NaN and numbers above 0 are no probabilities": {
        "content": [entry({**SHARES, " A": math.nan, "A ": 0.5, " B": True, "B ": "x"})]
    },
    "an integer beyond every float is none": {"content": [entry({**SHARES, " A": -(10**400)})]},
}


@pytest.mark.parametrize("logprobs", TOLD.values(), ids=list(TOLD))
def test_the_probabilities_of_the_first_token_are_a_credit(logprobs: Any) -> None:
    answer = probable(logprobs)
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(0.75, abs=1e-12)


@pytest.mark.parametrize(
    "logprobs",
    [None, {}, {"content": None}, {"content": []}, {"top_logprobs": None}, {"top_logprobs": [1]}],
    ids=[
        "transformers serve: null",
        "nothing",
        "content is null",
        "content is empty",
        "Together: null",
        "Together: no object",
    ],
)
def test_a_server_that_ignored_the_wish_for_probabilities_gives_no_verdict(logprobs: Any) -> None:
    answer = probable(logprobs)
    assert isinstance(answer, Unscored)
    assert answer.detail == "no token probabilities in the reply"
