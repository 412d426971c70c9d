"""What all hosted judges have in common: addresses, keys, shared prefixes, odd replies."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from rmjudge import UsageError
from rmjudge.calls import (
    Answer,
    Call,
    CompareCall,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.judging.methods import METHODS
from rmjudge.plan import plan_tuple
from rmjudge.providers.base import MalformedBodyError, Provider, Target
from rmjudge.providers.chat import provider_of
from rmjudge.providers.decisions import DecisionProvider
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.listing import listings
from rmjudge.providers.registry import (
    HOSTED,
    ScorerSettings,
    create,
    parse_spec,
    provider_class,
)
from rmjudge.providers.vendors import VENDORS

if TYPE_CHECKING:
    from conftest import ModelServer

KEY: Final = "sk-not-a-real-key"
PAIR: Final = CompareCall("Which is right?", "The first.", "The second.")
SINGLE: Final = RewardCall("Which is right?", "The only one.")
DIALECTS: Final = ("openai", "openai-responses", "anthropic", "gemini")
"""One provider of each way to speak to a generative judge."""
BEHIND: Final = {
    "anthropic": "",
    "gemini": "",
    "vllm": "",
}
"""What an address ends in, where that is not /v1."""


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for item in listings():
        for variable in (*item.key_variables, item.url_variable):
            if variable:
                monkeypatch.delenv(variable, raising=False)


def spec(name: str, root: str) -> str:
    return f"{name}/m@{root}{BEHIND.get(name, '/v1')}"


def hosted(name: str, root: str, method: str | None = None) -> HostedScorer:
    scorer = create(parse_spec(spec(name, root)), ScorerSettings(judging=method))
    assert isinstance(scorer, HostedScorer)
    return scorer


def call_for(method: str) -> Call:
    return PAIR if method == "pairwise" else SINGLE


# The table of vendors, against the vendors' documentation as of November 2026

ADDRESSES: Final = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "together": ("https://api.together.ai/v1", "TOGETHER_API_KEY"),
    "fireworks": ("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
    "azure": (None, "AZURE_OPENAI_API_KEY"),
    "dashscope": (
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
    ),
    "siliconflow": ("https://api.siliconflow.com/v1", "SILICONFLOW_API_KEY"),
    "ollama": ("http://localhost:11434/v1", "OLLAMA_API_KEY"),
    "lmstudio": ("http://localhost:1234/v1", "LMSTUDIO_API_KEY"),
    "llamacpp": ("http://localhost:8080/v1", "LLAMACPP_API_KEY"),
    "vllm-chat": ("http://localhost:8000/v1", "VLLM_CHAT_API_KEY"),
    "sglang-chat": ("http://localhost:30000/v1", "SGLANG_CHAT_API_KEY"),
    "openai-responses": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": ("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com", "GOOGLE_API_KEY"),
    "openai-decisions": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "systemone": ("https://api.typesafe.ai/v1", "TYPESAFE_API_KEY"),
}
JUDGES: Final = tuple(ADDRESSES)


def test_every_vendor_and_judge_is_in_this_table() -> None:
    judges = (JudgeProvider, DecisionProvider)
    hosted = [name for name in HOSTED if issubclass(provider_class(name), judges)]
    assert {*VENDORS, *hosted} == set(ADDRESSES)


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_vendor_is_asked_at_its_own_address_with_its_own_key(name: str) -> None:
    kind = provider_class(name)
    assert (kind.default_url, kind.key_variables[0]) == ADDRESSES[name]
    assert kind.name == name


@pytest.mark.parametrize("name", [name for name in ADDRESSES if ADDRESSES[name][0] is not None])
def test_a_key_is_asked_for_where_the_vendor_wants_one(name: str) -> None:
    address, variable = ADDRESSES[name]
    assert address is not None
    if address.startswith("http://localhost"):
        assert create(parse_spec(f"{name}/m")).identity["url"] == address
    else:
        with pytest.raises(UsageError, match=f"no API key; set .* {variable}"):
            create(parse_spec(f"{name}/m"))


@pytest.mark.parametrize("name", JUDGES)
def test_the_address_can_come_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = provider_class(name).url_variable
    assert variable is not None
    monkeypatch.setenv(variable, "http://127.0.0.1:1/other/")
    assert create(parse_spec(f"{name}/m")).identity["url"] == "http://127.0.0.1:1/other"


def test_azure_has_no_address_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(UsageError, match="AZURE_OPENAI_BASE_URL"):
        create(parse_spec("azure/m"))


# Keys

HEADERS: Final = {
    "openai": ("OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
    "openrouter": ("OPENROUTER_API_KEY", "authorization", f"Bearer {KEY}"),
    "azure": ("AZURE_OPENAI_API_KEY", "api-key", KEY),
    "openai-responses": ("OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
    "anthropic": ("ANTHROPIC_API_KEY", "x-api-key", KEY),
    "gemini": ("GOOGLE_API_KEY", "x-goog-api-key", KEY),
    "openai-decisions": ("OPENAI_API_KEY", "authorization", f"Bearer {KEY}"),
    "systemone": ("TYPESAFE_API_KEY", "authorization", f"Bearer {KEY}"),
    "vllm": ("VLLM_API_KEY", "authorization", f"Bearer {KEY}"),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_a_key_goes_into_the_vendor_s_header_and_nowhere_else(
    name: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, header, value = HEADERS[name]
    monkeypatch.setenv(variable, KEY)
    scorer = hosted(name, server.root)
    (outcome,) = await scorer.answer([call_for(scorer.method)])
    await scorer.aclose()
    assert isinstance(outcome, Reply)
    stats = server.stats
    (sent,) = stats["headers"]
    assert {name for name in sent if KEY in sent[name]} == {header}
    assert sent[header] == value
    assert KEY not in json.dumps([stats["paths"], stats["bodies"]])


async def test_without_a_key_no_header_of_a_key_is_sent(server: ModelServer) -> None:
    for name in ("openai", "azure", "anthropic", "gemini"):
        scorer = hosted(name, server.root)
        await scorer.answer([PAIR])
        await scorer.aclose()
    sent = [set(headers) for headers in server.stats["headers"]]
    assert len(sent) == 4
    for names in sent:
        assert not names & {"authorization", "api-key", "x-api-key", "x-goog-api-key"}


@pytest.mark.parametrize(
    ("keys", "used"),
    [
        ({"GOOGLE_API_KEY": "google", "GEMINI_API_KEY": "gemini"}, "google"),
        ({"GEMINI_API_KEY": "gemini"}, "gemini"),
        ({"GOOGLE_API_KEY": "", "GEMINI_API_KEY": "gemini"}, "gemini"),
    ],
    ids=["GOOGLE_API_KEY wins", "GEMINI_API_KEY alone", "an empty one is none"],
)
async def test_google_s_two_variables(
    keys: dict[str, str], used: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, key in keys.items():
        monkeypatch.setenv(variable, key)
    scorer = hosted("gemini", server.root)
    await scorer.answer([PAIR])
    await scorer.aclose()
    assert server.stats["headers"][0]["x-goog-api-key"] == used


def test_a_missing_key_is_asked_for_by_every_variable_it_may_be_in() -> None:
    with pytest.raises(UsageError, match="GOOGLE_API_KEY or GEMINI_API_KEY"):
        create(parse_spec("gemini/m"))


# One question, one answer, whatever the dialect

PATHS: Final = {
    "openai": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
}


@pytest.mark.parametrize("method", ["pairwise", "pairwise-two-level", "pointwise"])
async def test_every_dialect_gives_the_same_answer_to_the_same_question(
    method: str, server: ModelServer
) -> None:
    call = call_for(METHODS[method].scores)
    answers: list[Answer] = []
    for name in DIALECTS:
        scorer = hosted(name, server.root, method)
        (outcome,) = await scorer.answer([call])
        await scorer.aclose()
        assert isinstance(outcome, Reply)
        assert scorer.parse(call, outcome.raw) == outcome.answer
        answers.append(outcome.answer)
    assert server.stats["paths"] == list(PATHS.values())
    assert isinstance(answers[0], Verdict | Reward)
    assert answers == [answers[0]] * len(DIALECTS)


@pytest.mark.parametrize("name", ["openai", "together"])
async def test_token_probabilities_come_in_two_forms(name: str, server: ModelServer) -> None:
    scorer = hosted(name, server.root, "pairwise-logprob")
    (outcome,) = await scorer.answer([PAIR])
    await scorer.aclose()
    assert isinstance(outcome, Reply)
    assert isinstance(outcome.answer, Verdict)
    assert min(outcome.answer.first, 1 - outcome.answer.first) == pytest.approx(0.25)


# Prefixes


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


@pytest.mark.parametrize("name", JUDGES)
def test_a_request_is_json_whatever_the_texts_hold_and_the_same_each_time(name: str) -> None:
    provider = provider_class(name)(Target("m", "http://h"))
    call = CompareCall("\ud800 {braces} %s", "\0 \u202e", '\x1b[31m "</script>"')
    one, same = provider.build([call]), provider.build([call])
    assert one == same
    assert json.loads(json.dumps(one.body, allow_nan=False)) == one.body


# Replies of any shape

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
    call = call_for(provider.method)
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


def test_a_vendor_s_class_is_made_once() -> None:
    assert provider_of("groq") is provider_of("groq") is not provider_of("xai")
