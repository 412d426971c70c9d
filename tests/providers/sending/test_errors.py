"""What an error reply means: again, final for the call, or final for the run; and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from rmjudge.providers.sending.errors import classify, retry_after
from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    RawReply,
    Retryable,
)
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.said import read_error

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
POLICY = Policy()
AGAIN = POLICY.attempts_transient
AGAIN_OVERLOADED = POLICY.attempts_rate_limited


def raw(status: int, body: Any = b"", **headers: str) -> RawReply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RawReply(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def judged(reply: RawReply) -> CallError:
    error = classify(reply, POLICY, NOW)
    assert error is not None
    return error


def says(code: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "it said so", "type": "t", "code": code, **more}}


@dataclass(frozen=True)
class Again:
    """Expected of something worth another attempt."""

    attempts: int = AGAIN
    wait_s: float | None = None
    slow_down: bool = False
    maybe_billed: bool = False


OVERLOADED = Again(AGAIN_OVERLOADED, slow_down=True)


@dataclass(frozen=True)
class Row:
    """A row of the failure catalogue: what came, and what it is."""

    reply: RawReply
    expected: Again | type[CallError]
    says: str = field(default="")


ROWS = {
    "429 with Retry-After in seconds": Row(
        raw(429, retry_after="2"), Again(AGAIN_OVERLOADED, 2.0, slow_down=True)
    ),
    "429 with retry-after-ms": Row(
        raw(429, retry_after_ms="1500"), Again(AGAIN_OVERLOADED, 1.5, slow_down=True)
    ),
    "429 with Retry-After as an HTTP date": Row(
        raw(429, retry_after="Sun, 22 Nov 2026 12:00:30 GMT"),
        Again(AGAIN_OVERLOADED, 30.0, slow_down=True),
    ),
    "503 with Retry-After in seconds": Row(
        raw(503, retry_after="2"), Again(AGAIN_OVERLOADED, 2.0, slow_down=True)
    ),
    "503 with retry-after-ms": Row(
        raw(503, retry_after_ms="1500"), Again(AGAIN_OVERLOADED, 1.5, slow_down=True)
    ),
    "503 with Retry-After as an HTTP date": Row(
        raw(503, retry_after="Sun, 22 Nov 2026 12:00:30 GMT"),
        Again(AGAIN_OVERLOADED, 30.0, slow_down=True),
    ),
    "429 with a delay in the body, as Google writes it": Row(
        raw(429, [{"error": {"code": 429, "details": [{"retryDelay": "34s"}]}}]),
        Again(AGAIN_OVERLOADED, 34.0, slow_down=True),
    ),
    "429 with no Retry-After": Row(raw(429), OVERLOADED),
    "429 with junk": Row(raw(429, retry_after="soon"), OVERLOADED),
    "429 with a negative number": Row(raw(429, retry_after="-3"), OVERLOADED),
    "429 with NaN": Row(raw(429, retry_after="NaN"), OVERLOADED),
    "429 with overflow": Row(raw(429, retry_after="1" + "0" * 400), OVERLOADED),
    "429 with a past date": Row(raw(429, retry_after="Sat, 21 Nov 2026 12:00:00 GMT"), OVERLOADED),
    "the server asks for 10 minutes": Row(
        raw(429, retry_after="600"), Again(AGAIN_OVERLOADED, 600.0, slow_down=True)
    ),
    "the server asks for more than 10 minutes": Row(
        raw(429, retry_after="7200"), FinalForRun, "asks to wait 120 min"
    ),
    "the server asks for a day by date": Row(
        raw(503, retry_after="Mon, 23 Nov 2026 12:00:00 GMT"), FinalForRun, "asks to wait 1440 min"
    ),
    "408": Row(raw(408), Again(maybe_billed=True)),
    "409": Row(raw(409), Again()),
    "425": Row(raw(425), Again()),
    "424, a backend's fault": Row(raw(424), Again()),
    "498, no capacity": Row(raw(498), OVERLOADED),
    "500": Row(raw(500), Again(maybe_billed=True)),
    "502": Row(raw(502), Again(maybe_billed=True)),
    "503": Row(raw(503), OVERLOADED),
    "504": Row(raw(504), Again(maybe_billed=True)),
    "520, Cloudflare's": Row(raw(520), Again(maybe_billed=True)),
    "522, Cloudflare's": Row(raw(522), Again(maybe_billed=True)),
    "524, Cloudflare's": Row(raw(524), Again(maybe_billed=True)),
    "530, an unheard-of 5xx": Row(raw(530), Again()),
    "529, overloaded": Row(raw(529), OVERLOADED),
    "x-should-retry false on a 503": Row(raw(503, x_should_retry="false"), FinalForCall),
    "x-should-retry false on a 429": Row(raw(429, x_should_retry="false"), FinalForCall),
    "x-should-retry true on a 400": Row(raw(400, x_should_retry="true"), Again()),
    "x-should-retry true on a 401": Row(raw(401, x_should_retry=" True "), Again()),
    "x-should-retry true on an empty purse": Row(
        raw(429, says("insufficient_quota"), x_should_retry="true"), FinalForRun
    ),
    "400 context length": Row(
        raw(400, says("context_length_exceeded")), FinalForCall, "HTTP 400: it said so"
    ),
    "413": Row(raw(413), FinalForCall),
    "415": Row(raw(415), FinalForCall),
    "422": Row(raw(422, {"detail": [{"msg": "bad"}]}), FinalForCall, "bad"),
    "400 content filter": Row(raw(400, says("content_filter")), FinalForCall),
    "400 content filter, Azure's inner code": Row(
        raw(400, says("content_filter", innererror={"code": "ResponsibleAIPolicyViolation"})),
        FinalForCall,
    ),
    "403 content filter": Row(raw(403, says("content_policy_violation")), FinalForCall),
    "401": Row(raw(401, says("invalid_api_key")), FinalForRun, "HTTP 401: it said so"),
    "402": Row(raw(402), FinalForRun),
    "403": Row(raw(403), FinalForRun),
    "404": Row(raw(404, {"detail": "Not Found"}), FinalForRun, "HTTP 404: Not Found"),
    "405": Row(raw(405), FinalForRun),
    "410": Row(raw(410), FinalForRun),
    "412, suspended": Row(raw(412), FinalForRun),
    "501": Row(raw(501), FinalForRun),
    "505": Row(raw(505), FinalForRun),
    "429 with insufficient_quota": Row(
        raw(429, says("insufficient_quota"), retry_after="1"), FinalForRun, "it said so"
    ),
    "429 with a spend limit": Row(
        raw(
            429,
            {"error": {"message": "m", "details": {"error_code": "enforced_spend_limit_reached"}}},
        ),
        FinalForRun,
    ),
    "200 with an error body, by the inner code 429": Row(
        raw(200, {"error": {"code": 429, "message": "slow"}}), OVERLOADED, "slow"
    ),
    "200 with an error body, by the inner code 502": Row(
        raw(200, {"error": {"code": 502, "message": "up"}}), Again(maybe_billed=True)
    ),
    "200 with an error body, by the inner code 402": Row(
        raw(200, {"error": {"code": "402", "message": "no credits"}}), FinalForRun, "no credits"
    ),
    "200 with an error body, by the inner code 400": Row(
        raw(200, {"error": {"code": 400, "message": "too long"}}), FinalForCall
    ),
    "200 with an error body without a code": Row(
        raw(200, {"error": {"message": "odd"}}), Again(maybe_billed=True), "odd"
    ),
    "200 with an error body that is a string": Row(
        raw(200, {"error": "odd"}), Again(maybe_billed=True), "odd"
    ),
    "redirect": Row(
        raw(307, location="https://elsewhere.example/x"), FinalForRun, "https://elsewhere.example/x"
    ),
    "redirect without a target": Row(raw(301), FinalForRun, "not followed"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_the_failure_catalogue(row: Row) -> None:
    error = judged(row.reply)

    assert row.says in error.message
    if isinstance(row.expected, Again):
        assert isinstance(error, Retryable)
        found = Again(error.attempts, error.wait_s, error.slow_down, error.maybe_billed)
        assert found == row.expected
    else:
        assert type(error) is row.expected


@pytest.mark.parametrize("status", [200, 201, 299])
def test_a_success_is_no_error(status: int) -> None:
    assert classify(raw(status, {"choices": []}), POLICY) is None


@pytest.mark.parametrize(
    "body",
    [
        {"error": None, "choices": []},
        {"error": {}, "choices": []},
        {"choices": [{"message": {"content": 'the "error" is his'}}]},
        {"choices": [{"error": "in here it is the model's own"}]},
        ["error"],
        b'{"error": cut',
        b'{"error":' + b"[" * 100_000,
    ],
    ids=["null", "empty", "in a text", "deeper", "in a list", "no JSON", "nested deep"],
)
def test_the_word_error_alone_makes_a_success_no_error(body: Any) -> None:
    assert classify(raw(200, body), POLICY) is None


def test_a_withheld_answer_has_its_own_status() -> None:
    assert judged(raw(400, says("content_filter"))).status == "content-filter"


@pytest.mark.parametrize("status", [307, 400, 401, 429, 500])
def test_other_errors_are_called_by_their_status(status: int) -> None:
    assert judged(raw(status)).status == f"http-{status}"


def test_a_shorter_longest_wait_is_obeyed() -> None:
    error = classify(raw(429, retry_after="61"), Policy(longest_server_wait_s=60.0))

    assert isinstance(error, FinalForRun)


TOLD = {
    "seconds": ({"retry-after": "3"}, 3.0),
    "seconds with a fraction": ({"retry-after": "0.25"}, 0.25),
    "blanks around": ({"retry-after": "  3 "}, 3.0),
    "nought": ({"retry-after": "0"}, 0.0),
    "milliseconds": ({"retry-after-ms": "250"}, 0.25),
    "milliseconds before seconds": ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    "seconds where milliseconds are junk": ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    "seconds where milliseconds are negative": ({"retry-after-ms": "-1", "retry-after": "9"}, 9.0),
    "an HTTP date": ({"retry-after": "Sun, 22 Nov 2026 12:01:00 GMT"}, 60.0),
    "a date in another zone": ({"retry-after": "Sun, 22 Nov 2026 13:01:00 +0100"}, 60.0),
    "a date without a zone": ({"retry-after": "Sun, 22 Nov 2026 12:01:00 -0000"}, 60.0),
    "a past date": ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
    "this very moment": ({"retry-after": "Sun, 22 Nov 2026 12:00:00 GMT"}, None),
    "a date that is none": ({"retry-after": "Sun, 99 Nov 2026 99:00:00 GMT"}, None),
    "a year too far": ({"retry-after": "Sun, 22 Nov 99999 12:00:00 GMT"}, None),
    "a zone too far": ({"retry-after": "Sun, 22 Nov 2026 12:00:00 +999999"}, None),
    "nothing": ({}, None),
    "an empty text": ({"retry-after": ""}, None),
    "words": ({"retry-after": "in a moment"}, None),
    "a negative number": ({"retry-after": "-1"}, None),
    "NaN": ({"retry-after": "nan"}, None),
    "infinity": ({"retry-after": "inf"}, None),
    "overflow": ({"retry-after": "1e999"}, None),
    "a Go duration": ({"retry-after": "6m0s"}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), TOLD.values(), ids=list(TOLD))
def test_how_long_the_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_date_is_compared_with_this_moment() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = retry_after({"retry-after": in_a_minute})

    assert seconds is not None
    assert 0 < seconds <= 60


SHAPES: dict[str, tuple[Any, str, set[str]]] = {
    "OpenAI: nested": (
        {"error": {"message": "No.", "type": "invalid", "param": None, "code": "bad"}},
        "No.",
        {"invalid", "bad"},
    ),
    "Anthropic: nested, with a type outside": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}},
        "Busy.",
        {"error", "overloaded_error"},
    ),
    "vLLM: a string": ({"error": "Unauthorized"}, "Unauthorized", set()),
    "SGLang: flat": (
        {"object": "error", "message": "No.", "type": "BadRequest", "code": 400},
        "No.",
        {"BadRequest", "400"},
    ),
    "FastAPI: a text": ({"detail": "Not Found"}, "Not Found", set()),
    "FastAPI: a list": (
        {"detail": [{"loc": ["body", "x"], "msg": "field required"}]},
        '[{"loc": ["body", "x"], "msg": "field required"}]',
        set(),
    ),
    "SiliconFlow: code and data": (
        {"code": 20012, "message": "No such model", "data": None},
        "No such model",
        {"20012"},
    ),
    "xAI: a code beside a string": ({"code": "bad", "error": "No."}, "No.", {"bad"}),
    "a message alone": ({"message": "No."}, "No.", set()),
    "Gemini: in a list": (
        [{"error": {"code": 429, "message": "Busy.", "status": "RESOURCE_EXHAUSTED"}}],
        "Busy.",
        {"429", "RESOURCE_EXHAUSTED"},
    ),
    "HTML": (b"<html><body><h1>502</h1>\n Bad  Gateway</body></html>", "502 Bad Gateway", set()),
    "plain text": (b"upstream timed out\n", "upstream timed out", set()),
    "bytes that are no text": (b"\xff\xfe\x00", "\ufffd\ufffd\0", set()),
    "nothing": (b"", "", set()),
    "an empty object": ({}, "", set()),
    "an empty error": ({"error": {}}, "", set()),
    "a null message": ({"error": {"message": None}}, "", set()),
    "a bare text": ("No.", "No.", set()),
    "nested deep": (b"[" * 100_000, "[" * 400, set()),
}


@pytest.mark.parametrize(("body", "message", "codes"), SHAPES.values(), ids=list(SHAPES))
def test_every_vendor_s_error_body_is_read(body: Any, message: str, codes: set[str]) -> None:
    said = read_error(raw(400, body).body)

    assert said.message == message
    assert said.codes == codes


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        ("34s", 34.0),
        ("0.5s", 0.5),
        ("34", None),
        ("-1s", None),
        ("soon", None),
        (34, None),
        (f"{'9' * 400}s", None),
    ],
)
def test_google_s_retry_info_is_read(delay: Any, seconds: float | None) -> None:
    details = [
        {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    said = read_error(raw(429, [{"error": {"code": 429, "details": details}}]).body)

    assert said.retry_delay_s == seconds


def test_a_header_is_believed_before_a_body() -> None:
    body = [{"error": {"details": [{"retryDelay": "34s"}]}}]
    error = judged(raw(429, body, retry_after="2"))

    assert isinstance(error, Retryable)
    assert error.wait_s == 2.0


def test_a_long_message_is_cut() -> None:
    assert len(read_error(raw(400, {"message": "x" * 10_000}).body).message) == 400


def test_a_message_is_one_line() -> None:
    assert read_error(raw(400, {"message": "a\n b\t\tc\r\n"}).body).message == "a b c"
