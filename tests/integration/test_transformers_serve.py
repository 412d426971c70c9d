"""`transformers serve`: chat completions, Responses and System One from a real model."""

from __future__ import annotations

import json

import pytest

from rmjudge.calls import Failure, Unscored, Verdict
from rmjudge.errors import ProviderStopped
from rmjudge.judging.methods import METHODS
from rmjudge.providers.anthropic import Anthropic
from rmjudge.providers.base import Target
from rmjudge.providers.decisions import OpenAIDecisions, SystemOne
from rmjudge.providers.responses import OpenAIResponses

from .asking import COMPARISON, LONGER, ONCE, TWICE, ask, chat, reply_of
from .servers import TINY_LM, Server

pytestmark = pytest.mark.integration
MODEL = str(TINY_LM)


async def test_a_chat_judge_gives_verdicts(served: Server) -> None:
    short = await reply_of(chat(MODEL, served.url), COMPARISON)
    long = await reply_of(chat(MODEL, served.url), LONGER)
    assert isinstance(short.answer, Verdict)
    assert isinstance(long.answer, Verdict)
    assert short.answer != long.answer


async def test_a_chat_reply_tells_model_and_tokens(served: Server) -> None:
    reply = await reply_of(chat(MODEL, served.url))
    assert reply.model == f"{MODEL}@main"
    assert (reply.usage.input_tokens or 0) > 100
    assert 1 < (reply.usage.output_tokens or 0) < 20


async def test_the_same_question_is_answered_alike(served: Server) -> None:
    first, second = [await reply_of(chat(MODEL, served.url)) for _ in range(2)]
    assert first.answer == second.answer


async def test_a_responses_judge_gives_the_verdict_of_chat(served: Server) -> None:
    judge = OpenAIResponses(Target(MODEL, f"{served.url}/v1"))
    by_responses = await reply_of(judge)
    by_chat = await reply_of(chat(MODEL, served.url))
    assert by_responses.answer == by_chat.answer
    assert by_responses.usage.input_tokens == by_chat.usage.input_tokens


async def test_an_answer_cut_by_the_token_limit_is_truncated(served: Server) -> None:
    reply = await reply_of(chat(MODEL, served.url, {"max_tokens": 3}))
    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == "truncated"


@pytest.mark.parametrize("method", ["pairwise-logprob", "pointwise-logprob"])
async def test_logprobs_that_the_server_ignores_leave_no_score(served: Server, method: str) -> None:
    reply = await reply_of(chat(MODEL, served.url, method=method))
    assert reply.answer == Unscored("unparsed", "no token probabilities in the reply")


@pytest.mark.parametrize("method", ["pairwise-two-level", "pointwise"])
async def test_an_answer_in_another_form_is_unparsed(served: Server, method: str) -> None:
    assert METHODS[method].reasons
    reply = await reply_of(chat(MODEL, served.url, method=method))
    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == "unparsed"


async def test_system_one_gives_a_probability(served: Server) -> None:
    reply = await reply_of(SystemOne(Target(MODEL, f"{served.url}/v1")))
    assert isinstance(reply.answer, Verdict)
    assert 0 < reply.answer.first < 1
    stored = json.loads(reply.raw)["answers"]["better"]["probabilities"]
    assert reply.answer.first == pytest.approx(stored["A"], abs=1e-6)
    assert reply.usage.output_tokens == 0


async def test_an_unknown_parameter_is_final_in_the_servers_words(served: Server) -> None:
    (outcome,) = await ask(chat(MODEL, served.url, {"frobnicate": 1}), policy=TWICE)
    assert isinstance(outcome, Failure)
    assert outcome.status == "http-422"
    assert "Unexpected fields in the request: {'frobnicate'}" in outcome.detail


async def test_system_one_tells_which_field_is_unknown(served: Server) -> None:
    provider = SystemOne(Target(MODEL, f"{served.url}/v1", {"frobnicate": 1}))
    (outcome,) = await ask(provider, policy=TWICE)
    assert isinstance(outcome, Failure)
    assert outcome.status == "http-422"
    assert "frobnicate" in outcome.detail
    assert "Extra inputs are not permitted" in outcome.detail


async def test_another_model_than_the_served_one_is_final(served: Server) -> None:
    (outcome,) = await ask(chat("someone/else", served.url), policy=TWICE)
    assert isinstance(outcome, Failure)
    assert outcome.status == "http-400"
    assert "Server is pinned to" in outcome.detail


async def test_a_mistake_told_as_500_in_plain_text_is_given_up_after_the_attempts(
    served: Server,
) -> None:
    (outcome,) = await ask(chat(MODEL, served.url, {"messages": 7}), policy=TWICE)
    # The server closes the connection after a 500, so the last attempt may find it gone.
    assert isinstance(outcome, Failure)
    assert outcome.status in ("http-500", "connection-lost")


@pytest.mark.parametrize("kind", [Anthropic, OpenAIDecisions])
async def test_an_endpoint_that_the_server_does_not_have_stops_the_run(
    served: Server, kind: type[Anthropic | OpenAIDecisions]
) -> None:
    with pytest.raises(ProviderStopped, match="HTTP 404: Not Found"):
        await ask(kind(Target(MODEL, served.url)), policy=ONCE)
