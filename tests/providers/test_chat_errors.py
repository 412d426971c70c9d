"""Judges over chat completions: what errors mean, over a real socket.

The ids of the cases name the rows of the wire facts: who sends it, and what.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from judge_dialects import CHAT
from judge_replies import A_WINS, completion
from outcomes import OVERLOADED, SCORED, STOPPED, TRANSIENT, UNREADABLE, becomes

if TYPE_CHECKING:
    from served import ModelServer


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
        f"{STOPPED}: openai/gpt-4.1: HTTP 400: Model does not exist",
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
    "blank lines before the body (DeepSeek)": (
        "\n\n  \n" + json.dumps(completion({"content": A_WINS})),
        SCORED,
        1,
    ),
    "error is null": (completion({"content": A_WINS}) | {"error": None}, SCORED, 1),
    "choices[].error is a text of the model's own": (
        {"choices": [{**completion({"content": A_WINS})["choices"][0], "error": "none"}]},
        SCORED,
        1,
    ),
    "choices[].error is null": (
        {"choices": [{**completion({"content": A_WINS})["choices"][0], "error": None}]},
        SCORED,
        1,
    ),
    "an answer that speaks of an error": (
        completion({"content": f'It prints {{"error": {{"code": 402}}}}.\n{A_WINS}'}),
        SCORED,
        1,
    ),
    "content_filter": (completion({"content": ""}, "content_filter"), "content-filter", 1),
    "no choices, asked once more and kept": ({"choices": []}, "empty", 2),
}


@pytest.mark.parametrize(
    ("status", "body", "begins", "requests"), ERRORS.values(), ids=list(ERRORS)
)
async def test_an_error_is_final_or_tried_again_a_bounded_number_of_times(
    server: ModelServer, status: int, body: Any, begins: str, requests: int
) -> None:
    text = isinstance(body, str) and body != HTML
    headers = {"content-type": "application/json"} if text else {}
    became = await becomes(server, CHAT.judge(url=f"{server.root}/v1"), status, body, headers)
    assert f"{became.status}: {became.detail}".startswith(begins)
    assert became.requests == requests


@pytest.mark.parametrize(("body", "status", "requests"), REPLIES.values(), ids=list(REPLIES))
async def test_a_delivered_reply_is_kept_whatever_it_says(
    server: ModelServer, body: Any, status: str, requests: int
) -> None:
    became = await becomes(server, CHAT.judge(url=f"{server.root}/v1"), 200, body)
    assert became.counted == (status, requests)
