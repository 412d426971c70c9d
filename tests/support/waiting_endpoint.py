"""An endpoint under a clock of its own, and calls that want to start on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from rmjudge.providers.sending.endpoint import Endpoint
from rmjudge.providers.sending.messages import FinalForCall, Retryable
from rmjudge.providers.sending.policy import Policy
from rmjudge.scorer import Activity


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def endpoint(concurrency: int = 8, policy: Policy | None = None, **options: Any) -> Endpoint:
    """One that lets as many calls start as it ever will."""
    options.setdefault("first", concurrency)
    return Endpoint("openai/m", policy or Policy(), Activity(), concurrency=concurrency, **options)


def transient(**facts: Any) -> Retryable:
    return Retryable("http-503", "busy", attempts=6, **facts)


def refused(message: str = "HTTP 400: no") -> FinalForCall:
    return FinalForCall("http-400", message)


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def entering(point: Endpoint, calls: int) -> AsyncIterator[Callable[[], int]]:
    """So many calls that want to start; what is yielded counts those that could."""
    tasks = [asyncio.create_task(point.enter(0)) for _ in range(calls)]
    await settle()
    yield lambda: sum(task.done() and not task.cancelled() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def started(point: Endpoint, calls: int = 30) -> int:
    """How many of many calls may start, which then leave again."""
    async with entering(point, calls) as count:
        found = count()
    for _ in range(found):
        point.leave()
    return found
