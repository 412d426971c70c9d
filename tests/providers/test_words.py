"""A stored reply as people read it, in every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.calls import Json
from rmjudge.providers.words import words_of

SAID = "B is wrong.\n\\boxed{A>B}"


def identity(provider: str, method: str = "pairwise") -> dict[str, Json]:
    return {"provider": provider, "model": "m", "method": method}


def judge(provider: str, body: Any) -> str:
    return words_of(identity(provider), json.dumps(body))


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("openai", {"choices": [{"message": {"content": SAID}, "finish_reason": "stop"}]}),
        ("deepseek", {"choices": [{"message": {"content": SAID}, "finish_reason": "length"}]}),
        ("anthropic", {"type": "message", "content": [{"type": "text", "text": SAID}]}),
        ("gemini", {"candidates": [{"content": {"parts": [{"text": SAID}]}}]}),
        (
            "openai-responses",
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": SAID}]}]},
        ),
        ("a-model-that-runs-here", {"text": SAID, "finish": "stop"}),
    ],
)
def test_the_visible_answer_is_what_a_judge_said(provider: str, body: Any) -> None:
    assert judge(provider, body) == SAID


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        (
            "deepseek",
            {"choices": [{"message": {"content": SAID, "reasoning_content": "Hm, A."}}]},
        ),
        ("openrouter", {"choices": [{"message": {"content": SAID, "reasoning": "Hm, A."}}]}),
        (
            "anthropic",
            {
                "type": "message",
                "content": [
                    {"type": "thinking", "thinking": "Hm, A."},
                    {"type": "text", "text": SAID},
                ],
            },
        ),
        (
            "gemini",
            {
                "candidates": [
                    {"content": {"parts": [{"text": "Hm, A.", "thought": True}, {"text": SAID}]}}
                ]
            },
        ),
        (
            "openai-responses",
            {
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm, A."}]},
                    {"type": "message", "content": [{"type": "output_text", "text": SAID}]},
                ]
            },
        ),
    ],
)
def test_reasoning_that_came_apart_stands_before_the_answer(provider: str, body: Any) -> None:
    assert judge(provider, body) == f"<think>\nHm, A.\n</think>\n\n{SAID}"


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"message": {"content": None, "refusal": ""}}]},
        {"choices": []},
        {"error": "odd"},
        ["no", "object"],
    ],
)
def test_a_judges_reply_without_text_is_shown_as_it_is(body: Any) -> None:
    assert judge("openai", body) == json.dumps(body)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("openai", {"choices": [{"message": {"content": None, "refusal": "I will not."}}]}),
        (
            "openai-responses",
            {
                "output": [
                    {
                        "type": "message",
                        "content": [{"type": "refusal", "refusal": "I will not."}],
                    }
                ]
            },
        ),
    ],
)
def test_a_refusal_is_shown_by_what_it_says(provider: str, body: Any) -> None:
    assert judge(provider, body) == "I will not."


def test_a_decision_is_shown_as_it_is() -> None:
    body = {"answers": [{"probabilities": [{"value": "A", "probability": 0.7}]}]}
    assert judge("openai-decisions", body) == json.dumps(body)


def test_the_number_of_a_reward_model_is_no_words() -> None:
    raw = json.dumps({"data": [{"probs": [1.5]}]})
    assert words_of(identity("vllm", "pointwise"), raw) == ""
    assert words_of(identity("baseline", "pointwise"), "{}") == ""


def test_a_judge_that_rates_is_heard() -> None:
    raw = json.dumps({"choices": [{"message": {"content": "\\boxed{7}"}}]})
    assert (
        words_of({**identity("openai", "pointwise"), "judging": "pointwise"}, raw) == "\\boxed{7}"
    )


@pytest.mark.parametrize("raw", ["plain words", "{cut", "[" * 100_000])
def test_a_reply_that_is_no_json_is_shown_as_it_is(raw: str) -> None:
    assert words_of(identity("openai"), raw) == raw


def test_nothing_kept_is_nothing_said() -> None:
    assert words_of(identity("python"), "") == ""
