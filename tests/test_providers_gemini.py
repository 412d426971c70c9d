"""Judges over Google's generateContent: what is asked, how replies read, what errors mean."""

from __future__ import annotations

import json
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
from rmjudge.providers.gemini import Gemini
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.sending.errors import classify
from rmjudge.providers.sending.messages import FinalForRun, RawReply, Retryable
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from conftest import ModelServer

CALL: Final = CompareCall("Which is right?", "The first.", "The second.")
SINGLE: Final = RewardCall("Which is right?", "The only one.")
A_WINS: Final = "I compared them.\n\\boxed{A>B}"
B_WINS: Final = "\\boxed{B>A}"


def judge(
    method: str = "pairwise",
    *,
    url: str = "https://generativelanguage.googleapis.com",
    sampled: bool = False,
    **params: Json,
) -> Gemini:
    return Gemini(Target("gemini-4-flash", url, params), METHODS[method], sampled=sampled)


# What is asked


def test_a_comparison_is_sent_in_parts() -> None:
    shown = METHODS["pairwise"].prompt(CALL)
    request = judge().build([CALL])
    assert request.path == "/v1beta/models/gemini-4-flash:generateContent"
    assert dict(request.headers) == {}
    assert request.body == {
        "systemInstruction": {"parts": [{"text": shown.system}]},
        "contents": [
            {"role": "user", "parts": [{"text": shown.prompt}, {"text": shown.responses}]}
        ],
        "generationConfig": {"maxOutputTokens": 16384, "temperature": 0},
    }


CONFIGS: Final[dict[str, tuple[Gemini, dict[str, Json]]]] = {
    "pairwise-two-level": (
        judge("pairwise-two-level"),
        {"maxOutputTokens": 16384, "temperature": 0},
    ),
    "several votes": (judge(sampled=True), {"maxOutputTokens": 16384, "temperature": 1}),
    "pointwise": (judge("pointwise"), {"maxOutputTokens": 16384, "temperature": 0}),
    "pairwise-logprob": (
        judge("pairwise-logprob"),
        {"maxOutputTokens": 16, "temperature": 0, "responseLogprobs": True, "logprobs": 20},
    ),
    "pointwise-logprob": (
        judge("pointwise-logprob"),
        {"maxOutputTokens": 16, "temperature": 0, "responseLogprobs": True, "logprobs": 20},
    ),
    "the user's own": (
        judge(generationConfig={"maxOutputTokens": 9, "topP": 0.5}),
        {"maxOutputTokens": 9, "temperature": 0, "topP": 0.5},
    ),
}


@pytest.mark.parametrize(("provider", "config"), CONFIGS.values(), ids=list(CONFIGS))
def test_how_is_generated(provider: Gemini, config: dict[str, Json]) -> None:
    body = provider.build([CALL if provider.method == "pairwise" else SINGLE]).body
    assert set(body) == {"systemInstruction", "contents", "generationConfig"}
    assert body["generationConfig"] == config


@pytest.mark.parametrize(
    ("version", "path"), [("v1", "/v1/"), ("v1beta", "/v1beta/"), (None, "/v1beta/")]
)
def test_the_version_of_the_interface_is_in_the_path_and_not_in_the_body(
    version: str | None, path: str
) -> None:
    request = judge(api_version=version).build([CALL])
    assert request.path == f"{path}models/gemini-4-flash:generateContent"
    assert "api_version" not in request.body


def test_another_version_is_another_identity() -> None:
    assert identity_of(judge())["request"] != identity_of(judge(api_version="v1"))["request"]


def test_a_prompt_of_one_part_is_one_part_and_without_instructions_there_are_none() -> None:
    body = judge().chat_request(JudgePrompt(system="", prompt="", responses="all of it")).body
    assert "systemInstruction" not in body
    assert body["contents"] == [{"role": "user", "parts": [{"text": "all of it"}]}]


def test_a_long_prompt_leads_since_the_vendor_caches_by_itself() -> None:
    assert judge().lead_characters == 4 * 4096 - len(METHODS["pairwise"].template)


