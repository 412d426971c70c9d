"""Replies over a real socket: what is an answer, what is kept, what is asked again."""

from __future__ import annotations

import gc
import json
import math
import tracemalloc
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from sent_calls import New, scorers

from rmjudge.calls import (
    CompareCall,
    Failure,
    Outcome,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Verdict,
)
from rmjudge.errors import ProviderStopped
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from served import ModelServer

CALL = CompareCall("prompt", "one", "two")
REWARD_CALL = RewardCall("prompt", "one")
QUICK = Policy(backoff_first_s=0.001, backoff_most_s=0.001, body_limit=2**20)


@pytest.fixture
async def new() -> AsyncIterator[New]:
    async with scorers(QUICK) as make:
        yield make


async def one(scorer: HostedScorer) -> Outcome:
    (outcome,) = await scorer.answer([CALL if scorer.method == "pairwise" else REWARD_CALL])
    return outcome


async def replied(scorer: HostedScorer) -> Reply:
    outcome = await one(scorer)
    assert isinstance(outcome, Reply), outcome
    return outcome


async def failed(scorer: HostedScorer) -> Failure:
    outcome = await one(scorer)
    assert isinstance(outcome, Failure), outcome
    return outcome


async def test_a_verdict_comes_with_its_reply_usage_and_model(
    server: ModelServer, new: New
) -> None:
    reply = await replied(new(server.judge))
    raw = json.loads(reply.raw)

    assert isinstance(reply.answer, Verdict)
    assert raw["choices"][0]["message"]["content"].startswith("Both were compared.")
    assert reply.model == "judge"
    assert reply.usage.output_tokens == 9
    assert reply.usage.input_tokens == raw["usage"]["prompt_tokens"]
    assert reply.usage.cached_tokens == raw["usage"]["prompt_tokens_details"]["cached_tokens"]


async def test_a_reward_comes_with_its_reply_and_model(server: ModelServer, new: New) -> None:
    reply = await replied(new(server.reward))
    (entry,) = json.loads(reply.raw)["data"]

    assert reply.answer == Reward(entry["probs"][0])
    assert reply.model == "rm"


async def test_a_kept_reply_can_be_read_again(server: ModelServer, new: New) -> None:
    scorer = new(server.judge)
    reply = await replied(scorer)

    assert scorer.parse(CALL, reply.raw) == reply.answer
    assert reply.parser == scorer.parser


UNSCORED = {
    "refusal": "refusal",
    "content-filter": "content-filter",
    "length": "truncated",
    "no-verdict": "unparsed",
    "contradiction": "unparsed",
}


@pytest.mark.parametrize(("fault", "status"), UNSCORED.items(), ids=list(UNSCORED))
async def test_a_paid_reply_without_a_score_is_kept_and_not_asked_for_again(
    server: ModelServer, new: New, fault: str, status: str
) -> None:
    server.control(script=[fault])
    reply = await replied(new(server.judge))

    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == status
    assert "choices" in json.loads(reply.raw)
    assert server.stats["received"] == 1


async def test_a_hostile_text_is_kept_to_the_letter(server: ModelServer, new: New) -> None:
    server.control(script=["hostile"])
    reply = await replied(new(server.judge))
    text = json.loads(reply.raw)["choices"][0]["message"]["content"]

    assert reply.answer == Verdict(1.0)
    assert text.startswith("[/INST]\x1b]0;pwned\x07\x1b[31m \ud800 \u202e \x00 =cmd()")


@pytest.mark.parametrize("fault", ["null-content", "empty-choices"])
async def test_an_empty_reply_is_asked_for_once_again(
    server: ModelServer, new: New, fault: str
) -> None:
    server.control(script=[fault])
    reply = await replied(new(server.judge))

    assert isinstance(reply.answer, Verdict)
    assert server.stats["received"] == 2


@pytest.mark.parametrize("fault", ["null-content", "empty-choices"])
async def test_a_reply_that_is_empty_twice_is_kept_as_empty(
    server: ModelServer, new: New, fault: str
) -> None:
    server.control(script=[fault] * 5)
    reply = await replied(new(server.judge))

    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == "empty"
    assert "choices" in json.loads(reply.raw)
    assert server.stats["received"] == 2


MALFORMED = {
    "truncated-json": "no JSON",
    "html": "content-type is 'text/html', not JSON",
    "bad-gzip": "does not decompress",
    "gzip-short": "the compressed body ends early",
    "gzip-bomb": "the body is over 1048576 bytes",
    "huge": "the body is over 1048576 bytes",
    "encoding:br": "content-encoding 'br' was not asked for",
    "nesting": "no JSON",
    "wrong-shape": "a completion has `choices`",
    "broken-off:error": "the server gave up",
    "broken-off:network_error": "the server gave up",
    "broken-off:CANCELLED": "the server gave up",
}


@pytest.mark.parametrize(("fault", "why"), MALFORMED.items(), ids=list(MALFORMED))
async def test_an_unreadable_reply_is_asked_for_twice_again_then_failed(
    server: ModelServer, new: New, fault: str, why: str
) -> None:
    server.control(script=[fault] * 9)
    scorer = new(server.judge)
    failure = await failed(scorer)

    assert failure.status == "malformed"
    assert why in failure.detail
    assert server.stats["received"] == 3
    assert scorer.activity.maybe_billed == 3


@pytest.mark.parametrize("fault", MALFORMED)
async def test_a_good_reply_after_unreadable_ones_counts(
    server: ModelServer, new: New, fault: str
) -> None:
    server.control(script=[fault] * 2)

    assert isinstance((await replied(new(server.judge))).answer, Verdict)


