"""Vendors' batches without a wire: input lines, creates, states and rows, dialect by dialect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from rmjudge.calls import CompareCall, Failure, Json, Reply, Verdict
from rmjudge.providers.base import Target
from rmjudge.providers.batching import DIALECTS
from rmjudge.providers.batching.base import BatchDialect, NotABatchError
from rmjudge.providers.batching.client import BatchClient, LostError, RefusedError, UnsentError
from rmjudge.providers.batching.dialects import dialect_of
from rmjudge.providers.registry import provider_class
from rmjudge.providers.sending.exchange import Ask, Exchange
from rmjudge.providers.sending.messages import JsonObject
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.policy import Policy

UID = "0123456789abcdef0123456789abcdef"
CALL = CompareCall("What is\u2028right?", "this", "that")
URL = "https://vendor.example/v1"
CHAT = {
    "model": "m",
    "choices": [{"message": {"content": "\\boxed{A>B}"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7},
}
MESSAGE = {
    "type": "message",
    "model": "m",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "\\boxed{A>B}"}],
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
GENERATED = {
    "candidates": [{"content": {"parts": [{"text": "\\boxed{A>B}"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7},
}


def client_of(name: str, transport: httpx.AsyncBaseTransport | None = None) -> BatchClient:
    network = Network(transport=transport) if transport else None
    exchange = Exchange(URL, headers={}, secret=None, policy=Policy(), network=network)
    return BatchClient(provider_class(name)(Target("m", URL)), exchange, "")


def dialect(name: str) -> BatchDialect:
    return dialect_of(provider_class(name)(Target("m", URL)))


def line_of(name: str) -> dict[str, Any]:
    data = client_of(name).line("cKEY", CALL)
    assert data.isascii()
    assert data.count(b"\n") == 1
    line: dict[str, Any] = json.loads(data)
    return line


def live_body(name: str) -> Mapping[str, Json]:
    return client_of(name).provider.build([CALL]).body


def create_of(name: str) -> tuple[str, Any]:
    ask = dialect(name).create(UID, "file-1", b'{"custom_id":"cKEY"}\n')
    assert ask.verb == "POST"
    return ask.path, json.loads(ask.body)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("openai", "/v1/chat/completions"),
        ("openai-responses", "/v1/responses"),
        ("groq", "/v1/chat/completions"),
        ("dashscope", "/v1/chat/completions"),
        ("azure", "/chat/completions"),
    ],
)
def test_a_line_of_the_openai_shape_holds_the_live_body_without_streaming(
    name: str, url: str
) -> None:
    body = {key: value for key, value in live_body(name).items() if key != "stream"}
    line = {"custom_id": "cKEY", "method": "POST", "url": url, "body": body}
    assert line_of(name) == line
    assert body["model"] == "m"
    path, asked = create_of(name)
    assert path == "/batches"
    assert asked == {
        "input_file_id": "file-1",
        "endpoint": url,
        "completion_window": "24h",
        "metadata": {"rmjudge": UID},
    }


def test_openai_s_sdk_knows_the_create_and_its_states() -> None:
    types = pytest.importorskip("openai.types", exc_type=ImportError)
    pydantic = pytest.importorskip("pydantic")
    pydantic.TypeAdapter(types.BatchCreateParams).validate_python(create_of("openai")[1])
    told = {"id": "b", "input_file_id": "f", "created_at": 1, "endpoint": "/v1/responses"}
    told |= {"completion_window": "24h", "object": "batch"}
    for word in types.Batch.model_fields["status"].annotation.__args__:
        batch = types.Batch.model_validate({**told, "status": word})
        assert dialect("openai").batch(json.loads(batch.model_dump_json())).word == word


def test_anthropic_s_sdk_knows_the_create() -> None:
    params: Any = pytest.importorskip("anthropic.types.messages.batch_create_params")
    pydantic = pytest.importorskip("pydantic")
    line = client_of("anthropic").line("cKEY", CALL)
    ask = dialect("anthropic").create(UID, "", line + line)
    asked = json.loads(ask.body)
    assert asked == {"requests": [json.loads(line)] * 2}
    assert asked["requests"][0]["params"] == live_body("anthropic")
    pydantic.TypeAdapter(params.Request).validate_python(asked["requests"][0])


def test_gemini_s_lines_and_create_name_the_file_and_the_nonce() -> None:
    assert line_of("gemini") == {"key": "cKEY", "request": live_body("gemini")}
    ask = dialect("gemini").create(UID, "files/f", b"")
    assert ask.path == "/v1beta/models/m:batchGenerateContent"
    assert json.loads(ask.body) == {
        "batch": {"displayName": UID, "inputConfig": {"fileName": "files/f"}}
    }


def test_mistral_s_jobs_hold_the_model_and_its_rows_do_not() -> None:
    body = {key: value for key, value in live_body("mistral").items() if key != "model"}
    assert line_of("mistral") == {"custom_id": "cKEY", "body": body}
    path, asked = create_of("mistral")
    assert path == "/batch/jobs"
    assert (asked["model"], asked["input_files"]) == ("m", ["file-1"])
    assert asked["metadata"] == {"rmjudge": UID}


def test_together_s_batches_have_no_metadata_and_are_found_by_their_file() -> None:
    assert line_of("together") == {"custom_id": "cKEY", "body": live_body("together")}
    assert create_of("together")[1].keys() == {"input_file_id", "endpoint"}
    told: JsonObject = {"id": "b", "status": "VALIDATING", "input_file_id": "file-1"}
    asked = dialect("together")
    assert asked.batch({"job": told}) == asked.batch(told)
    assert asked.batch(told).file == "file-1"
    assert asked.page([told]) == ([asked.batch(told)], "")


STATES = {
    "openai": {
        "under way": ["validating", "in_progress", "finalizing", "cancelling", "Validating"],
        "ended": ["completed", "expired", "cancelled", "Completed"],
        "failed": ["failed"],
    },
    "together": {
        "under way": ["VALIDATING", "IN_PROGRESS", "CANCELING"],
        "ended": ["COMPLETED", "EXPIRED", "CANCELLED"],
        "failed": ["FAILED"],
    },
    "mistral": {
        "under way": ["QUEUED", "RUNNING", "CANCELLATION_REQUESTED"],
        "ended": ["SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED"],
        "failed": ["FAILED"],
    },
}


@pytest.mark.parametrize(
    ("name", "phase", "word"),
    [
        (name, phase, word)
        for name, phases in STATES.items()
        for phase, words in phases.items()
        for word in words
    ],
)
def test_every_state_that_a_vendor_names_is_known(name: str, phase: str, word: str) -> None:
    told: JsonObject = {"id": "b", "status": word, "request_counts": None}
    assert dialect(name).batch(told).phase == phase


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("PENDING", "under way"),
        ("RUNNING", "under way"),
        ("SUCCEEDED", "ended"),
        ("FAILED", "failed"),
        ("CANCELLED", "ended"),
        ("EXPIRED", "ended"),
    ],
)
@pytest.mark.parametrize("prefix", ["BATCH_STATE_", "JOB_STATE_"])
def test_gemini_s_states_are_known(word: str, phase: str, prefix: str) -> None:
    told: JsonObject = {"name": "batches/b", "metadata": {"state": prefix + word}}
    assert dialect("gemini").batch(told).phase == phase


@pytest.mark.parametrize(
    ("word", "phase"),
    [("in_progress", "under way"), ("canceling", "under way"), ("ended", "ended")],
)
def test_anthropic_s_states_are_known(word: str, phase: str) -> None:
    told: JsonObject = {"id": "b", "processing_status": word, "request_counts": {"processing": 3}}
    batch = dialect("anthropic").batch(told)
    assert (batch.phase, batch.total, batch.done) == (phase, 3, 0)


@pytest.mark.parametrize("identity", ["../files", "b?x=1", "b#x", "a b", "", None, 7])
def test_an_id_that_leads_elsewhere_is_none(identity: Json) -> None:
    with pytest.raises(NotABatchError):
        dialect("openai").batch({"id": identity, "status": "completed"})


def test_empty_and_null_file_ids_are_no_files() -> None:
    told: JsonObject = {"id": "b", "status": "completed", "error_file_id": None}
    assert dialect("openai").batch({**told, "output_file_id": ""}).results == ()


def test_azure_tells_times_as_texts() -> None:
    told: JsonObject = {"id": "b", "status": "Completed", "created_at": "1970-01-01T00:01:00Z"}
    assert dialect("azure").batch(told).created == 60.0


def chat_row(status: object = 200, body: object = None, **changes: object) -> dict[str, object]:
    response = {"status_code": status, "request_id": "r", "body": body or CHAT}
    return {"custom_id": "cKEY", "response": response, "error": None, **changes}


READ = {
    "a reply": ("openai", chat_row(), "A>B", False),
    "a reply in a text": ("openai", chat_row(body=json.dumps(CHAT)), "A>B", False),
    "refused, in the error file": (
        "openai",
        chat_row(400, {"error": {"message": "bad", "code": "invalid_value"}}),
        "http-400",
        False,
    ),
    "no status": ("openai", chat_row(0), "http-500", True),
    "an error with a success": (
        "openai",
        chat_row(200, {"error": {"message": "overloaded", "code": 503}}),
        "http-503",
        True,
    ),
    "too fast": ("openai", chat_row(429, {"error": {"message": "slow down"}}), "http-429", True),
    "expired": (
        "openai",
        {"custom_id": "cKEY", "response": None, "error": {"code": "batch_expired"}},
        None,
        True,
    ),
    "cancelled": (
        "openai",
        {"custom_id": "cKEY", "response": None, "error": {"code": "batch_cancelled"}},
        None,
        True,
    ),
    "anthropic's message": (
        "anthropic",
        {"custom_id": "cKEY", "result": {"type": "succeeded", "message": MESSAGE}},
        "A>B",
        False,
    ),
    **{
        f"anthropic's {kind}": ("anthropic", {"custom_id": "cKEY", "result": {"type": kind}}, *what)
        for kind, *what in (("canceled", None, True), ("expired", None, True))
    },
    **{
        f"anthropic's {kind}": (
            "anthropic",
            {
                "custom_id": "cKEY",
                "result": {"type": "errored", "error": {"error": {"type": kind, "message": "so"}}},
            },
            status,
            again,
        )
        for kind, status, again in (
            ("invalid_request_error", "http-400", False),
            ("overloaded_error", "http-529", True),
            ("api_error", "http-500", True),
        )
    },
    "gemini's reply": ("gemini", {"key": "cKEY", "response": GENERATED}, "A>B", False),
    **{
        f"gemini's code {code}": (
            "gemini",
            {"key": "cKEY", "error": {"code": code, "message": "so"}},
            status,
            again,
        )
        for code, status, again in (
            (3, "http-400", False),
            (400, "http-400", False),
            (4, "http-500", True),
            (7, "http-500", True),
            (8, "http-500", True),
            (13, "http-500", True),
            (404, "http-500", True),
            (None, "http-500", True),
        )
    },
}


@pytest.mark.parametrize(("name", "row", "found", "again"), READ.values(), ids=list(READ))
def test_a_row_is_read_as_the_live_reply_would_be(
    name: str, row: Json, found: str | None, again: bool
) -> None:
    client = client_of(name)
    read = client.read(client.row(json.dumps(row).encode()), CALL)
    assert read.key == "KEY"
    assert read.again is again
    if isinstance(read.outcome, Reply):
        assert (read.outcome.answer, found) == (Verdict(first=1.0), "A>B")
        assert read.outcome.usage.input_tokens == 5
    else:
        assert (read.outcome.status if isinstance(read.outcome, Failure) else None) == found


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("line", [b"{", b"[]", b"null", b'"x"', b"{}", b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_row_is_refused_as_such(name: str, line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        client_of(name).row(line)


async def test_a_create_is_sent_once_whatever_comes_of_it() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return replies.pop(0)

    error = {"error": {"message": "no", "type": "invalid_request_error"}}
    replies = [
        httpx.Response(500, json=error),
        httpx.Response(408, json=error),
        httpx.Response(400, text="<html>a proxy's page</html>"),
        httpx.Response(200, text="cut {"),
        httpx.Response(400, json=error),
    ]
    client = client_of("openai", httpx.MockTransport(answer))
    for number in range(4):
        with pytest.raises(LostError):
            await client.create(UID, "file-1", b"")
        assert len(asked) == number + 1
    with pytest.raises(RefusedError):
        await client.create(UID, "file-1", b"")
    assert len(asked) == 5


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/results", "http://vendor.example/v1", "https://vendor.example:8/x"],
)
async def test_an_address_of_another_host_gets_no_key(address: str, tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    network = Network(transport=httpx.MockTransport(answer))
    exchange = Exchange(URL, headers={}, secret=None, policy=Policy(), network=network)
    with pytest.raises(UnsentError, match="another host"):
        await exchange.download(Ask("GET", address), tmp_path / "f")
    with pytest.raises(UnsentError, match="another host"):
        await exchange.ask(Ask("POST", address))
