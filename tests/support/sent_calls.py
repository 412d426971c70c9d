"""Scorers that retry without delay, and calls of theirs over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from rmjudge.calls import Outcome, RewardCall
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import create
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.spec import parse_spec

if TYPE_CHECKING:
    from served import ModelServer

QUICK = Policy(backoff_first_s=0.001, backoff_most_s=0.001)
New = Callable[..., HostedScorer]


@asynccontextmanager
async def scorers(usual: Policy = QUICK) -> AsyncIterator[New]:
    """Make scorers, with limits and another policy than the usual one; close them at the end."""
    made: list[HostedScorer] = []

    def make(spec: str, policy: Policy = usual, **limits: Any) -> HostedScorer:
        scorer = create(parse_spec(spec))
        assert isinstance(scorer, HostedScorer)
        made.append(HostedScorer(scorer._provider, policy=policy, **limits))
        return made[-1]

    yield make
    for scorer in made:
        await scorer.aclose()


async def one(scorer: HostedScorer, number: int = 0) -> Outcome:
    (outcome,) = await scorer.answer([RewardCall(f"prompt {number}", "response")])
    return outcome


async def many(
    scorer: HostedScorer, calls: int, *, first: int = 0
) -> list[Outcome | BaseException]:
    return await asyncio.gather(
        *(one(scorer, number) for number in range(first, first + calls)), return_exceptions=True
    )


async def until(condition: Callable[[], object]) -> None:
    """Return when something has come about in another task or process."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def received(server: ModelServer, count: int) -> None:
    """Return when so many requests have arrived."""
    await until(lambda: server.stats["received"] >= count)
