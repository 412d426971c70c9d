"""What the calls of a tuple share, and how vendors are told to keep it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from judge_dialects import CHAT, DIALECTS

from rmjudge.calls import CompareCall, RewardCall
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.judging.methods import METHODS
from rmjudge.planning.plan import plan_tuple
from rmjudge.providers.base import Target
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import provider_class

LONG: Final = "Explain this at length. " * 200


# The vendor's prompt cache


def asked_about(
    prompt: str, model: str = "gpt-4.1", url: str | None = None, method: str = "pairwise"
) -> dict[str, Any]:
    provider = CHAT.judge(method, model=model, url=url)
    call = CompareCall(prompt, "a", "b") if method == "pairwise" else RewardCall(prompt, "a")
    return provider.build([call]).body


def test_a_short_prompt_asks_for_no_cache() -> None:
    assert not [name for name in asked_about("short", "gpt-5.6") if "cache" in name]


@pytest.mark.parametrize("method", ["pairwise", "pointwise"])
def test_the_calls_of_a_long_prompt_share_a_cache_key(method: str) -> None:
    one, same, other = (asked_about(text, method=method) for text in (LONG, LONG, LONG + "!"))
    assert len(one["prompt_cache_key"]) == 32
    assert one["prompt_cache_key"] == same["prompt_cache_key"] != other["prompt_cache_key"]


def test_another_way_of_asking_has_another_cache_key() -> None:
    keys = {
        asked_about(LONG, method=method)["prompt_cache_key"] for method in ("pairwise", "pointwise")
    }
    assert len(keys) == 2


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5", "gpt-5.5", "gpt-5.5-mini"])
def test_models_up_to_5_5_cache_by_themselves(model: str) -> None:
    body = asked_about(LONG, model)
    assert isinstance(body["messages"][1]["content"], str)
    assert "prompt_cache_options" not in body


@pytest.mark.parametrize("model", ["gpt-5.6", "gpt-5.6-mini", "gpt-5.9", "gpt-6-luna", "gpt-7"])
def test_models_from_5_6_on_are_told_where_the_shared_part_ends(model: str) -> None:
    body = asked_about(LONG, model)
    shown = METHODS["pairwise"].prompt(CompareCall(LONG, "a", "b"))
    assert body["prompt_cache_options"] == {"mode": "explicit"}
    assert body["messages"][1]["content"] == [
        {
            "type": "text",
            "text": f"{shown.prompt}\n\n",
            "prompt_cache_breakpoint": {"mode": "explicit"},
        },
        {"type": "text", "text": shown.responses},
    ]


def test_the_parts_of_a_divided_prompt_are_the_whole_prompt() -> None:
    divided = asked_about(LONG, "gpt-5.6")["messages"][1]["content"]
    whole = asked_about(LONG, "gpt-5.5")["messages"][1]["content"]
    assert "".join(part["text"] for part in divided) == whole


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5.6"])
def test_another_server_is_not_told_of_openai_s_cache(model: str) -> None:
    body = asked_about(LONG, model, "http://127.0.0.1:8000/v1")
    assert isinstance(body["messages"][1]["content"], str)
    assert not [name for name in body if "cache" in name]


def test_a_prompt_leads_from_the_length_on_that_fills_the_cache_with_the_frame() -> None:
    least = CHAT.judge().lead_characters
    assert least == 4 * 1024 - len(METHODS["pairwise"].template)
    assert "prompt_cache_key" in asked_about("x" * least)


def test_a_vendor_whose_cache_is_not_known_has_no_leads() -> None:
    assert replace(CHAT, provider="together").judge().lead_characters is None


# Prefixes, in every dialect


def first_difference(bodies: list[str]) -> int:
    columns = enumerate(zip(*bodies, strict=False))
    return next(place for place, letters in columns if len(set(letters)) > 1)


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
@pytest.mark.parametrize(
    ("name", "model", "method"),
    [
        *(
            (name, "m", method)
            for name in DIALECTS
            for method in ("pairwise", "pairwise-two-level")
        ),
        ("openai", "gpt-5.6", "pairwise"),
        ("openai", "gpt-5.6", "pointwise"),
        ("anthropic", "m", "pointwise"),
        ("together", "m", "pairwise-logprob"),
        ("gemini", "m", "pairwise-logprob"),
        ("openai-decisions", "m", None),
        ("systemone", "m", None),
    ],
)
def test_the_calls_of_a_tuple_share_every_byte_up_to_the_responses(
    name: str, model: str, method: str | None, long: bool
) -> None:
    prompt = 'A "quoted" prompt\n==== with {braces}. ' * (300 if long else 1)
    item = BenchTuple(1, "chat", None, prompt, ("a.", "b.", "c."), ("d.", "e.", "f."))
    kind = provider_class(name)
    target = Target(model, kind.default_url or "http://h")
    provider = (
        kind(target, METHODS[method])
        if method is not None and issubclass(kind, JudgeProvider)
        else kind(target)
    )
    calls = plan_tuple(item, provider.method, "both").calls
    bodies = [json.dumps(provider.build([call]).body, separators=(",", ":")) for call in calls]
    assert len(set(bodies)) == len(calls) == (18 if provider.method == "pairwise" else 6)
    shared = bodies[0][: first_difference(bodies)]
    assert json.dumps(prompt)[1:-1] in shared
    firsts = {body[len(shared) : len(shared) + 2] for body in bodies}
    assert firsts == {"a.", "b.", "c.", "d.", "e.", "f."}
