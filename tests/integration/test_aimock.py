"""aimock: vendors' reply shapes, hidden reasoning, and errors on demand."""

from __future__ import annotations

import time

import pytest

from rmjudge.calls import Failure, Unscored, Verdict
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.chat import provider_of

from .asking import DIALECTS, TWICE, Dialect, ask, reply_of
from .servers import Aimock

pytestmark = pytest.mark.integration
every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
TIE = {"content": "Both are right. \\boxed{A=B}"}
REASONING_MODELS = {
    "openai": "o4-mini",
    "openai-responses": "o4-mini",
    "anthropic": "claude-opus-4-6",
    "gemini": "gemini-3-pro",
}
KEY = "sk-a-key-for-aimock-0123456789"


@every_dialect
async def test_the_visible_text_is_read(aimock: Aimock, dialect: Dialect) -> None:
    aimock.teach("some-model", TIE)
    assert (await reply_of(dialect("some-model", aimock.url))).answer == Verdict(0.5)


@pytest.mark.parametrize("name", DIALECTS)
async def test_a_verdict_in_hidden_reasoning_is_not_read(aimock: Aimock, name: str) -> None:
    model = REASONING_MODELS[name]
    hidden = {"reasoning": "At first sight \\boxed{A>>B}, but no.", "content": "\\boxed{B>A}"}
    aimock.teach(model, {**hidden, "redactedThinking": ["c2VjcmV0"]})
    reply = await reply_of(DIALECTS[name](model, aimock.url))
    assert "At first sight" in reply.raw
    assert reply.answer == Verdict(0.0)


async def test_openrouters_reasoning_is_not_read(aimock: Aimock) -> None:
    hidden = {"reasoning": "At first sight \\boxed{A>>B}, but no.", "content": "\\boxed{B>A}"}
    aimock.teach("openai/o4-mini", hidden)
    judge = provider_of("openrouter")(Target("openai/o4-mini", f"{aimock.url}/api/v1"))
    assert (await reply_of(judge)).answer == Verdict(0.0)


@pytest.mark.parametrize("name", ["openai", "anthropic", "openai-responses"])
async def test_tokens_are_counted(aimock: Aimock, name: str) -> None:
    usage = {"prompt_tokens": 120, "completion_tokens": 7, "total_tokens": 127}
    aimock.teach("some-model", {**TIE, "usage": usage})
    found = (await reply_of(DIALECTS[name]("some-model", aimock.url))).usage
    assert (found.input_tokens, found.output_tokens) == (120, 7)


@every_dialect
async def test_an_answer_that_was_cut_is_truncated(aimock: Aimock, dialect: Dialect) -> None:
    aimock.teach("some-model", {"content": "I think \\boxed{A>B}", "finishReason": "length"})
    answer = (await reply_of(dialect("some-model", aimock.url))).answer
    assert isinstance(answer, Unscored)
    assert answer.status == "truncated"


@pytest.mark.parametrize("name", ["openai", "gemini"])
async def test_an_answer_that_was_withheld_is_content_filter(aimock: Aimock, name: str) -> None:
    aimock.teach("some-model", {"content": "\\boxed{A>B}", "finishReason": "content_filter"})
    answer = (await reply_of(DIALECTS[name]("some-model", aimock.url))).answer
    assert isinstance(answer, Unscored)
    assert answer.status == "content-filter"


@every_dialect
async def test_a_429_is_waited_for_as_long_as_the_server_asks(
    aimock: Aimock, dialect: Dialect
) -> None:
    limit = {"message": "slow down, please", "type": "rate_limit_error"}
    aimock.teach("some-model", {"error": limit, "status": 429, "retryAfter": 2}, turn=0)
    aimock.teach("some-model", TIE, turn=1)
    start = time.monotonic()
    (outcome,) = await ask(dialect("some-model", aimock.url), policy=TWICE)
    assert not isinstance(outcome, Failure)
    assert 2 <= time.monotonic() - start < 4
    assert [entry["response"]["status"] for entry in aimock.asked] == [429, 200]


@every_dialect
@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
async def test_a_fault_of_the_server_is_tried_again(
    aimock: Aimock, dialect: Dialect, status: int
) -> None:
    fault = {"message": "Overloaded", "type": "overloaded_error"}
    aimock.teach("some-model", {"error": fault, "status": status}, turn=0)
    aimock.teach("some-model", TIE, turn=1)
    (outcome,) = await ask(dialect("some-model", aimock.url), policy=TWICE)
    assert not isinstance(outcome, Failure)
    assert [entry["response"]["status"] for entry in aimock.asked] == [status, 200]


@every_dialect
async def test_a_fault_that_stays_is_told_after_the_attempts(
    aimock: Aimock, dialect: Dialect
) -> None:
    fault = {"message": "Overloaded", "type": "overloaded_error"}
    aimock.teach("some-model", {"error": fault, "status": 529})
    outcomes = await ask(dialect("some-model", aimock.url), policy=TWICE)
    # What comes of the next calls tells whether this one or the endpoint is to blame.
    assert outcomes == [Failure("http-529", "HTTP 529: Overloaded", unclear=True)]
    assert len(aimock.asked) == 2


@every_dialect
async def test_a_refused_request_is_not_sent_again(aimock: Aimock, dialect: Dialect) -> None:
    error = {"message": "maximum context length is 4 tokens", "type": "invalid_request_error"}
    aimock.teach("some-model", {"error": error, "status": 400})
    outcomes = await ask(dialect("some-model", aimock.url), policy=TWICE)
    assert outcomes == [Failure("http-400", "HTTP 400: maximum context length is 4 tokens")]
    assert len(aimock.asked) == 1


@every_dialect
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "insufficient_quota"),
    ],
)
async def test_a_key_purse_or_model_that_is_refused_stops_the_run(
    aimock: Aimock, dialect: Dialect, status: int, kind: str
) -> None:
    error = {"message": "not for you", "type": kind, "code": kind}
    aimock.teach("some-model", {"error": error, "status": status})
    with pytest.raises(ProviderStopped, match=f"HTTP {status}: not for you"):
        await ask(dialect("some-model", aimock.url), policy=TWICE)
    assert len(aimock.asked) == 1


@every_dialect
@pytest.mark.parametrize(
    ("chaos", "failure"),
    [
        ("malformedRate", "malformed"),
        ("disconnectRate", "connection-lost"),
        ("dropRate", "http-500"),
        ("rateLimitRate", "http-429"),
    ],
)
async def test_a_reply_that_does_not_come_whole_is_a_failure(
    aimock: Aimock, dialect: Dialect, chaos: str, failure: str
) -> None:
    aimock.teach("some-model", TIE, chaos=chaos)
    (outcome,) = await ask(dialect("some-model", aimock.url))
    assert isinstance(outcome, Failure)
    assert outcome.status == failure


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("openai", "authorization", f"Bearer {KEY}"),
        ("openai-responses", "authorization", f"Bearer {KEY}"),
        ("anthropic", "x-api-key", KEY),
        ("gemini", "x-goog-api-key", KEY),
    ],
)
async def test_the_key_goes_into_one_header_and_nowhere_else(
    aimock: Aimock, name: str, header: str, value: str
) -> None:
    aimock.teach("some-model", TIE)
    await reply_of(DIALECTS[name]("some-model", aimock.url), key=KEY)
    (entry,) = aimock.asked
    assert KEY not in entry["path"]
    assert KEY not in str(entry["body"])
    # The journal strikes out the keys that it knows.
    assert header in entry["headers"]
    assert entry["headers"][header] in (value, "[REDACTED]")