# How replies read


def candidate(*parts: Any, finish: Any = "STOP", **more: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"content": content, "finishReason": finish, "index": 0, **more}


def generated(*candidates: Any, **more: Any) -> dict[str, Any]:
    return {"candidates": list(candidates), "modelVersion": "gemini-4-flash-001", **more}


def said(*texts: str, finish: Any = "STOP") -> dict[str, Any]:
    return generated(candidate(*({"text": text} for text in texts), finish=finish))


THOUGHT: Final = {"text": B_WINS, "thought": True}


def read(part: Json, method: str = "pairwise") -> tuple[Answer, Usage, str | None]:
    return judge(method).read(part, CALL)


SCORED: Final[dict[str, dict[str, Any]]] = {
    "one part": said(A_WINS),
    "a thought is not read": generated(candidate(THOUGHT, {"text": A_WINS})),
    "a thought after the text is not read": generated(candidate({"text": A_WINS}, THOUGHT)),
    "several parts are joined": generated(
        candidate({"text": "So: \\box"}, THOUGHT, {"text": "ed{A>B}", "thought": False})
    ),
    "a part without text": generated(candidate({"text": A_WINS}, {"functionCall": {}})),
    "the first candidate alone is read": generated(
        candidate({"text": A_WINS}), candidate({"text": B_WINS})
    ),
    "finishReason is missing": generated({"content": {"parts": [{"text": A_WINS}]}}),
    "a prompt that was not blocked": said(A_WINS) | {"promptFeedback": {"safetyRatings": []}},
}


@pytest.mark.parametrize("part", SCORED.values(), ids=list(SCORED))
def test_a_verdict_is_read_in_the_visible_parts_alone(part: dict[str, Any]) -> None:
    assert read(part)[0] == Verdict(1.0)


def blocked(reason: str, **more: Any) -> dict[str, Any]:
    return {"promptFeedback": {"blockReason": reason, "safetyRatings": []}, **more}


