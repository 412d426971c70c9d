"""Requests are checked against the vendors' official SDKs: their own request types, nothing extra.

A field that an SDK does not know, at any depth, is an error here, as is a value of another type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from rmjudge.calls import Call, CompareCall, GenerateCall, Json
from rmjudge.judging.methods import METHODS, JudgingMethod
from rmjudge.providers.anthropic import SAMPLING_VERSION, Anthropic
from rmjudge.providers.base import PROBES, Target
from rmjudge.providers.chat import provider_of
from rmjudge.providers.decisions import OpenAIDecisions
from rmjudge.providers.gemini import Gemini
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.responses import OpenAIResponses

Check = Callable[[Mapping[str, Json]], None]

PROMPTS: Final = {"short": "What is 2 + 2?", "cached": "What is 2 + 2? " * 4000}
every_prompt = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
textual_method = pytest.mark.parametrize(
    "method",
    [method for method in METHODS.values() if not method.needs_logprobs],
    ids=lambda method: method.name,
)
sampled = pytest.mark.parametrize("sampled", [False, True], ids=["greedy", "sampled"])


def sdk(module: str) -> Any:
    """A module of an official SDK, which only development needs."""
    package = "google-genai" if module.startswith("google.") else module.partition(".")[0]
    return pytest.importorskip(
        module, reason=f"{package} is not installed: pip install -e '.[test]'", exc_type=ImportError
    )


def checker(params: Any) -> Check:
    """Validate a body as a TypedDict of an SDK, strictly and to its last part."""
    pydantic = sdk("pydantic")
    # In a list, since a configuration reaches nested TypedDicts but not the outermost.
    adapter = pydantic.TypeAdapter(list[params], config=pydantic.ConfigDict(extra="forbid"))

    def check(body: Mapping[str, Json]) -> None:
        exhaust(adapter.validate_python([body], strict=True))

    return check


def exhaust(found: object) -> None:
    """Pydantic checks the items of an `Iterable` only when they are asked for.

    Where a request may repeat a part of a reply, the SDKs' reply types stand in for it: models
    that take any field. What was read as one is no request that the SDK describes.
    """
    if hasattr(found, "model_dump"):
        raise ValueError(f"only a type of replies takes {found!r}")
    if isinstance(found, Mapping):
        found = found.values()
    if isinstance(found, Iterable) and not isinstance(found, (str, bytes)):
        for part in found:
            exhaust(part)


@pytest.fixture(scope="module")
def openai_chat() -> Check:
    module = sdk("openai.types.chat.completion_create_params")
    return checker(module.CompletionCreateParamsNonStreaming)


@pytest.fixture(scope="module")
def openai_responses() -> Check:
    module = sdk("openai.types.responses.response_create_params")
    return checker(module.ResponseCreateParamsNonStreaming)


@pytest.fixture(scope="module")
def openai_decisions() -> Check:
    return checker(sdk("openai.types.decision_create_params").DecisionCreateParams)


@pytest.fixture(scope="module")
def anthropic_messages() -> Check:
    module = sdk("anthropic.types.message_create_params")
    return checker(module.MessageCreateParamsNonStreaming)


@pytest.fixture(scope="module")
def gemini_content() -> Check:
    """The SDK has no type for the body as a whole, but one for each of its parts."""
    types = sdk("google.genai.types")
    parts = {
        "contents": lambda value: [types.Content.model_validate(item) for item in value],
        "systemInstruction": types.Content.model_validate,
        "generationConfig": types.GenerationConfig.model_validate,
    }

    def check(body: Mapping[str, Json]) -> None:
        for name, value in body.items():
            parts[name](value)
            assert no_snake_case(value), "the wire has camelCase; the SDK takes both"

    return check


def no_snake_case(value: Json) -> bool:
    if isinstance(value, dict):
        return not any("_" in name for name in value) and all(map(no_snake_case, value.values()))
    return not isinstance(value, list) or all(map(no_snake_case, value))


def call_for(method: JudgingMethod, prompt: str) -> Call:
    """A call of the kind that `method` asks about."""
    probe = PROBES[method.scores]
    assert not isinstance(probe, GenerateCall)
    return replace(probe, prompt=prompt)


def body_of(judge: JudgeProvider, prompt: str) -> Mapping[str, Json]:
    return judge.build([call_for(judge.judging, prompt)]).body


def keys_of(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from keys_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys_of(part)


def at_home(kind: type[JudgeProvider], model: str, **params: Json) -> Target:
    """A target at the vendor's own address, where its special fields are sent."""
    assert kind.default_url
    return Target(model, kind.default_url, params)


