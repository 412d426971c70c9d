"""A LiteLLM proxy: the same judge through four dialects, decisions, and errors."""

from __future__ import annotations

import pytest

from rmjudge.calls import Failure, Reply, Unscored, Verdict
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.decisions import OpenAIDecisions, SystemOne

from .asking import COMPARISON, DIALECTS, LONGER, Dialect, ask, chat, reply_of
from .servers import PROXY_KEY, TINY_LM, Aimock, Server

pytestmark = pytest.mark.integration
every_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


@every_dialect
async def test_a_canned_verdict_is_read(proxy: Server, dialect: Dialect) -> None:
    reply = await reply_of(dialect("canned", proxy.url), key=PROXY_KEY)
    assert reply.answer == Verdict(1.0)


@every_dialect
async def test_a_real_judge_answers_as_it_does_without_the_proxy(
    proxy: Server, served: Server, dialect: Dialect
) -> None:
    for call in (COMPARISON, LONGER):
        through = await reply_of(dialect("judge", proxy.url), call, key=PROXY_KEY)
        direct = await reply_of(chat(str(TINY_LM), served.url), call)
        assert isinstance(direct.answer, Verdict)
        assert through.answer == direct.answer


@every_dialect
async def test_a_real_judges_tokens_are_counted(
    proxy: Server, served: Server, dialect: Dialect
) -> None:
    assert served
    reply = await reply_of(dialect("judge", proxy.url), key=PROXY_KEY)
    assert (reply.usage.input_tokens or 0) > 100
    assert 1 < (reply.usage.output_tokens or 0) < 20


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("model", "status", "said"),
    [
        ("limited", "http-429", "this is a mock rate limit error"),
        ("broken", "http-500", "this is a mock internal server error"),
        ("long", "http-400", "this is a mock context window exceeded error"),
    ],
)
async def test_an_error_keeps_its_class_and_its_words(
    proxy: Server, name: str, model: str, status: str, said: str
) -> None:
    (outcome,) = await ask(DIALECTS[name](model, proxy.url), key=PROXY_KEY)
    assert isinstance(outcome, Failure)
    assert outcome.status == status
    assert said in outcome.detail


UPSTREAM_ERRORS = {
    "upstream-429": (429, "rate_limit_error", "slow down, please"),
    "upstream-500": (500, "server_error", "it broke"),
    "upstream-529": (529, "overloaded_error", "too many people ask"),
    "upstream-long": (400, "invalid_request_error", "maximum context length is 4 tokens"),
}


@every_dialect
@pytest.mark.parametrize("model", UPSTREAM_ERRORS)
async def test_an_error_from_behind_the_proxy_keeps_its_words(
    proxy: Server, aimock: Aimock, dialect: Dialect, model: str
) -> None:
    status, kind, message = UPSTREAM_ERRORS[model]
    aimock.teach(model, {"error": {"message": message, "type": kind}, "status": status})
    judge = dialect(model, proxy.url)
    (outcome,) = await ask(judge, key=PROXY_KEY)
    assert isinstance(outcome, Failure)
    assert message in outcome.detail
    # Before generateContent LiteLLM makes a 500 of whatever is no 429.
    blurred = judge.name == "gemini" and status != 429
    assert outcome.status == f"http-{500 if blurred else status}"


@every_dialect
async def test_an_answer_cut_behind_the_proxy_is_truncated(
    proxy: Server, aimock: Aimock, dialect: Dialect
) -> None:
    aimock.teach("upstream-long", {"content": "I think that", "finishReason": "length"})
    reply = await reply_of(dialect("upstream-long", proxy.url), key=PROXY_KEY)
    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == "truncated"


@every_dialect
async def test_a_model_that_the_proxy_does_not_know_stops_the_run(
    proxy: Server, dialect: Dialect
) -> None:
    with pytest.raises(ProviderStopped, match="Invalid model name passed in model=nobody"):
        await ask(dialect("nobody", proxy.url), key=PROXY_KEY)


@every_dialect
async def test_a_wrong_key_brings_no_answer_and_is_never_shown(
    proxy: Server, dialect: Dialect
) -> None:
    # Without a database the proxy says 400, so that this is final for the call only.
    wrong = "sk-a-wrong-key-that-nobody-may-see"
    try:
        outcomes = await ask(dialect("canned", proxy.url), key=wrong)
    except ProviderStopped as stopped:
        assert wrong not in str(stopped)  # noqa: PT017
    else:
        assert not any(isinstance(outcome, Reply) for outcome in outcomes)
        assert wrong not in str(outcomes)


@pytest.mark.parametrize("kind", [OpenAIDecisions, SystemOne])
async def test_a_decision_is_a_probability(
    proxy: Server, served: Server, kind: type[OpenAIDecisions | SystemOne]
) -> None:
    assert served
    reply = await reply_of(kind(Target("decider", f"{proxy.url}/v1")), key=PROXY_KEY)
    assert isinstance(reply.answer, Verdict)
    assert 0 < reply.answer.first < 1
    assert (reply.usage.input_tokens or 0) > 100


async def test_system_one_through_the_proxy_is_system_one_without(
    proxy: Server, served: Server
) -> None:
    through = await reply_of(SystemOne(Target("decider", f"{proxy.url}/v1")), key=PROXY_KEY)
    direct = await reply_of(SystemOne(Target(str(TINY_LM), f"{served.url}/v1")))
    assert through.answer == direct.answer


@pytest.mark.parametrize("kind", [OpenAIDecisions, SystemOne])
async def test_a_decision_of_an_unknown_model_stops_the_run(
    proxy: Server, kind: type[OpenAIDecisions | SystemOne]
) -> None:
    with pytest.raises(ProviderStopped):
        await ask(kind(Target("nobody", f"{proxy.url}/v1")), key=PROXY_KEY)
