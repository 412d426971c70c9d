"""Judges over Google's generateContent: what it alone asks, replies and refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from judge_dialects import GEMINI
from judge_replies import A_WINS, B_WINS, THOUGHT, blocked, candidate, generated, likely, texts
from outcomes import CALL, OVERLOADED, SINGLE, STOPPED, UNREADABLE, becomes

from rmjudge.calls import Json, Unscored, Usage, Verdict
from rmjudge.judging.methods import METHODS
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.gemini import Gemini
from rmjudge.providers.hosted import identity_of
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.sending.errors import classify
from rmjudge.providers.sending.messages import FinalForRun, RawReply, Retryable
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from served import ModelServer

judge, read = GEMINI.judge, GEMINI.read


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


CONFIGS: Final[dict[str, tuple[JudgeProvider, dict[str, Json]]]] = {
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
def test_how_is_generated(provider: JudgeProvider, config: dict[str, Json]) -> None:
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


def test_a_parameter_that_is_an_object_is_laid_over_the_object_below_it() -> None:
    params: dict[str, Json] = {"generationConfig": {"temperature": 1}}
    provider = Gemini(Target("m", "http://127.0.0.1", params))
    config = provider.build([CALL]).body["generationConfig"]
    assert config == {"maxOutputTokens": 16384, "temperature": 1}


# How replies read


SCORED: Final[dict[str, dict[str, Any]]] = {
    "a thought after the text is not read": generated(candidate({"text": A_WINS}, THOUGHT)),
    "several parts are joined": generated(
        candidate({"text": "So: \\box"}, THOUGHT, {"text": "ed{A>B}", "thought": False})
    ),
    "a part without text": generated(candidate({"text": A_WINS}, {"functionCall": {}})),
    "the first candidate alone is read": generated(
        candidate({"text": A_WINS}), candidate({"text": B_WINS})
    ),
    "finishReason is missing": generated({"content": {"parts": [{"text": A_WINS}]}}),
    "a prompt that was not blocked": texts(A_WINS) | {"promptFeedback": {"safetyRatings": []}},
}


@pytest.mark.parametrize("part", SCORED.values(), ids=list(SCORED))
def test_a_verdict_is_read_in_the_visible_parts_alone(part: dict[str, Any]) -> None:
    assert read(part)[0] == Verdict(1.0)


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
            texts(A_WINS, finish=reason),
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
    "CONTINUATION": (
        texts(A_WINS, finish="CONTINUATION"),
        Unscored("truncated", "the answer ran into the token limit"),
    ),
    "no candidates": ({"candidates": []}, Unscored("empty", "no text; finish reason None")),
}


@pytest.mark.parametrize(("part", "answer"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(part: dict[str, Any], answer: Unscored) -> None:
    assert read(part)[0] == answer


def test_counts_alone_are_no_reply() -> None:
    with pytest.raises(MalformedBodyError, match="candidates"):
        read({"usageMetadata": {}})


USAGES: Final[dict[str, tuple[Any, Usage]]] = {
    "no thoughts": ({"promptTokenCount": 100, "candidatesTokenCount": 20}, Usage(100, 20, None)),
    "thoughts alone": ({"promptTokenCount": 100, "thoughtsTokenCount": 300}, Usage(100, 300, None)),
    "a blocked prompt": ({"promptTokenCount": 100}, Usage(100, None, None)),
}


@pytest.mark.parametrize(("usage", "expected"), USAGES.values(), ids=list(USAGES))
def test_usage_is_counted_as_the_vendor_counts(usage: Any, expected: Usage) -> None:
    assert read(texts(A_WINS) | {"usageMetadata": usage})[1] == expected


def test_the_first_token_that_says_something_is_the_verdict() -> None:
    answer = read(likely({"\n": 0.9, "B": 0.1}, {"B": 0.2, "A": 0.6}), "pairwise-logprob")[0]
    assert isinstance(answer, Verdict)
    assert answer.first == pytest.approx(0.75, abs=1e-12)


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


BECOMES: Final[dict[str, tuple[int, Any, str, int]]] = {
    "400 INVALID_ARGUMENT in a list": (400, [error(400, "INVALID_ARGUMENT")], "http-400", 1),
    "400 FAILED_PRECONDITION": (400, error(400, "FAILED_PRECONDITION"), "http-400", 1),
    "404 NOT_FOUND": (404, [error(404, "NOT_FOUND")], STOPPED, 1),
    "429 RESOURCE_EXHAUSTED of the minute": (
        429,
        error(429, "RESOURCE_EXHAUSTED", quota(PER_MINUTE)),
        "http-429",
        OVERLOADED,
    ),
    "429 RESOURCE_EXHAUSTED of the day": (
        429,
        [error(429, "RESOURCE_EXHAUSTED", quota(PER_DAY), RETRY_INFO)],
        STOPPED,
        1,
    ),
    "503 UNAVAILABLE": (503, error(503, "UNAVAILABLE"), "http-503", OVERLOADED),
    "200 without candidates, blocked": (200, blocked("PROHIBITED_CONTENT"), "content-filter", 1),
    "200 without candidates or a reason": (200, {"usageMetadata": {}}, "malformed", UNREADABLE),
}


@pytest.mark.parametrize(
    ("status", "body", "became", "requests"), BECOMES.values(), ids=list(BECOMES)
)
async def test_what_becomes_of_a_reply(
    server: ModelServer, status: int, body: Any, became: str, requests: int
) -> None:
    found = await becomes(server, judge(url=server.root), status, body)
    assert found.counted == (became, requests)
    assert status == 200 or "it said so" in found.detail