UNSCORED: Final[dict[str, tuple[dict[str, Any], Unscored]]] = {
    **{
        f"blocked prompt, no candidates: {reason}": (
            blocked(reason),
            Unscored("content-filter", f"the prompt was blocked: {reason}"),
        )
        for reason in ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
    },
    "blocked prompt, empty candidates": (
        blocked("SAFETY", candidates=[]),
        Unscored("content-filter", "the prompt was blocked: SAFETY"),
    ),
    **{
        f"blocked output: {reason}": (
            said(A_WINS, finish=reason),
            Unscored("content-filter", f"finish reason {reason}"),
        )
        for reason in (
            "SAFETY",
            "RECITATION",
            "PROHIBITED_CONTENT",
            "SPII",
            "BLOCKLIST",
            "LANGUAGE",
            "OTHER",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
            "MALFORMED_RESPONSE",
        )
    },
    "blocked output without parts": (
        generated({"content": {"role": "model"}, "finishReason": "SAFETY"}),
        Unscored("content-filter", "finish reason SAFETY"),
    ),
    "blocked output without content": (
        generated({"finishReason": "RECITATION"}),
        Unscored("content-filter", "finish reason RECITATION"),
    ),
    "MAX_TOKENS": (
        said(A_WINS, finish="MAX_TOKENS"),
        Unscored("truncated", "the answer ran into the token limit"),
    ),
    "MAX_TOKENS without parts: thinking used the budget up": (
        generated({"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}),
        Unscored("truncated", "the answer ran into the token limit"),
    ),
    "CONTINUATION": (
        said(A_WINS, finish="CONTINUATION"),
        Unscored("truncated", "the answer ran into the token limit"),
    ),
    "thoughts alone": (
        generated(candidate(THOUGHT)),
        Unscored("empty", "no text; finish reason STOP"),
    ),
    "no candidates": ({"candidates": []}, Unscored("empty", "no text; finish reason None")),
    "no verdict": (said("Both."), Unscored("unparsed", "no verdict; it ends: Both.")),
}


@pytest.mark.parametrize(("part", "answer"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(part: dict[str, Any], answer: Unscored) -> None:
    assert read(part)[0] == answer


@pytest.mark.parametrize("part", [None, [], {}, {"usageMetadata": {}}, {"choices": []}])
def test_what_is_no_reply_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="candidates"):
        read(part)


USAGES: Final[dict[str, tuple[Any, Usage]]] = {
    "thoughts are output, cached tokens are among the prompt's": (
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 64,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 300,
            "totalTokenCount": 420,
        },
        Usage(100, 320, 64),
    ),
    "no thoughts": ({"promptTokenCount": 100, "candidatesTokenCount": 20}, Usage(100, 20, None)),
    "thoughts alone": ({"promptTokenCount": 100, "thoughtsTokenCount": 300}, Usage(100, 300, None)),
    "a blocked prompt": ({"promptTokenCount": 100}, Usage(100, None, None)),
    "null": (None, Usage()),
}


@pytest.mark.parametrize(("usage", "expected"), USAGES.values(), ids=list(USAGES))
def test_usage_is_counted_as_the_vendor_counts(usage: Any, expected: Usage) -> None:
    assert read(said(A_WINS) | {"usageMetadata": usage})[1] == expected


def test_the_model_that_answered_is_named() -> None:
    assert read(said(A_WINS))[2] == "gemini-4-flash-001"


def told(*probabilities: dict[str, float]) -> dict[str, Any]:
    places = [
        {"candidates": [{"token": t, "logProbability": math.log(p)} for t, p in tops.items()]}
        for tops in probabilities
    ]
    return generated(candidate({"text": "x"}, logprobsResult={"topCandidates": places}))


def test_the_probabilities_of_the_first_token_are_a_credit() -> None:
    answer = read(told({"\n": 0.9, "B": 0.1}, {"B": 0.2, "A": 0.6}), "pairwise-logprob")[0]
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(0.75, abs=1e-12)


def test_the_probabilities_of_the_tokens_are_an_expected_rating() -> None:
    answer = read(told({"1": 0.8, "9": 0.2}, {"0": 0.75}), "pointwise-logprob")[0]
    assert isinstance(answer, Reward)
    assert answer.value == pytest.approx(8.0, abs=1e-12)


def test_a_reply_without_probabilities_gives_no_verdict() -> None:
    answer = read(said("A"), "pairwise-logprob")[0]
    assert answer == Unscored("unparsed", "no token probabilities in the reply")


# What errors mean

RETRY_INFO: Final = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}


def error(code: int, status: str, *details: Any) -> dict[str, Any]:
    inner = {"code": code, "message": "it said so", "status": status, "details": list(details)}
    return {"error": inner}


def quota(*ids: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": "m", "quotaId": id} for id in ids],
    }


PER_MINUTE: Final = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY: Final = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"


def judged(body: Any) -> Any:
    return classify(RawReply(429, {}, json.dumps(body).encode()), Policy())


@pytest.mark.parametrize("wrapped", [False, True], ids=["an object", "a list of one"])
def test_a_429_waits_as_long_as_its_retry_delay_says(wrapped: bool) -> None:
    body = error(429, "RESOURCE_EXHAUSTED", quota(PER_MINUTE), RETRY_INFO)
    found = judged([body] if wrapped else body)
    assert isinstance(found, Retryable)
    assert found.wait_s == 34.0


@pytest.mark.parametrize("ids", [(PER_DAY,), (PER_MINUTE, PER_DAY)])
def test_a_quota_of_the_day_ends_the_run_whatever_the_delay_says(ids: tuple[str, ...]) -> None:
    found = judged(error(429, "RESOURCE_EXHAUSTED", quota(*ids), RETRY_INFO))
    assert isinstance(found, FinalForRun)
    assert found.message == "HTTP 429: it said so"


@pytest.mark.parametrize(
    "details", [[None], ["x"], [{"violations": None}], [{"violations": [None, {"quotaId": None}]}]]
)
def test_details_of_any_shape_are_read_without_a_crash(details: list[Any]) -> None:
    assert isinstance(judged(error(429, "RESOURCE_EXHAUSTED", *details)), Retryable)


QUICK: Final = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.002,
    attempts_transient=3,
    attempts_rate_limited=4,
    attempts_malformed=5,
)
STOPPED: Final = "the run stops"
Becomes = Callable[..., Awaitable[tuple[str, int]]]


