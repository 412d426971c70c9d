"""Judges over OpenAI's Responses API: what it alone asks, replies and fails by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from judge_dialects import RESPONSES
from judge_replies import A_WINS, B_WINS, DECLINED, REASONING, incomplete, response
from judge_replies import output_text as text
from outcomes import CALL, OVERLOADED, SINGLE, STOPPED, TRANSIENT, UNREADABLE, becomes

from rmjudge.calls import Json, Unscored, Verdict
from rmjudge.judging.methods import METHODS
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.providers.base import MalformedBodyError
from rmjudge.providers.judge import JudgeProvider

if TYPE_CHECKING:
    from served import ModelServer

judge, read = RESPONSES.judge, RESPONSES.read


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
ASKED: Final[dict[str, tuple[JudgeProvider, dict[str, Json]]]] = {
    "pairwise": (judge(), {"max_output_tokens": 4096, "temperature": 0}),
    "several votes": (judge(sampled=True), {"max_output_tokens": 4096, "temperature": 1}),
    "pointwise": (judge("pointwise"), {"max_output_tokens": 4096, "temperature": 0}),
    "pairwise-logprob": (
        judge("pairwise-logprob"),
        {"max_output_tokens": 16, "temperature": 0, **PROBABILITIES},
    ),
    "a reasoning model": (judge(model="gpt-5.4"), {"max_output_tokens": 16384}),
    "a reasoning model, several votes": (
        judge(model="o3", sampled=True),
        {"max_output_tokens": 16384},
    ),
    "probabilities of a reasoning model": (
        judge("pointwise-logprob", model="gpt-5.4"),
        {"max_output_tokens": 16, "reasoning": {"effort": "none"}, **PROBABILITIES},
    ),
    "the user's parameters": (
        judge(temperature=None, max_output_tokens=9, reasoning={"effort": "low"}),
        {"max_output_tokens": 9, "reasoning": {"effort": "low"}},
    ),
}


@pytest.mark.parametrize(("provider", "fields"), ASKED.values(), ids=list(ASKED))
def test_a_request_says_this_and_no_more(provider: JudgeProvider, fields: dict[str, Json]) -> None:
    body = provider.build([CALL if provider.method == "pairwise" else SINGLE]).body
    for name in ("model", "input", "instructions"):
        assert body.pop(name)
    assert (body.pop("store"), body.pop("stream")) == (False, False)
    assert body == fields


# How replies read


def failed(code: str, *output: Any) -> dict[str, Any]:
    return response(*output, status="failed", error={"code": code, "message": "it said so"})


SCORED: Final[dict[str, dict[str, Any]]] = {
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


UNSCORED: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "a refusal behind text": (response(text(A_WINS), DECLINED), "refusal", "I will not."),
    "incomplete: content_filter": (
        incomplete("content_filter", text(A_WINS)),
        "content-filter",
        "the provider withheld the answer",
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
}


@pytest.mark.parametrize(("part", "status", "detail"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(
    part: dict[str, Any], status: str, detail: str
) -> None:
    assert read(part)[0] == Unscored(status, detail)  # type: ignore[arg-type]


def test_an_output_of_null_is_malformed() -> None:
    with pytest.raises(MalformedBodyError, match="output"):
        read({"output": None})


def test_a_response_that_failed_is_no_reply() -> None:
    with pytest.raises(MalformedBodyError, match="server_error"):
        read(failed("server_error", text(A_WINS)))


# What failures mean, over a real socket

BECOMES: Final[dict[str, tuple[int, Any, str, int]]] = {
    "incomplete: content_filter": (200, incomplete("content_filter"), "content-filter", 1),
    "status failed: server_error": (200, failed("server_error"), "http-500", TRANSIENT),
    "status failed: rate_limit_exceeded": (
        200,
        failed("rate_limit_exceeded"),
        "http-429",
        OVERLOADED,
    ),
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
    "status failed without an error": (200, response(status="failed"), "malformed", UNREADABLE),
    "no route": (404, {"detail": "Not Found"}, STOPPED, 1),
}


@pytest.mark.parametrize(
    ("status", "body", "became", "requests"), BECOMES.values(), ids=list(BECOMES)
)
async def test_what_becomes_of_a_response(
    server: ModelServer, status: int, body: Any, became: str, requests: int
) -> None:
    found = await becomes(server, judge(url=f"{server.root}/v1"), status, body)
    assert found.counted == (became, requests)
