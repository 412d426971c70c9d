"""Trying again over a real socket: how often, how long after, and what holds meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sent_calls import New, many, one, scorers, until

from rmjudge.calls import Failure, Json, Reply, Reward
from rmjudge.providers.sending.messages import Request
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.sender import Sender
from rmjudge.scorer import Activity

if TYPE_CHECKING:
    from served import ModelServer


@pytest.fixture
async def new() -> AsyncIterator[New]:
    async with scorers() as make:
        yield make


TRANSIENT = ["status:408", "status:409", "status:425", "status:500", "status:502", "status:503"]
TRANSIENT += ["status:504", "status:529", "status:429", "reset", "cut", "200-error:502"]


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_a_passing_error_is_tried_again(server: ModelServer, new: New, fault: str) -> None:
    server.control(script=[fault, fault])

    assert isinstance(await one(new(server.reward)), Reply)
    assert server.stats["received"] == 3


async def test_every_attempt_sends_the_same_request(server: ModelServer, new: New) -> None:
    server.control(script=["status:500"] * 3)
    await one(new(server.reward))

    assert server.stats["distinct"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "attempts"),
    [
        ("status:500", "http-500", Policy().attempts_transient),
        ("status:503", "http-503", Policy().attempts_rate_limited),
        ("status:429", "http-429", Policy().attempts_rate_limited),
        ("should-not-retry", "http-503", 1),
        ("context", "http-400", 1),
        ("filter-400", "content-filter", 1),
        ("status:413", "http-413", 1),
        ("status:422", "http-422", 1),
    ],
)
async def test_an_error_that_stays_fails_the_call_after_so_many_attempts(
    server: ModelServer, new: New, fault: str, status: str, attempts: int
) -> None:
    server.control(script=[fault] * 30)
    failure = await one(new(server.reward))

    assert isinstance(failure, Failure)
    assert failure.status == status
    assert server.stats["received"] == attempts


async def test_a_server_that_says_so_is_asked_again_after_a_400(
    server: ModelServer, new: New
) -> None:
    server.control(script=["status:400:x-should-retry=true"])

    assert isinstance(await one(new(server.reward)), Reply)
    assert server.stats["received"] == 2


@dataclass
class Naps:
    """Sleeps that only write down how long they were to be."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def parse(body: Json) -> list[Reply]:
    assert isinstance(body, dict)
    return [Reply(Reward(1.0))]


async def naps_of(server: ModelServer, script: list[str], policy: Policy) -> list[float]:
    """How long a sender waited between the attempts of one call."""
    server.control(script=script)
    naps = Naps()
    sender = Sender(
        server.root, name="vllm/rm", activity=Activity(), concurrency=1, policy=policy, sleep=naps
    )
    try:
        await sender.send(Request("/classify", {"model": "m", "messages": []}), parse, 0)
    finally:
        await sender.aclose()
    return naps.seconds


@pytest.mark.parametrize("seed", [1, 2])
async def test_waits_are_full_jitter_under_a_doubling_ceiling(
    server: ModelServer, seed: int
) -> None:
    random.seed(seed)
    naps = await naps_of(server, ["status:429"] * 11, Policy())
    again = random.Random(seed)
    ceilings = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]

    assert naps == [again.uniform(0, ceiling) for ceiling in ceilings]


async def test_what_the_server_asked_for_comes_on_top_of_the_jitter(server: ModelServer) -> None:
    script = ["status:429:retry-after-ms=40", "status:503:retry-after=0.05", "status:500"]
    random.seed(3)
    naps = await naps_of(server, script, Policy())
    again = random.Random(3)
    jitter = [again.uniform(0, ceiling) for ceiling in (0.5, 1, 2)]

    assert naps == [0.04 + jitter[0], 0.05 + jitter[1], jitter[2]]


async def test_a_retry_after_holds_up_every_call_to_the_endpoint(
    server: ModelServer, new: New
) -> None:
    server.control(script=["status:429:retry-after=1"])
    scorer = new(server.reward, concurrency=8)
    first = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.note)
    note = scorer.activity.note
    others = await asyncio.gather(*(one(scorer, number) for number in range(1, 6)))
    outcomes = [await first, *others]
    arrivals = server.stats["arrivals"]

    assert note == "paused by 429 for 1 s"
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert len(arrivals) == 7
    assert min(arrivals[1:]) - arrivals[0] >= 1.0


async def test_overload_leaves_fewer_calls_in_flight_until_it_is_over(
    server: ModelServer, new: New
) -> None:
    scorer = new(server.reward, concurrency=8)
    server.control(latency_s=0.05, script=["status:503"] * 8)
    await many(scorer, 8)
    server.reset()
    server.control(latency_s=0.02)
    await many(scorer, 12)
    just_after = server.stats["most_in_flight"]
    async with asyncio.timeout(60):
        while server.stats["most_in_flight"] < 8:
            await many(scorer, 16)

    assert just_after < 8


async def test_no_more_calls_are_in_flight_than_the_user_allows(
    server: ModelServer, new: New
) -> None:
    server.control(latency_s=0.05)
    outcomes = await many(new(server.reward, concurrency=3), 12)

    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert server.stats["most_in_flight"] == 3


async def test_the_request_rate_holds_for_retries_too(server: ModelServer, new: New) -> None:
    server.control(script=["status:500"] * 3)
    begun = asyncio.get_running_loop().time()
    await many(new(server.reward, rpm=900), 5)

    assert server.stats["received"] == 8
    assert asyncio.get_running_loop().time() - begun >= 7 / 15 / 1.25  # it may catch up so far


async def test_a_body_that_drips_meets_the_deadline(server: ModelServer, new: New) -> None:
    server.control(script=["drip:0.05"] * 9)
    scorer = new(server.reward, Policy(deadline_s=0.3, attempts_transient=2, backoff_first_s=0.001))
    failure = await one(scorer)

    assert failure == Failure("connection-lost", "no complete reply within 0.3 s")
    assert server.stats["received"] == 2
    assert scorer.activity.maybe_billed == 2


async def test_a_late_reply_does_not_spoil_the_next_call(server: ModelServer, new: New) -> None:
    server.control(script=["drip:0.05"])
    scorer = new(
        server.reward,
        Policy(deadline_s=1.0, attempts_transient=1),
        concurrency=1,
    )

    assert isinstance(await one(scorer, 1), Failure)
    again = await one(scorer, 2)
    fresh = await one(new(server.reward), 2)
    assert isinstance(again, Reply)
    assert again == fresh
