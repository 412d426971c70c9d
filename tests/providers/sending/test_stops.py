"""What ends the sending of a run, and what becomes of the calls that are under way then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from sent_calls import New, many, one, received, scorers, until

from rmjudge.calls import Failure, Reply
from rmjudge.errors import Interrupted, ProviderStopped, StopRun
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from served import ModelServer


@pytest.fixture
async def new() -> AsyncIterator[New]:
    async with scorers() as make:
        yield make


STOPPING = {
    "quota": "HTTP 429: You exceeded your current quota",
    "status:401": "HTTP 401: status 401 as asked",
    "status:402": "HTTP 402",
    "status:403": "HTTP 403",
    "status:404": "HTTP 404",
    "status:410": "HTTP 410",
    "status:429:retry-after=3600": "the endpoint asks to wait 60 min",
    "status:503:retry-after=601": "the endpoint asks to wait 10 min",
    "200-error:401": "HTTP 401",
    "redirect": "the endpoint redirects to http://127.0.0.1:9/elsewhere; redirects are not",
}


@pytest.mark.parametrize(("fault", "says"), STOPPING.items(), ids=list(STOPPING))
async def test_no_more_calls_are_sent_than_were_in_flight_when_the_run_stops(
    server: ModelServer, new: New, fault: str, says: str
) -> None:
    server.control(script=[fault] * 40, latency_s=0.05)
    outcomes = await many(new(server.reward, concurrency=4), 40)

    assert [type(outcome) for outcome in outcomes] == [ProviderStopped] * 40
    assert {str(outcome) for outcome in outcomes} == {str(outcomes[0])}
    assert str(outcomes[0]).startswith(f"vllm/rm: {says}")
    assert server.stats["received"] == 4


async def test_replies_in_flight_when_the_run_stops_are_kept(server: ModelServer, new: New) -> None:
    server.control(latency_s=0.3)
    scorer = new(server.reward, concurrency=4)
    paid = [asyncio.create_task(one(scorer, number)) for number in range(3)]
    await received(server, 3)
    server.control(script=["status:401"], latency_s=0.0)

    with pytest.raises(ProviderStopped):
        await one(scorer, 9)
    assert not any(task.done() for task in paid)
    assert all(isinstance(outcome, Reply) for outcome in await asyncio.gather(*paid))


async def test_a_redirect_is_never_followed(server: ModelServer, new: New) -> None:
    server.control(script=[f"redirect:{server.root}/classify"])

    with pytest.raises(ProviderStopped, match="the key would go along"):
        await one(new(server.reward))
    assert server.stats["received"] == 1


async def test_the_first_twenty_calls_refused_alike_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["context"] * 40)
    scorer = new(server.reward)
    outcomes = [(await many(scorer, 1, first=number))[0] for number in range(22)]

    assert [type(outcome) for outcome in outcomes] == [Failure] * 19 + [ProviderStopped] * 3
    assert "the first 20 calls were refused alike" in str(outcomes[19])
    assert "maximum context length is 10 tokens" in str(outcomes[19])
    assert server.stats["received"] == 20


async def test_calls_that_fail_one_after_the_other_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["ok"] + ["truncated-json"] * 20)
    scorer = new(server.reward, Policy(attempts_malformed=1, failures_in_a_row=3))
    outcomes = [(await many(scorer, 1))[0] for _ in range(5)]

    assert [type(outcome) for outcome in outcomes] == [
        Reply,
        *[Failure] * 2,
        *[ProviderStopped] * 2,
    ]
    assert "3 calls failed in a row; the last: the reply cannot be read" in str(outcomes[3])


async def test_long_items_among_good_ones_do_not_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["ok"] + ["context"] * 10)
    scorer = new(server.reward)
    outcomes = [await one(scorer, number) for number in range(11)]

    assert [type(outcome) for outcome in outcomes] == [Reply] + [Failure] * 10


async def test_the_retries_of_a_run_are_bounded(server: ModelServer, new: New) -> None:
    server.control(faults=["status:500"], rate=1.0)
    policy = Policy(backoff_first_s=0.001, backoff_most_s=0.001, retries_beyond_successes=10)
    scorer = new(server.reward, policy)
    outcomes = [(await many(scorer, 1))[0] for _ in range(4)]

    assert [type(outcome) for outcome in outcomes] == [Failure] + [ProviderStopped] * 3
    assert "more retries (11) than the run allows" in str(outcomes[1])
    assert server.stats["received"] == 11


WAITING = {
    "as the server asked": ["status:429:retry-after=500"],
    "before another attempt": ["status:500"],
}


@pytest.mark.parametrize("script", WAITING.values(), ids=list(WAITING))
async def test_calls_that_wait_give_up_when_the_run_ends(
    server: ModelServer, new: New, script: list[str]
) -> None:
    server.control(script=script)
    scorer = new(server.reward, Policy(backoff_first_s=10**6, backoff_most_s=10**6))
    call = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.retried)
    scorer.drain()

    with pytest.raises(Interrupted):
        await asyncio.wait_for(call, 30)
    assert server.stats["received"] == 1


async def test_calls_that_wait_for_a_rate_give_up_when_the_run_ends(
    server: ModelServer, new: New
) -> None:
    scorer = new(server.reward, rpm=0.5)
    calls = [asyncio.create_task(one(scorer, number)) for number in range(4)]
    async with asyncio.timeout(30):
        done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        scorer.drain()
        given_up = await asyncio.gather(*waiting, return_exceptions=True)

    assert len(done) == 1
    assert [type(error) for error in given_up] == [Interrupted] * 3
    assert server.stats["received"] == 1


async def test_a_call_in_flight_is_finished_when_the_run_ends(
    server: ModelServer, new: New
) -> None:
    server.control(latency_s=0.2)
    scorer = new(server.reward)
    call = asyncio.create_task(one(scorer))
    await received(server, 1)
    scorer.drain()

    assert isinstance(await call, Reply)
    with pytest.raises(StopRun):
        await one(scorer, 2)
