"""Judges over Anthropic's Messages API: what it alone asks, replies and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from judge_dialects import ANTHROPIC
from judge_replies import A_WINS, B_WINS, THINKING, message
from judge_replies import text_block as text
from outcomes import CALL, OVERLOADED, STOPPED, TRANSIENT, becomes

from rmjudge.calls import CompareCall, Json, RewardCall, Unscored, Usage, Verdict
from rmjudge.judging.methods import METHODS
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.providers.base import MalformedBodyError
from rmjudge.providers.hosted import identity_of

if TYPE_CHECKING:
    from served import ModelServer

LONG: Final = "Explain this at length. " * 200
judge, read = ANTHROPIC.judge, ANTHROPIC.read


# What is asked


def test_a_comparison_is_sent_in_blocks_without_sampling_parameters() -> None:
    shown = METHODS["pairwise"].prompt(CALL)
    request = judge().build([CALL])
    assert request.path == "/v1/messages"
    assert dict(request.headers) == {"anthropic-version": "2026-10-21"}
    assert request.body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 8192,
        "system": [{"type": "text", "text": shown.system}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": shown.prompt},
                    {"type": "text", "text": shown.responses},
                ],
            }
        ],
    }


def test_a_rating_is_asked_for_in_the_same_form() -> None:
    shown = METHODS["pointwise"].prompt(RewardCall("p", "r"))
    body = judge("pointwise").build([RewardCall("p", "r")]).body
    assert body["system"] == [{"type": "text", "text": shown.system}]
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": shown.prompt},
                {"type": "text", "text": shown.responses},
            ],
        }
    ]


@pytest.mark.parametrize("sampled", [False, True])
def test_the_current_version_is_never_sent_a_temperature(sampled: bool) -> None:
    assert "temperature" not in judge(sampled=sampled).build([CALL]).body


@pytest.mark.parametrize(("sampled", "temperature"), [(False, 0), (True, 1)])
def test_the_version_of_2023_is_sent_one(sampled: bool, temperature: int) -> None:
    request = judge(sampled=sampled, anthropic_version="2023-06-01").build([CALL])
    assert dict(request.headers) == {"anthropic-version": "2023-06-01"}
    assert request.body["temperature"] == temperature
    assert "anthropic_version" not in request.body


def test_a_version_of_null_is_the_current_one() -> None:
    request = judge(anthropic_version=None).build([CALL])
    assert dict(request.headers) == {"anthropic-version": "2026-10-21"}


def test_another_version_is_another_identity() -> None:
    assert identity_of(judge())["request"] != identity_of(judge(anthropic_version="x"))["request"]


def test_a_prompt_of_one_part_is_one_block_and_without_instructions_there_is_no_system() -> None:
    body = judge().chat_request(JudgePrompt(system="", prompt="", responses="all of it")).body
    assert "system" not in body
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "all of it"}]}
    ]


def cached_blocks(prompt: str) -> list[int]:
    """The places of the blocks that are to be cached."""
    messages: Any = judge().build([CompareCall(prompt, "a", "b")]).body["messages"]
    blocks = messages[0]["content"]
    assert len(blocks) == 2
    return [
        place
        for place, block in enumerate(blocks)
        if block.get("cache_control") == {"type": "ephemeral"}
    ]


def test_the_shared_part_is_cached_from_the_length_on_that_the_vendor_caches() -> None:
    least = judge().lead_characters
    assert least == 4 * 1024 - len(METHODS["pairwise"].template)
    frame = len(METHODS["pairwise"].prompt(CompareCall("", "a", "b")).prompt)
    assert cached_blocks("x" * (least - frame)) == [0]
    assert cached_blocks("x" * (least - frame - 1)) == []


def test_nothing_beside_the_shared_part_is_cached() -> None:
    body = judge().build([CompareCall(LONG, LONG, LONG)]).body
    assert str(body).count("cache_control") == 1


# How replies read


REDACTED: Final = {"type": "redacted_thinking", "data": "d"}


SCORED: Final[dict[str, dict[str, Any]]] = {
    "thinking is not read": message(THINKING, REDACTED, text(A_WINS)),
    "thinking after the text is not read": message(text(A_WINS), THINKING),
    "a block of another type is not read": message(
        text(A_WINS), {"type": "compaction", "text": B_WINS}
    ),
    "several texts are joined": message(text("So: \\box"), THINKING, text("ed{A>B}")),
    "stop_sequence": message(text(A_WINS), stop="stop_sequence"),
    "stop_reason is null": message(text(A_WINS), stop=None),
}


@pytest.mark.parametrize("part", SCORED.values(), ids=list(SCORED))
def test_a_verdict_is_read_in_the_text_blocks_alone(part: dict[str, Any]) -> None:
    assert read(part)[0] == Verdict(1.0)


UNSCORED: Final[dict[str, tuple[dict[str, Any], Unscored]]] = {
    "refusal after a verdict": (
        message(text(A_WINS), stop="refusal", stop_details={"category": "general_harms"}),
        Unscored("refusal", "category general_harms"),
    ),
    "refusal without details": (message(stop="refusal", stop_details=None), Unscored("refusal")),
    "model_context_window_exceeded": (
        message(text(A_WINS), stop="model_context_window_exceeded"),
        Unscored("truncated", "the answer ran into the token limit"),
    ),
    "a blank text": (message(text(" \n")), Unscored("empty", "no text block")),
}


@pytest.mark.parametrize(("part", "answer"), UNSCORED.values(), ids=list(UNSCORED))
def test_an_answer_without_a_score_has_a_status(part: dict[str, Any], answer: Unscored) -> None:
    assert read(part)[0] == answer


@pytest.mark.parametrize(
    "part", [{"type": "message"}, {"content": []}, {"type": "error", "content": []}], ids=repr
)
def test_what_is_no_message_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="a message has"):
        read(part)


USAGES: Final[dict[str, tuple[Any, Usage]]] = {
    "input_tokens leaves out what was read from the cache and written to it": (
        {
            "input_tokens": 10,
            "cache_read_input_tokens": 700,
            "cache_creation_input_tokens": 50,
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 15},
        },
        Usage(760, 20, 700, 50),
    ),
    "what was written is not what was cached": (
        {"input_tokens": 10, "cache_creation_input_tokens": 50, "output_tokens": 20},
        Usage(60, 20, None, 50),
    ),
    "no cache": (
        {"input_tokens": 10, "cache_read_input_tokens": 0, "output_tokens": 20},
        Usage(10, 20, 0),
    ),
    "counts that are none": ({"input_tokens": "10", "output_tokens": -1}, Usage()),
}


@pytest.mark.parametrize(("usage", "expected"), USAGES.values(), ids=list(USAGES))
def test_usage_is_counted_as_the_vendor_counts(usage: Any, expected: Usage) -> None:
    assert read(message(text(A_WINS), usage=usage))[1] == expected


# What errors mean, over a real socket


def error(kind: str, **more: Any) -> dict[str, Any]:
    inner = {"type": kind, "message": "it said so", **more}
    return {"type": "error", "error": inner, "request_id": "req_1"}


BECOMES: Final[dict[str, tuple[int, Any, str, int]]] = {
    "402 billing_error": (402, error("billing_error"), STOPPED, 1),
    "409 conflict_error": (409, error("conflict_error"), "http-409", TRANSIENT),
    "413 request_too_large": (413, error("request_too_large"), "http-413", 1),
    "429 enforced_spend_limit_reached": (
        429,
        error("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}),
        STOPPED,
        1,
    ),
    "529 overloaded_error": (529, error("overloaded_error"), "http-529", OVERLOADED),
    "200 with overloaded_error": (200, error("overloaded_error"), "http-529", OVERLOADED),
    "200 with rate_limit_error": (200, error("rate_limit_error"), "http-429", OVERLOADED),
    "200 with api_error": (200, error("api_error"), "http-500", TRANSIENT),
    "vLLM: an error shaped like OpenAI's": (
        400,
        {"error": {"message": "it said so", "type": "BadRequestError", "code": 400}},
        "http-400",
        1,
    ),
}


@pytest.mark.parametrize(
    ("status", "body", "became", "requests"), BECOMES.values(), ids=list(BECOMES)
)
async def test_an_error_is_final_or_tried_again(
    server: ModelServer, status: int, body: Any, became: str, requests: int
) -> None:
    found = await becomes(server, judge(url=server.root), status, body)
    assert found.counted == (became, requests)
    assert "it said so" in found.detail
