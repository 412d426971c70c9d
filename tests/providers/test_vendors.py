"""The table of vendors and the other hosted judges: addresses, keys, requests in JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from outcomes import CALL, SINGLE

from rmjudge import UsageError
from rmjudge.calls import Call, CompareCall, Reply, Verdict
from rmjudge.providers.base import Target
from rmjudge.providers.chat import provider_of
from rmjudge.providers.decisions import DecisionProvider
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.listing import listings
from rmjudge.providers.registry import ScorerSettings, create, provider_class
from rmjudge.providers.spec import HOSTED, parse_spec
from rmjudge.providers.vendors import VENDORS

if TYPE_CHECKING:
    from served import ModelServer

KEY: Final = "sk-not-a-real-key"
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
    return CALL if method == "pairwise" else SINGLE


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
        at = address.replace("localhost", "127.0.0.1")  # the one spelling of keys
        assert create(parse_spec(f"{name}/m")).identity["url"] == at
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
        await scorer.answer([CALL])
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
    await scorer.answer([CALL])
    await scorer.aclose()
    assert server.stats["headers"][0]["x-goog-api-key"] == used


def test_a_missing_key_is_asked_for_by_every_variable_it_may_be_in() -> None:
    with pytest.raises(UsageError, match="GOOGLE_API_KEY or GEMINI_API_KEY"):
        create(parse_spec("gemini/m"))


# Requests and replies


@pytest.mark.parametrize("name", ["openai", "together"])
async def test_token_probabilities_come_in_two_forms(name: str, server: ModelServer) -> None:
    scorer = hosted(name, server.root, "pairwise-logprob")
    (outcome,) = await scorer.answer([CALL])
    await scorer.aclose()
    assert isinstance(outcome, Reply)
    assert isinstance(outcome.answer, Verdict)
    assert min(outcome.answer.first, 1 - outcome.answer.first) == pytest.approx(0.25)


@pytest.mark.parametrize("name", JUDGES)
def test_a_request_is_json_whatever_the_texts_hold_and_the_same_each_time(name: str) -> None:
    provider = provider_class(name)(Target("m", "http://h"))
    call = CompareCall("\ud800 {braces} %s", "\0 \u202e", '\x1b[31m "</script>"')
    one, same = provider.build([call]), provider.build([call])
    assert one == same
    assert json.loads(json.dumps(one.body, allow_nan=False)) == one.body


def test_a_vendor_s_class_is_made_once() -> None:
    assert provider_of("groq") is provider_of("groq") is not provider_of("xai")