@sampled
@every_prompt
@every_method
@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5.2", "gpt-6-luna", "o4-mini"])
def test_chat_completions(
    openai_chat: Check, model: str, method: JudgingMethod, prompt: str, sampled: bool
) -> None:
    kind = provider_of("openai")
    openai_chat(body_of(kind(at_home(kind, model), method, sampled=sampled), prompt))


@every_prompt
@every_method
@pytest.mark.parametrize("vendor", ["azure", "vllm-chat", "openai"])
def test_chat_completions_at_another_address(
    openai_chat: Check, vendor: str, method: JudgingMethod, prompt: str
) -> None:
    target = Target("some-model", "http://127.0.0.1:8000/v1")
    openai_chat(body_of(provider_of(vendor)(target, method), prompt))


@sampled
@every_prompt
@every_method
@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5.2", "gpt-6-luna", "o4-mini"])
def test_responses(
    openai_responses: Check, model: str, method: JudgingMethod, prompt: str, sampled: bool
) -> None:
    target = at_home(OpenAIResponses, model)
    openai_responses(body_of(OpenAIResponses(target, method, sampled=sampled), prompt))


@every_prompt
def test_decisions(openai_decisions: Check, prompt: str) -> None:
    provider = OpenAIDecisions(Target("gpt-6-luna", "https://api.openai.com/v1"))
    openai_decisions(provider.build([CompareCall(prompt, "It is 4.", "It is 5.")]).body)


@sampled
@every_prompt
@textual_method
def test_anthropic_messages(
    anthropic_messages: Check, method: JudgingMethod, prompt: str, sampled: bool
) -> None:
    target = at_home(Anthropic, "claude-sonnet-5-5")
    anthropic_messages(body_of(Anthropic(target, method, sampled=sampled), prompt))


@textual_method
def test_anthropic_messages_of_the_version_that_takes_a_temperature(
    anthropic_messages: Check, method: JudgingMethod
) -> None:
    """The SDK has dropped the sampling parameters, so that the rest is what it can check."""
    target = at_home(Anthropic, "claude-sonnet-4-6", anthropic_version=SAMPLING_VERSION)
    body = dict(body_of(Anthropic(target, method), PROMPTS["short"]))
    assert body.pop("temperature") == 0
    anthropic_messages(body)


@sampled
@every_prompt
@every_method
def test_gemini_content(
    gemini_content: Check, method: JudgingMethod, prompt: str, sampled: bool
) -> None:
    target = at_home(Gemini, "gemini-3-pro")
    gemini_content(body_of(Gemini(target, method, sampled=sampled), prompt))


@pytest.mark.parametrize(
    ("kind", "model", "field"),
    [
        (provider_of("openai"), "gpt-6-luna", "prompt_cache_breakpoint"),
        (provider_of("openai"), "gpt-6-luna", "prompt_cache_options"),
        (provider_of("openai"), "gpt-4.1", "prompt_cache_key"),
        (Anthropic, "claude-sonnet-5-5", "cache_control"),
    ],
)
def test_the_long_prompt_of_these_tests_is_one_that_is_cached(
    kind: type[JudgeProvider], model: str, field: str
) -> None:
    judge = kind(at_home(kind, model))
    assert field in keys_of(dict(body_of(judge, PROMPTS["cached"])))
    assert field not in keys_of(dict(body_of(judge, PROMPTS["short"])))


@pytest.mark.parametrize(
    ("check", "path"),
    [
        ("openai_chat", ()),
        ("openai_chat", ("messages", 1)),
        ("openai_chat", ("messages", 1, "content", 0)),
        ("openai_responses", ()),
        ("anthropic_messages", ()),
        ("anthropic_messages", ("messages", 0, "content", 0)),
        ("gemini_content", ("contents", 0, "parts", 0)),
        ("gemini_content", ("generationConfig",)),
    ],
)
def test_a_field_that_the_sdk_does_not_know_is_found_at_any_depth(
    request: pytest.FixtureRequest, check: str, path: tuple[str | int, ...]
) -> None:
    judges: dict[str, JudgeProvider] = {
        "openai_chat": provider_of("openai")(at_home(provider_of("openai"), "gpt-6-luna")),
        "openai_responses": OpenAIResponses(at_home(OpenAIResponses, "gpt-4.1")),
        "anthropic_messages": Anthropic(at_home(Anthropic, "claude-sonnet-5-5")),
        "gemini_content": Gemini(at_home(Gemini, "gemini-3-pro")),
    }
    validate: Check = request.getfixturevalue(check)
    body: Any = body_of(judges[check], PROMPTS["cached"])
    validate(body)
    place = body
    for step in path:
        place = place[step]
    place["frobnicate"] = 1
    with pytest.raises(ValueError, match="frobnicate"):
        validate(body)