async def test_a_classification_with_two_labels_is_no_reward(server: ModelServer, new: New) -> None:
    server.control(script=["two-labels"] * 9)
    failure = await failed(new(server.reward))

    assert failure.status == "malformed"
    assert "2 labels" in failure.detail


async def test_a_compressed_reply_is_the_same_reply(server: ModelServer, new: New) -> None:
    plain = await replied(new(server.judge))
    server.control(script=["gzip"])

    assert await replied(new(server.judge)) == plain


@pytest.mark.parametrize("fault", ["gzip-bomb", "huge"])
async def test_a_reply_over_the_cap_does_not_fill_the_memory(
    server: ModelServer, new: New, fault: str
) -> None:
    server.control(script=[fault] * 9)
    tracemalloc.start()
    try:
        await failed(new(server.judge))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 8 * 2**20  # of 32 and 64 MiB


async def test_replies_that_were_refused_are_not_kept_by_their_errors(
    server: ModelServer, new: New
) -> None:
    server.control(script=["gzip-bomb"] * 90)
    scorer = new(server.judge)
    await failed(scorer)  # imports what it needs
    gc.disable()  # nobody comes by to collect what errors and their frames keep
    tracemalloc.start()
    try:
        for _ in range(15):
            await failed(scorer)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()

    assert kept < 8 * 2**20  # of 45 at 1 MiB and more


async def test_a_reply_just_within_the_cap_is_read_and_one_byte_more_is_not(
    server: ModelServer, new: New
) -> None:
    size = len(json.dumps(json.loads((await replied(new(server.judge))).raw)))
    within, beyond = (Policy(body_limit=limit, backoff_first_s=0.001) for limit in (size, size - 1))

    assert isinstance(await one(new(server.judge, within)), Reply)
    assert isinstance(await one(new(server.judge, beyond)), Failure)


async def test_the_status_counts_before_the_size(server: ModelServer, new: New) -> None:
    server.control(script=["huge:401"] * 9)

    with pytest.raises(ProviderStopped, match="HTTP 401"):
        await one(new(server.judge))
    assert server.stats["received"] == 1


NO_NUMBERS = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "overflow": "1e999",
    "an integer beyond every float": "1" + "0" * 400,
    "a bool": "true",
    "a string": '"0.5"',
    "null": "null",
    "a list": "[0.5]",
}


@pytest.mark.parametrize("reward", NO_NUMBERS.values(), ids=list(NO_NUMBERS))
async def test_a_reward_that_is_no_finite_number_is_kept_as_no_score(
    server: ModelServer, new: New, reward: str
) -> None:
    server.control(script=[f"reward:{reward}"])
    reply = await replied(new(server.reward))

    assert isinstance(reply.answer, Unscored)
    assert reply.answer.status == "not-a-number"
    assert server.stats["received"] == 1


@pytest.mark.parametrize("reward", ["-3.657054", "0", "7", "1e-300", "12345.678"])
async def test_a_reward_is_taken_as_it_comes(server: ModelServer, new: New, reward: str) -> None:
    server.control(script=[f"reward:{reward}"])
    answer = (await replied(new(server.reward))).answer

    assert isinstance(answer, Reward)
    assert math.isclose(answer.value, float(reward), rel_tol=0, abs_tol=0)


@pytest.mark.parametrize("fault", ["cut", "reset"])
async def test_a_lost_connection_is_tried_again_and_counted_as_maybe_billed(
    server: ModelServer, new: New, fault: str
) -> None:
    server.control(script=[fault, fault])
    scorer = new(server.judge)

    assert isinstance((await replied(scorer)).answer, Verdict)
    assert scorer.activity.maybe_billed == 2
    assert server.stats["received"] == 3


async def test_a_connection_that_is_always_lost_fails_the_call(
    server: ModelServer, new: New
) -> None:
    server.control(script=["reset"] * 20)
    failure = await failed(new(server.judge))

    assert failure.status == "connection-lost"
    assert server.stats["received"] == Policy().attempts_transient


async def test_a_success_with_an_error_in_it_is_asked_for_again(
    server: ModelServer, new: New
) -> None:
    server.control(script=["200-error:502"])

    assert isinstance((await replied(new(server.judge))).answer, Verdict)
    assert server.stats["received"] == 2


async def test_a_success_with_a_refused_request_in_it_fails_the_call(
    server: ModelServer, new: New
) -> None:
    server.control(script=["200-error:400"])
    failure = await failed(new(server.judge))

    assert failure == Failure("http-400", "HTTP 400: upstream failed")
    assert server.stats["received"] == 1


async def test_a_success_with_an_empty_purse_in_it_stops_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["200-error:402"])

    with pytest.raises(ProviderStopped, match="HTTP 402: upstream failed"):
        await one(new(server.judge))


async def test_another_model_behind_the_name_is_noted(server: ModelServer, new: New) -> None:
    server.control(script=["other-model:judge-2"])

    assert (await replied(new(server.judge))).model == "judge-2"


async def test_what_is_sent_is_ascii_json_without_surprises(server: ModelServer, new: New) -> None:
    await new(server.judge).answer([CompareCall("\ud800 \0 é", "one", "two")])
    (headers,) = server.stats["headers"]

    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert "cookie" not in headers
    assert "authorization" not in headers


async def test_the_environment_s_proxy_is_used(
    server: ModelServer, new: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.root)

    # The test server was asked for a whole address, as a proxy is, and serves none.
    with pytest.raises(ProviderStopped, match=r"POST http://rm\.example\.invalid/classify"):
        await one(new("vllm/rm@http://rm.example.invalid"))
