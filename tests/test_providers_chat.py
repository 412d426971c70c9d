"""Judges over chat completions: what is asked, how replies read, what errors of each vendor mean.

The ids of the cases name the rows of the wire facts: who sends it, and what.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import pytest

from rmjudge.calls import (
    Answer,
    Call,
    CompareCall,
    Failure,
    Json,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.errors import ProviderStopped, UsageError
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.chat import ChatCompletions, provider_of
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.vendors import VENDORS

if TYPE_CHECKING:
    from conftest import ModelServer

CALL: Final = CompareCall("Which is right?", "The first.", "The second.")
SINGLE: Final = RewardCall("Which is right?", "The only one.")
ELSEWHERE: Final = "http://127.0.0.1:8000/v1"
LONG: Final = "Explain this at length. " * 200


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


def body_of(provider: ChatCompletions, call: Call = CALL) -> dict[str, Json]:
    return provider.build([call if provider.method == "pairwise" else SINGLE]).body


# What is asked


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
    shown = METHODS[method].prompt(CALL if provider.method == "pairwise" else SINGLE)
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
        ("o4-mini", True),
        ("gpt-5", True),
        ("gpt-5.4-mini", True),
        ("gpt-6-luna", True),
        ("openai/gpt-5.4", True),
        ("gpt-4.1", False),
        ("gpt-4o", False),
        ("chatgpt-4o-latest", False),
        ("foo1", False),
    ],
)
def test_which_of_openai_s_models_reason(model: str, reasons: bool) -> None:
    assert ("temperature" not in body_of(judge(model=model))) is reasons


def test_the_users_parameters_win_and_null_takes_one_away() -> None:
    body = body_of(judge(temperature=None, max_completion_tokens=10, seed=0))
    assert "temperature" not in body
    assert (body["max_completion_tokens"], body["seed"]) == (10, 0)


def test_a_vendor_s_own_field_can_be_taken_away() -> None:
    assert "provider" not in body_of(judge("openrouter", provider=None))


@pytest.mark.parametrize("vendor", [name for name in VENDORS if VENDORS[name].logprobs is None])
def test_a_vendor_without_token_probabilities_refuses_a_method_that_needs_them(vendor: str) -> None:
    with pytest.raises(UsageError, match=rf"^{vendor}/gpt-4.1: pairwise-logprob needs token"):
        judge(vendor, method="pairwise-logprob")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_asked_about_as_many_responses_as_it_scores(method: str) -> None:
    provider = judge(method=method)
    with pytest.raises(TypeError, match=method):
        provider.build([SINGLE if provider.method == "pairwise" else CALL])


# The vendor's prompt cache


def asked_about(
    prompt: str, model: str = "gpt-4.1", url: str | None = None, method: str = "pairwise"
) -> dict[str, Any]:
    provider = judge(model=model, url=url, method=method)
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
    body = asked_about(LONG, model, ELSEWHERE)
    assert isinstance(body["messages"][1]["content"], str)
    assert not [name for name in body if "cache" in name]


def test_a_prompt_leads_from_the_length_on_that_fills_the_cache_with_the_frame() -> None:
    provider = judge()
    least = provider.lead_characters
    assert least == 4 * 1024 - len(METHODS["pairwise"].template)
    assert "prompt_cache_key" in asked_about("x" * least)


def test_a_vendor_whose_cache_is_not_known_has_no_leads() -> None:
    assert judge("together").lead_characters is None


# How replies read


def completion(message: Any, reason: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"model": "gpt-4.1-2025-04-14", "choices": [choice], **more}


def read(part: Json, provider: ChatCompletions | None = None) -> tuple[Answer, Usage, str | None]:
    return (provider or judge()).read(part, CALL)


A_WINS: Final = "I compared them.\n\\boxed{A>B}"
B_WINS: Final = "\\boxed{B>A}"
THINKING: Final = {"type": "thinking", "thinking": [{"type": "text", "text": B_WINS}]}
SCORED: Final[dict[str, tuple[Any, Any]]] = {
    "OpenAI: content, stop": ({"content": A_WINS}, "stop"),
    "Together: finish_reason eos": ({"content": A_WINS}, "eos"),
    "xAI: finish_reason is empty": ({"content": A_WINS}, ""),
    "finish_reason is null": ({"content": A_WINS}, None),
    "OpenAI: refusal is null": ({"content": A_WINS, "refusal": None}, "stop"),
    "Mistral: content is a list with thinking": (
        {"content": [THINKING, {"type": "text", "text": A_WINS}]},
        "stop",
    ),
    "a list of several texts": (
        {"content": [{"type": "text", "text": text} for text in ("So: \\box", "ed{A>B}")]},
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
    "OpenAI: refusal, content null": (
        {"content": None, "refusal": "I will not."},
        "stop",
        "refusal",
    ),
    "a refusal beside a verdict": (
        {"content": A_WINS, "refusal": "I will not."},
        "stop",
        "refusal",
    ),
    "OpenAI, Azure: content_filter": ({"content": A_WINS}, "content_filter", "content-filter"),
    "OpenAI: length": ({"content": A_WINS}, "length", "truncated"),
    "Mistral: model_length": ({"content": A_WINS}, "model_length", "truncated"),
    "OpenAI: reasoning used the budget up": ({"content": ""}, "length", "truncated"),
    "vLLM: content null, cut while reasoning": (
        {"content": None, "reasoning": A_WINS},
        "length",
        "truncated",
    ),
    "content is null": ({"content": None}, "stop", "empty"),
    "content is null beside reasoning": ({"content": None, "reasoning": A_WINS}, "stop", "empty"),
    "content is blank": ({"content": " \n "}, "stop", "empty"),
    "content is a list of thinking alone": ({"content": [THINKING]}, "stop", "empty"),
    "content is missing": ({}, "stop", "empty"),
    "message is null": (None, "stop", "empty"),
    "a verdict in reasoning alone": (
        {"content": f"<think>{A_WINS}</think>I cannot tell."},
        "stop",
        "unparsed",
    ),
    "no verdict": ({"content": "Both are fine."}, "stop", "unparsed"),
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


def test_a_reply_without_choices_is_empty() -> None:
    answer = read({"choices": []})[0]
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


@pytest.mark.parametrize("part", [None, 1, "text", [], {}, {"choices": None}, {"choices": {}}])
def test_what_is_no_completion_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="choices"):
        read(part)


USAGES: Final[dict[str, tuple[str, Any, Usage]]] = {
    "OpenAI: cached tokens are among the prompt's, reasoning among the completion's": (
        "openai",
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 15},
        },
        Usage(100, 20, 64),
    ),
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
    "usage is null": ("openai", None, Usage()),
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
    assert read(part, judge(vendor))[1] == expected


def test_the_model_that_answered_is_named_with_its_fingerprint() -> None:
    part = completion({"content": A_WINS}, system_fingerprint="fp_1")
    assert read(part)[2] == "gpt-4.1-2025-04-14 (fp_1)"
    assert read({**part, "system_fingerprint": None})[2] == "gpt-4.1-2025-04-14"
    assert read({**part, "model": None})[2] is None


def test_what_is_stored_is_the_reply_itself() -> None:
    part = completion({"content": f"\ud800 {A_WINS}"})
    reply = judge().reply(part, CALL)
    assert json.loads(reply.raw) == part
    assert reply.raw.isascii()
    assert reply.parser == "openai-chat/2+verdict/1"


def test_a_stored_reply_is_read_again_by_the_method() -> None:
    scorer = HostedScorer(judge(method="pairwise-two-level"))
    assert scorer.parse(CALL, json.dumps(completion({"content": "[[B]]"}))) == Verdict(0.0)


# Token probabilities


def entry(tops: dict[str, Any], said: str = "A") -> dict[str, Any]:
    listed = [{"token": name, "logprob": value, "bytes": None} for name, value in tops.items()]
    return {"token": said, "logprob": tops.get(said), "top_logprobs": listed}


def probable(logprobs: Any, method: str = "pairwise-logprob", text: str = "A") -> Answer:
    choice = {"message": {"content": text}, "finish_reason": "stop", "logprobs": logprobs}
    provider = judge(method=method)
    return provider.read({"choices": [choice]}, CALL)[0]


SHARES: Final = {"A": math.log(0.6), "B": math.log(0.2)}
TOLD: Final[dict[str, Any]] = {
    "OpenAI: a list of entries": {"content": [entry(SHARES)], "refusal": None},
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


def test_the_probabilities_of_the_tokens_are_an_expected_rating() -> None:
    tens = [entry({"1": math.log(0.8), "9": math.log(0.2)}, "1"), entry({"0": math.log(0.75)}, "0")]
    answer = probable({"content": tens}, "pointwise-logprob", "10")
    assert isinstance(answer, Reward)
    assert answer.value == pytest.approx(8.0, abs=1e-12)


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


# What errors mean, over a real socket

QUICK: Final = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.002,
    attempts_transient=3,
    attempts_rate_limited=4,
    attempts_malformed=5,
)
STOPPED: Final = "the run stops"
TRANSIENT, OVERLOADED, UNREADABLE = (
    QUICK.attempts_transient,
    QUICK.attempts_rate_limited,
    QUICK.attempts_malformed,
)

Became = tuple[str, int]
"""The status of what became of a call, and how many requests it took."""


@pytest.fixture
async def becomes(server: ModelServer) -> AsyncIterator[Callable[..., Awaitable[Became]]]:
    """What becomes of a call that the server always answers so."""
    scorer = HostedScorer(judge(url=f"{server.root}/v1"), policy=QUICK)

    async def ask(status: int, body: Any, headers: dict[str, str] | None = None) -> Became:
        server.control(always={"status": status, "body": body, "headers": headers or {}})
        try:
            (outcome,) = await scorer.answer([CALL])
        except ProviderStopped as reason:
            return f"{STOPPED}: {reason}", server.stats["received"]
        if isinstance(outcome, Failure):
            return f"{outcome.status}: {outcome.detail}", server.stats["received"]
        assert isinstance(outcome, Reply)
        answer = outcome.answer
        return getattr(answer, "status", "scored"), server.stats["received"]

    yield ask
    await scorer.aclose()


def says(code: Any, message: str = "it said so", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "t", "param": None, "code": code, **more}}


HTML: Final = "<html><head><title>502</title></head><body>Bad Gateway</body></html>"
ERRORS: Final[dict[str, tuple[int, Any, str, int]]] = {
    # status, body -> how it begins, how many requests
    "reader: error is an object": (400, says("x"), "http-400: HTTP 400: it said so", 1),
    "reader: error is a text (vLLM 401)": (
        401,
        {"error": "Unauthorized"},
        f"{STOPPED}: openai/gpt-4.1: HTTP 401: Unauthorized",
        1,
    ),
    "reader: object error, message (SGLang)": (
        400,
        {"object": "error", "message": "too long", "type": "BadRequest", "code": 400},
        "http-400: HTTP 400: too long",
        1,
    ),
    "reader: detail is a text (FastAPI 404)": (
        404,
        {"detail": "Not Found"},
        f"{STOPPED}: openai/gpt-4.1: HTTP 404: Not Found",
        1,
    ),
    "reader: detail is a list (FastAPI, Mistral 422)": (
        422,
        {"detail": [{"loc": ["body"], "msg": "Extra inputs are not permitted"}]},
        'http-422: HTTP 422: [{"loc": ["body"], "msg": "Extra inputs are not permitted"}]',
        1,
    ),
    "reader: code, message, data (SiliconFlow)": (
        400,
        {"code": 20012, "message": "Model does not exist", "data": None},
        "http-400: HTTP 400: Model does not exist",
        1,
    ),
    "reader: message alone": (400, {"message": "no"}, "http-400: HTTP 400: no", 1),
    "reader: a list of one error (Gemini)": (
        400,
        [says(400, "in a list")],
        "http-400: HTTP 400: in a list",
        1,
    ),
    "reader: error and error_type (TEI)": (
        422,
        {"error": "too many tokens", "error_type": "Validation"},
        "http-422: HTTP 422: too many tokens",
        1,
    ),
    "reader: HTML": (502, HTML, "http-502: HTTP 502: 502 Bad Gateway", TRANSIENT),
    "reader: nothing": (401, "", f"{STOPPED}: openai/gpt-4.1: HTTP 401: no message", 1),
    "reader: null": (400, "null", "http-400: HTTP 400: None", 1),
    "OpenAI 429 rate_limit_exceeded": (429, says("rate_limit_exceeded"), "http-429", OVERLOADED),
    "OpenAI 429 slow_down": (429, says("slow_down"), "http-429", OVERLOADED),
    "OpenAI 429 insufficient_quota": (429, says("insufficient_quota"), STOPPED, 1),
    "OpenAI 503 server_is_overloaded": (
        503,
        says("server_is_overloaded"),
        "http-503",
        OVERLOADED,
    ),
    "OpenAI 400 context_length_exceeded": (400, says("context_length_exceeded"), "http-400", 1),
    "OpenAI 400 invalid_prompt": (400, says("invalid_prompt"), "http-400", 1),
    "OpenAI 400 content_policy": (400, says("content_policy"), "content-filter", 1),
    "OpenAI 401 invalid_api_key": (401, says("invalid_api_key"), STOPPED, 1),
    "vLLM 404 unknown model": (404, says(404, "The model `m` does not exist."), STOPPED, 1),
    "vLLM 501 not supported": (501, says(501), STOPPED, 1),
    "llama.cpp 503 while it loads": (
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        "http-503: HTTP 503: Loading model",
        OVERLOADED,
    ),
    "llama-cpp-python 500 for a client's mistake": (
        500,
        says("internal_server_error", "[{'type': 'missing'}]"),
        "http-500",
        TRANSIENT,
    ),
    "transformers serve 500 as plain text": (
        500,
        "Internal Server Error",
        "http-500: HTTP 500: Internal Server Error",
        TRANSIENT,
    ),
    "transformers serve 422 unknown field": (422, {"detail": "Unexpected keys"}, "http-422", 1),
    "Ollama 404 model not pulled": (
        404,
        {"error": {"message": "model not found", "type": "api_error", "param": None, "code": None}},
        STOPPED,
        1,
    ),
    "OpenRouter 402 credits": (402, says(402), STOPPED, 1),
    "OpenRouter 403 key": (403, says(403), STOPPED, 1),
    "OpenRouter 403 moderation": (
        403,
        says(403, "flagged", metadata={"reasons": ["violence"], "flagged_input": "..."}),
        "content-filter: HTTP 403: flagged",
        1,
    ),
    "OpenRouter 408": (408, says(408), "http-408", TRANSIENT),
    "OpenRouter 502 upstream": (502, says(502), "http-502", TRANSIENT),
    "OpenRouter 503 no provider": (503, says(503), "http-503", OVERLOADED),
    "Fireworks 412 suspended": (412, says(412), STOPPED, 1),
    "DeepSeek 402 no balance": (402, says("invalid_request_error"), STOPPED, 1),
    "Groq 498 capacity_exceeded": (498, says("capacity_exceeded"), "http-498", OVERLOADED),
    "Groq 413": (413, says("request_too_large"), "http-413", 1),
    "xAI error as a text with a code": (
        400,
        {"code": "Client specified an invalid argument", "error": "prompt is too long"},
        "http-400: HTTP 400: prompt is too long",
        1,
    ),
    "Azure 400 content_filter": (
        400,
        says("content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
        "content-filter",
        1,
    ),
    "DashScope 429 Throttling.RateQuota": (
        429,
        {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"},
        "http-429: HTTP 429: Requests rate limit exceeded",
        OVERLOADED,
    ),
    "DashScope 400 data_inspection_failed": (
        400,
        says("data_inspection_failed"),
        "content-filter",
        1,
    ),
    "SiliconFlow 403 real name": (
        403,
        {"code": 30011, "message": "real-name verification", "data": None},
        f"{STOPPED}: openai/gpt-4.1: HTTP 403: real-name verification",
        1,
    ),
    "SiliconFlow 429": (
        429,
        {"code": 50603, "message": "Request was rejected due to TPM limit", "data": None},
        "http-429",
        OVERLOADED,
    ),
    "SiliconFlow 504": (504, "upstream timed out", "http-504", TRANSIENT),
    "200 with error 429 (OpenRouter)": (200, says(429), "http-429", OVERLOADED),
    "200 with error 502 (OpenRouter)": (200, says(502), "http-502", TRANSIENT),
    "200 with error 402 (OpenRouter)": (200, says(402), STOPPED, 1),
    "200 with error 400 (OpenRouter)": (200, says("400"), "http-400", 1),
    "200 with error 403 moderation (OpenRouter)": (
        200,
        says(403, metadata={"flagged_input": "..."}),
        "content-filter",
        1,
    ),
    "200 with error rate_limit_exceeded": (
        200,
        says("rate_limit_exceeded"),
        "http-429",
        OVERLOADED,
    ),
    "200 with error insufficient_quota": (200, says("insufficient_quota"), STOPPED, 1),
    "200 with error as a text": (200, {"error": "odd"}, "http-500", TRANSIENT),
    "200 with error behind blank lines (DeepSeek, OpenRouter)": (
        200,
        "\n" * 5000 + json.dumps(says(402)),
        STOPPED,
        1,
    ),
    "200 with HTML": (200, HTML, "malformed", UNREADABLE),
    "200 with nothing": (200, "", "malformed", UNREADABLE),
    "choices[].error 502 (OpenRouter)": (
        200,
        completion({"content": "Let me"}, "error") | {"choices": [{"error": says(502)["error"]}]},
        "http-502",
        TRANSIENT,
    ),
}
BROKEN_OFF: Final = {**completion({"content": "word " * 2000}, "error")["choices"][0]}
ERRORS["choices[].error 429 behind a long answer (OpenRouter)"] = (
    200,
    {"choices": [{**BROKEN_OFF, "error": {"code": 429, "message": "slow"}}]},
    "http-429: HTTP 429: slow",
    OVERLOADED,
)
ERRORS["choices[].error 402 (OpenRouter)"] = (
    200,
    {"choices": [{**BROKEN_OFF, "error": {"code": 402, "message": "no credits"}}]},
    f"{STOPPED}: openai/gpt-4.1: HTTP 402: no credits",
    1,
)
ERRORS["finish_reason error without more (OpenRouter, Mistral)"] = (
    200,
    {"choices": [BROKEN_OFF]},
    "malformed",
    UNREADABLE,
)
REPLIES: Final[dict[str, tuple[Any, str, int]]] = {
    "a verdict": (completion({"content": A_WINS}), "scored", 1),
    "blank lines before the body (DeepSeek)": (
        "\n\n  \n" + json.dumps(completion({"content": A_WINS})),
        "scored",
        1,
    ),
    "error is null": (completion({"content": A_WINS}) | {"error": None}, "scored", 1),
    "choices[].error is a text of the model's own": (
        {"choices": [{**completion({"content": A_WINS})["choices"][0], "error": "none"}]},
        "scored",
        1,
    ),
    "choices[].error is null": (
        {"choices": [{**completion({"content": A_WINS})["choices"][0], "error": None}]},
        "scored",
        1,
    ),
    "an answer that speaks of an error": (
        completion({"content": f'It prints {{"error": {{"code": 402}}}}.\n{A_WINS}'}),
        "scored",
        1,
    ),
    "refusal": (completion({"content": None, "refusal": "no"}), "refusal", 1),
    "content_filter": (completion({"content": ""}, "content_filter"), "content-filter", 1),
    "length": (completion({"content": A_WINS}, "length"), "truncated", 1),
    "content is null, asked once more and kept": (completion({"content": None}), "empty", 2),
    "no choices, asked once more and kept": ({"choices": []}, "empty", 2),
    "no verdict": (completion({"content": "Both."}), "unparsed", 1),
}


@pytest.mark.parametrize(
    ("status", "body", "begins", "requests"), ERRORS.values(), ids=list(ERRORS)
)
async def test_an_error_is_final_or_tried_again_a_bounded_number_of_times(
    becomes: Callable[..., Awaitable[Became]],
    status: int,
    body: Any,
    begins: str,
    requests: int,
) -> None:
    headers = (
        {} if body == HTML or not isinstance(body, str) else {"content-type": "application/json"}
    )
    became, sent = await becomes(status, body, headers)
    assert became.startswith(begins)
    assert sent == requests


@pytest.mark.parametrize(("body", "status", "requests"), REPLIES.values(), ids=list(REPLIES))
async def test_a_delivered_reply_is_kept_whatever_it_says(
    becomes: Callable[..., Awaitable[Became]], body: Any, status: str, requests: int
) -> None:
    assert await becomes(200, body) == (status, requests)
