"""Scorers that remember what they were asked, and jobs of theirs to run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rmjudge import PairwiseScorer, PointwiseScorer, Scorer
from rmjudge.cache import AnswerCache
from rmjudge.cache.keys import call_key
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.planning.plan import plan_tuple
from rmjudge.running.orchestrator import Orchestrator
from rmjudge.running.tuples import TupleJob
from rmjudge.store import key_fields
from rmjudge.vocabulary import Order

CHOSEN: Triple = ("c0", "c1", "c2")
REJECTED: Triple = ("r0", "r1", "r2")


class Rewards(PointwiseScorer):
    """The length of the response; remembers what it was asked."""

    name, version = "mine/rewards", "1"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.closed = 0

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        self.asked.append(response)
        return float(len(response))

    async def aclose(self) -> None:
        self.closed += 1


class Other(Rewards):
    name = "mine/other"


class Judge(PairwiseScorer):
    """Prefers the chosen; says nothing about responses that it was told not to score."""

    name, version = "mine/judge", "1"

    def __init__(self, *unscored: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.unscored = unscored

    def compare(self, prompt: str, first: str, second: str) -> float:
        self.asked.append(f"{first}>{second}")
        return float("nan") if {first, second} & set(self.unscored) else float(first < second)


class Gate(Rewards):
    """Answers nothing until the gate is opened."""

    name = "mine/gate"
    concurrency = 2

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.drained = False

    async def reward(self, prompt: str, response: str) -> float:
        self.asked.append(response)
        await self.gate.wait()
        return 1.0

    def drain(self) -> None:
        self.drained = True


def bench(id: int = 1, prompt: str = "p") -> BenchTuple:
    return BenchTuple(id, "chat", None, prompt, CHOSEN, REJECTED)


def job_of(scorer: Scorer, items: Sequence[BenchTuple] = (), order: Order = "seeded") -> TupleJob:
    plans = [plan_tuple(item, scorer.method, order) for item in items or [bench()]]
    return TupleJob(scorer, plans, lambda call: call_key(key_fields(call)))


def many(count: int) -> list[BenchTuple]:
    """Tuples that share no call."""
    return [bench(number, f"p{number}") for number in range(count)]


async def run(folder: Path, *jobs: TupleJob) -> None:
    with AnswerCache(folder) as cache:
        await Orchestrator(cache).run(jobs)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells when a call is under way
            await asyncio.sleep(0.001)
