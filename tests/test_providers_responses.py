"""Judges over OpenAI's Responses API: what is asked, how replies read, what failures mean."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import pytest

from rmjudge.calls import (
    Answer,
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
from rmjudge.errors import ProviderStopped
from rmjudge.judging.methods import METHODS
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.responses import OpenAIResponses
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from conftest import ModelServer

CALL: Final = CompareCall("Which is right?", "The first.", "The second.")
SINGLE: Final = RewardCall("Which is right?", "The only one.")
A_WINS: Final = "I compared them.\n\\boxed{A>B}"
B_WINS: Final = "\\boxed{B>A}"


def judge(
    model: str = "gpt-4.1",
    method: str = "pairwise",
    *,
    url: str = "https://api.openai.com/v1",
    sampled: bool = False,
    **params: Json,
) -> OpenAIResponses:
    return OpenAIResponses(Target(model, url, params), METHODS[method], sampled=sampled)


# What is asked


def test_a_comparison_is_sent_as_instructions_and_input_and_is_not_stored() -> None:
    shown = METHODS["pairwise"].prompt(CALL)
    request = judge().build([CALL])
    assert (request.path, dict(request.headers)) == ("/responses", {})
    assert request.body == {
        "model": "gpt-4.1",
        "input": shown.user,
        "instructions": shown.system,
        "store": False,
        "stream": False,
        "max_output_tokens": 4096,
        "temperature": 0,
    }


def test_without_instructions_there_is_no_such_field() -> None:
    request = judge().chat_request(JudgePrompt(system="", prompt="", responses="all of it"))
    assert "instructions" not in request.body
    assert request.body["input"] == "all of it"


PROBABILITIES: Final[dict[str, Json]] = {
    "top_logprobs": 20,
    "include": ["message.output_text.logprobs"],
}
ASKED: Final[dict[str, tuple[OpenAIResponses, dict[str, Json]]]] = {
    "pairwise": (judge(), {"max_output_tokens": 4096, "temperature": 0}),
    "several votes": (judge(sampled=True), {"max_output_tokens": 4096, "temperature": 1}),
    "pointwise": (judge(method="pointwise"), {"max_output_tokens": 4096, "temperature": 0}),
    "pairwise-logprob": (
        judge(method="pairwise-logprob"),
        {"max_output_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
    "a reasoning model": (judge("gpt-5.4"), {"max_output_tokens": 16384}),
    "a reasoning model, several votes": (
        judge("o3", sampled=True),
        {"max_output_tokens": 16384},
    ),
    "probabilities of a reasoning model": (
        judge("gpt-5.4", "pointwise-logprob"),
        {"max_output_tokens": 16, "reasoning": {"effort": "none"}, **PROBABILITIES},
    ),
    "the user's parameters": (
        judge(temperature=None, max_output_tokens=9, reasoning={"effort": "low"}),
        {"max_output_tokens": 9, "reasoning": {"effort": "low"}},
    ),
}


@pytest.mark.parametrize(("provider", "fields"), ASKED.values(), ids=list(ASKED))
def test_a_request_says_this_and_no_more(
    provider: OpenAIResponses, fields: dict[str, Json]
) -> None:
    body = provider.build([CALL if provider.method == "pairwise" else SINGLE]).body
    for name in ("model", "input", "instructions"):
        assert body.pop(name)
    assert (body.pop("store"), body.pop("stream")) == (False, False)
    assert body == fields


# How replies read


def text(*said: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": part, "annotations": []} for part in said]
    return {"type": "message", "role": "assistant", "content": parts}


REASONING: Final = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": B_WINS}],
    "content": [{"type": "reasoning_text", "text": B_WINS}],
}


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


def cut(reason: str, *output: Any) -> dict[str, Any]:
    return response(*output, status="incomplete", incomplete_details={"reason": reason})


def failed(code: str, *output: Any) -> dict[str, Any]:
    return response(*output, status="failed", error={"code": code, "message": "it said so"})


def read(part: Json, method: str = "pairwise") -> tuple[Answer, Usage, str | None]:
    return judge(method=method).read(part, CALL)


SCORED: Final[dict[str, dict[str, Any]]] = {
    "a message": response(text(A_WINS)),
    "reasoning comes first and is not read": response(REASONING, text(A_WINS)),
    "a message of several parts": response(text("So: \\box", "ed{A>B}")),
    "several messages": response(text("So: \\box"), REASONING, text("ed{A>B}")),
    "annotations and other parts": response(
        {
            "type": "message",
            "content": [
                {"type": "output_text", "text": A_WINS},
                {"type": "other", "text": B_WINS},
            ],
        },
        {"type": "web_search_call", "content": [{"type": "output_text", "text": B_WINS}]},
    ),
}


@pytest.mark.parametrize("part", SCORED.values(), ids=list(SCORED))
def test_a_verdict_is_read_in_the_messages_alone(part: dict[str, Any]) -> None:
    assert read(part)[0] == Verdict(1.0)


DECLINED: Final = {"type": "message", "content": [{"type": "refusal", "refusal": "I\nwill not."}]}
UNSCORED: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "a part of type refusal": (response(DECLINED), "refusal", "I will not."),
    "a refusal behind text": (response(text(A_WINS), DECLINED), "refusal", "I will not."),
    "incomplete: content_filter": (
        cut("content_filter", text(A_WINS)),
        "content-filter",
        "the provider withheld the answer",
    ),
    "incomplete: max_output_tokens": (
        cut("max_output_tokens", text(A_WINS)),
        "truncated",
        "the answer ran into the token limit",
    ),
    "incomplete: reasoning used the budget up": (
        cut("max_output_tokens", REASONING),
        "truncated",
        "the answer ran into the token limit",
    ),
    "failed: invalid_prompt": (
        failed("invalid_prompt"),
        "content-filter",
        "the response failed: invalid_prompt",
    ),
    "failed: bio_policy": (
        failed("bio_policy", text(A_WINS)),
        "content-filter",
        "the response failed: bio_policy",
    ),
    "reasoning alone": (response(REASONING), "empty", "no output text"),
    "no output": (response(), "empty", "no output text"),
    "no verdict": (response(text("Both.")), "unparsed", "no verdict; it ends: Both."),
}


@pytest.mark.parametrize(("part", "status", "detail"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(
    part: dict[str, Any], status: str, detail: str
) -> None:
    assert read(part)[0] == Unscored(status, detail)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [None, [], {}, {"output": None}, {"choices": []}])
def test_what_is_no_response_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="output"):
        read(part)


def test_a_response_that_failed_is_no_reply() -> None:
    with pytest.raises(MalformedBodyError, match="server_error"):
        read(failed("server_error", text(A_WINS)))


def test_usage_is_told_under_other_names_than_in_chat_completions() -> None:
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 15},
    }
    assert read(response(text(A_WINS), usage=usage))[1] == Usage(100, 20, 64)
    assert read(response(text(A_WINS), usage=None))[1] == Usage()


def test_the_model_that_answered_is_named() -> None:
    assert read(response(text(A_WINS)))[2] == "gpt-4.1-2025-04-14"


def told(*probabilities: dict[str, float]) -> dict[str, Any]:
    entries = [
        {
            "token": next(iter(tops)),
            "logprob": math.log(next(iter(tops.values()))),
            "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in tops.items()],
        }
        for tops in probabilities
    ]
    part = {"type": "output_text", "text": "".join(map(min, probabilities)), "logprobs": entries}
    return response(REASONING, {"type": "message", "content": [part]})


def test_the_probabilities_of_the_first_token_are_a_credit() -> None:
    answer = read(told({"A": 0.6, "B": 0.2}), "pairwise-logprob")[0]
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(0.75, abs=1e-12)


def test_the_probabilities_of_the_tokens_are_an_expected_rating() -> None:
    answer = read(told({"1": 0.8, "9": 0.2}, {"0": 0.75}), "pointwise-logprob")[0]
    assert isinstance(answer, Reward)
    assert answer.value == pytest.approx(8.0, abs=1e-12)


def test_a_server_that_ignored_the_wish_for_probabilities_gives_no_verdict() -> None:
    answer = read(response(text("A")), "pairwise-logprob")[0]
    assert answer == Unscored("unparsed", "no token probabilities in the reply")


# What failures mean, over a real socket

QUICK: Final = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.002,
    attempts_transient=3,
    attempts_rate_limited=4,
    attempts_malformed=5,
)
STOPPED: Final = "the run stops"
Becomes = Callable[[int, Any], Awaitable[tuple[str, int]]]


@pytest.fixture
async def becomes(server: ModelServer) -> AsyncIterator[Becomes]:
    """What becomes of a call that the server always answers so, and after how many requests."""
    scorer = HostedScorer(judge(url=f"{server.root}/v1"), policy=QUICK)

    async def ask(status: int, body: Any) -> tuple[str, int]:
        server.control(always={"status": status, "body": body})
        try:
            (outcome,) = await scorer.answer([CALL])
        except ProviderStopped:
            return STOPPED, server.stats["received"]
        if isinstance(outcome, Failure):
            return outcome.status, server.stats["received"]
        assert isinstance(outcome, Reply)
        return getattr(outcome.answer, "status", "scored"), server.stats["received"]

    yield ask
    await scorer.aclose()


def says(code: str) -> dict[str, Any]:
    return {"error": {"message": "it said so", "type": "t", "param": None, "code": code}}


BECOMES: Final[dict[str, tuple[int, Any, str, int]]] = {
    "completed": (200, response(text(A_WINS)), "scored", 1),
    "refusal": (200, response(DECLINED), "refusal", 1),
    "incomplete: content_filter": (200, cut("content_filter"), "content-filter", 1),
    "incomplete: max_output_tokens": (200, cut("max_output_tokens"), "truncated", 1),
    "no output, asked once more and kept": (200, response(), "empty", 2),
    "status failed: server_error": (200, failed("server_error"), "http-500", 3),
    "status failed: rate_limit_exceeded": (200, failed("rate_limit_exceeded"), "http-429", 4),
    "status failed: insufficient_quota": (200, failed("insufficient_quota"), STOPPED, 1),
    "status failed: invalid_prompt": (200, failed("invalid_prompt"), "content-filter", 1),
    "status failed: bio_policy": (200, failed("bio_policy"), "content-filter", 1),
    "status failed: misalignment_policy_violation": (
        200,
        failed("misalignment_policy_violation"),
        "content-filter",
        1,
    ),
    "status failed: content_policy_violation": (
        200,
        failed("content_policy_violation"),
        "content-filter",
        1,
    ),
    "an error beside a status that is none": (
        200,
        response(text(A_WINS), error={"code": "content_policy_violation", "message": "m"}),
        "content-filter",
        1,
    ),
    "status failed without an error": (200, response(status="failed"), "malformed", 5),
    "SGLang: an error under /v1/responses": (400, says("too_long"), "http-400", 1),
    "no route": (404, {"detail": "Not Found"}, STOPPED, 1),
}


@pytest.mark.parametrize(
    ("status", "body", "became", "requests"), BECOMES.values(), ids=list(BECOMES)
)
async def test_what_becomes_of_a_response(
    becomes: Becomes, status: int, body: Any, became: str, requests: int
) -> None:
    assert await becomes(status, body) == (became, requests)
