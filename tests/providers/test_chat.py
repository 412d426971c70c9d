"""Judges over chat completions: what each vendor is asked.

The ids of the cases name the rows of the wire facts: who is asked, and what for.
"""

from __future__ import annotations

from typing import Final

import pytest
from outcomes import CALL

from rmjudge.calls import Call, Json
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import PROBES, Target
from rmjudge.providers.chat import ChatCompletions, provider_of
from rmjudge.providers.vendors import VENDORS

ELSEWHERE: Final = "http://127.0.0.1:8000/v1"


def judge(
    vendor: str = "openai",
    model: str = "gpt-4.1",
    method: str = "pairwise",
    *,
    url: str | None = None,
    sampled: bool = False,
    **params: Json,
) -> ChatCompletions:
    target = Target(model, url or VENDORS[vendor].base_url or ELSEWHERE, params)
    return provider_of(vendor)(target, METHODS[method], sampled=sampled)


def body_of(provider: ChatCompletions, call: Call | None = None) -> dict[str, Json]:
    return provider.build([call or PROBES[provider.method]]).body


def test_a_comparison_is_sent_as_instructions_and_material() -> None:
    shown = METHODS["pairwise"].prompt(CALL)
    request = judge().build([CALL])
    assert (request.path, dict(request.headers)) == ("/chat/completions", {})
    assert request.body == {
        "model": "gpt-4.1",
        "messages": [
            {"role": "system", "content": shown.system},
            {"role": "user", "content": shown.user},
        ],
        "max_completion_tokens": 4096,
        "temperature": 0,
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_method_asks_with_its_own_words(method: str) -> None:
    provider = judge(method=method)
    shown = METHODS[method].prompt(PROBES[provider.method])
    assert body_of(provider)["messages"] == [
        {"role": "system", "content": shown.system},
        {"role": "user", "content": shown.user},
    ]


PROBABILITIES: Final[dict[str, Json]] = {"logprobs": True, "top_logprobs": 20}
ROUTED: Final[dict[str, Json]] = {"provider": {"require_parameters": True}}
ASKED: Final[dict[str, tuple[ChatCompletions, dict[str, Json]]]] = {
    "OpenAI, pairwise": (judge(), {"max_completion_tokens": 4096, "temperature": 0}),
    "OpenAI, pairwise-two-level": (
        judge(method="pairwise-two-level"),
        {"max_completion_tokens": 4096, "temperature": 0},
    ),
    "OpenAI, pairwise-logprob": (
        judge(method="pairwise-logprob"),
        {"max_completion_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
    "OpenAI, pointwise": (
        judge(method="pointwise"),
        {"max_completion_tokens": 4096, "temperature": 0},
    ),
    "OpenAI, pointwise-logprob": (
        judge(method="pointwise-logprob"),
        {"max_completion_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
    "OpenAI, several votes": (
        judge(sampled=True),
        {"max_completion_tokens": 4096, "temperature": 1},
    ),
    "OpenAI, a reasoning model": (judge(model="gpt-5.4"), {"max_completion_tokens": 16384}),
    "OpenAI, a reasoning model of the o series": (
        judge(model="o3-mini", method="pointwise", sampled=True),
        {"max_completion_tokens": 16384},
    ),
    "OpenAI, a fine-tuned reasoning model": (
        judge(model="ft/o4-mini"),
        {"max_completion_tokens": 16384},
    ),
    "OpenAI, probabilities of a reasoning model": (
        judge(model="gpt-5.4", method="pairwise-logprob"),
        {"max_completion_tokens": 16, "reasoning_effort": "none", **PROBABILITIES},
    ),
    "OpenAI's name at another address": (
        judge(model="gpt-5.4", url=ELSEWHERE),
        {"max_tokens": 4096, "temperature": 0},
    ),
    "OpenAI's name at another address, probabilities": (
        judge(method="pointwise-logprob", url=ELSEWHERE),
        {"max_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
    "OpenRouter": (judge("openrouter"), {"max_tokens": 16384, "temperature": 0, **ROUTED}),
    "OpenRouter, a reasoning model's name": (
        judge("openrouter", "openai/gpt-5.4"),
        {"max_tokens": 16384, "temperature": 0, **ROUTED},
    ),
    "Together, probabilities as a count": (
        judge("together", method="pairwise-logprob"),
        {"max_tokens": 16, "temperature": 0, "logprobs": 20},
    ),
    "Fireworks, five probabilities": (
        judge("fireworks", method="pairwise-logprob"),
        {"max_tokens": 16, "temperature": 0, "logprobs": True, "top_logprobs": 5},
    ),
    "xAI, eight probabilities": (
        judge("xai", method="pairwise-logprob"),
        {"max_tokens": 16, "temperature": 0, "logprobs": True, "top_logprobs": 8},
    ),
    "DeepSeek, which thinks": (judge("deepseek"), {"max_tokens": 16384, "temperature": 0}),
    "Azure": (judge("azure"), {"max_completion_tokens": 4096, "temperature": 0}),
    "Groq": (judge("groq"), {"max_tokens": 4096, "temperature": 0}),
    "Mistral": (judge("mistral"), {"max_tokens": 4096, "temperature": 0}),
    "Ollama": (judge("ollama"), {"max_tokens": 4096, "temperature": 0}),
    "vLLM": (
        judge("vllm-chat", method="pointwise-logprob"),
        {"max_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
}


@pytest.mark.parametrize(("provider", "fields"), ASKED.values(), ids=list(ASKED))
def test_a_request_says_this_and_no_more(
    provider: ChatCompletions, fields: dict[str, Json]
) -> None:
    body = body_of(provider)
    assert body.pop("model") == provider.target.model
    assert body.pop("messages")
    assert body == fields


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("o1", True),
        ("o3-mini", True),
        ("o4-mini", True),
        ("ft/o3", True),
        ("gpt-5", True),
        ("gpt-5.1-mini", True),
        ("gpt-5.4-mini", True),
        ("gpt-6-luna", True),
        ("openai/gpt-5.4", True),
        ("gpt-4.1", False),
        ("gpt-4o", False),
        ("gpt-4o-mini", False),
        ("chatgpt-4o-latest", False),
        ("foo1", False),
    ],
)
def test_which_of_openai_s_models_reason(model: str, reasons: bool) -> None:
    body = body_of(judge(model=model))
    assert ("temperature" not in body) is reasons
    assert body["max_completion_tokens"] == (16384 if reasons else 4096)


def test_the_users_parameters_win_and_null_takes_one_away() -> None:
    body = body_of(judge(temperature=None, max_completion_tokens=10, seed=0, store=False))
    assert "temperature" not in body
    assert (body["max_completion_tokens"], body["seed"], body["store"]) == (10, 0, False)


def test_a_vendor_s_own_field_can_be_taken_away() -> None:
    assert "provider" not in body_of(judge("openrouter", provider=None))


@pytest.mark.parametrize("vendor", [name for name in VENDORS if VENDORS[name].logprobs is None])
def test_a_vendor_without_token_probabilities_refuses_a_method_that_needs_them(vendor: str) -> None:
    with pytest.raises(UsageError, match=rf"^{vendor}/gpt-4.1: pairwise-logprob needs token"):
        judge(vendor, method="pairwise-logprob")