@pytest.fixture
async def becomes(server: ModelServer) -> AsyncIterator[Becomes]:
    """What becomes of a call that the server always answers so, and after how many requests."""
    scorer = HostedScorer(judge(url=server.root), policy=QUICK)

    async def ask(status: int, body: Any) -> tuple[str, int]:
        server.control(always={"status": status, "body": body})
        try:
            (outcome,) = await scorer.answer([CALL])
        except ProviderStopped:
            return STOPPED, server.stats["received"]
        if isinstance(outcome, Failure):
            assert "it said so" in outcome.detail or outcome.status == "malformed"
            return outcome.status, server.stats["received"]
        assert isinstance(outcome, Reply)
        return getattr(outcome.answer, "status", "scored"), server.stats["received"]

    yield ask
    await scorer.aclose()


BECOMES: Final[dict[str, tuple[int, Any, str, int]]] = {
    "400 INVALID_ARGUMENT": (400, error(400, "INVALID_ARGUMENT"), "http-400", 1),
    "400 INVALID_ARGUMENT in a list": (400, [error(400, "INVALID_ARGUMENT")], "http-400", 1),
    "400 FAILED_PRECONDITION": (400, error(400, "FAILED_PRECONDITION"), "http-400", 1),
    "403 PERMISSION_DENIED": (403, error(403, "PERMISSION_DENIED"), STOPPED, 1),
    "404 NOT_FOUND": (404, [error(404, "NOT_FOUND")], STOPPED, 1),
    "429 RESOURCE_EXHAUSTED of the minute": (
        429,
        error(429, "RESOURCE_EXHAUSTED", quota(PER_MINUTE)),
        "http-429",
        4,
    ),
    "429 RESOURCE_EXHAUSTED of the day": (
        429,
        [error(429, "RESOURCE_EXHAUSTED", quota(PER_DAY), RETRY_INFO)],
        STOPPED,
        1,
    ),
    "500 INTERNAL": (500, error(500, "INTERNAL"), "http-500", 3),
    "503 UNAVAILABLE": (503, error(503, "UNAVAILABLE"), "http-503", 4),
    "504 DEADLINE_EXCEEDED": (504, error(504, "DEADLINE_EXCEEDED"), "http-504", 3),
    "200 without candidates, blocked": (200, blocked("PROHIBITED_CONTENT"), "content-filter", 1),
    "200 without candidates or a reason": (200, {"usageMetadata": {}}, "malformed", 5),
    "200 with thoughts alone, asked once more and kept": (
        200,
        generated(candidate(THOUGHT)),
        "empty",
        2,
    ),
    "MAX_TOKENS is an answer": (200, said("x", finish="MAX_TOKENS"), "truncated", 1),
    "a verdict": (200, said(A_WINS), "scored", 1),
}


@pytest.mark.parametrize(
    ("status", "body", "became", "requests"), BECOMES.values(), ids=list(BECOMES)
)
async def test_what_becomes_of_a_reply(
    becomes: Becomes, status: int, body: Any, became: str, requests: int
) -> None:
    assert await becomes(status, body) == (became, requests)


def test_a_parameter_that_is_an_object_is_laid_over_the_object_below_it() -> None:
    params: dict[str, Json] = {"generationConfig": {"temperature": 1}}
    provider = Gemini(Target("m", "http://127.0.0.1", params))
    config = provider.build([CALL]).body["generationConfig"]
    assert config == {"maxOutputTokens": 16384, "temperature": 1}
