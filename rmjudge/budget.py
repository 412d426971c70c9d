"""The ceiling of a run's spending: what may be asked now, counting what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rmjudge.calls import Outcome, Reply, Usage
from rmjudge.errors import BudgetReached
from rmjudge.job import Job, Work
from rmjudge.pricing import FREE, Spent, cost_of


@dataclass(slots=True)
class Admission:
    """The first `calls` of a batch may be asked; `dollars` is the most they can cost."""

    calls: int
    dollars: float = 0.0
    counted: bool = True


class Budget:
    """At most `max_cost` US dollars and `max_calls` calls, over all paid scorers of a run.

    A call is admitted when the most that it can cost still fits beside what was spent and what
    is under way; while it does not, it waits for the calls under way, which mostly turn out
    cheaper. What a lost connection may have cost is counted as spent, at the most.
    """

    def __init__(self, max_cost: float | None = None, max_calls: int | None = None) -> None:
        self._max_cost = max_cost
        self._max_calls = max_calls
        self._spent = 0.0
        self._calls = 0
        self._reserved = 0.0
        self._under_way = 0
        self._maybe_billed: dict[Job, int] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def admit(self, job: Job, work: Sequence[Work]) -> Admission:
        """Return how many of these may be asked, at least one; `settle` must follow.

        Raises:
            BudgetReached: not even one, and nothing under way could make room.
        """
        if job.price == FREE or (self._max_cost is None and self._max_calls is None):
            return Admission(len(work), counted=False)
        while True:
            admission = self._fitting(job, work)
            if admission.calls:
                self._reserved += admission.dollars
                self._calls += admission.calls
                self._under_way += 1
                return admission
            if not self._under_way or self._calls_are_used_up:
                raise self._reached(job, work[0])
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    @property
    def _calls_are_used_up(self) -> bool:
        return self._max_calls is not None and self._calls >= self._max_calls

    def _fitting(self, job: Job, work: Sequence[Work]) -> Admission:
        admission = Admission(0)
        for item in work:
            if self._max_calls is not None and self._calls + admission.calls >= self._max_calls:
                break
            most = most_dollars(job, item)
            if self._max_cost is not None:
                would_be = self._spent + self._reserved + admission.dollars + most
                if would_be > self._max_cost:
                    break
            admission.calls += 1
            admission.dollars += most
        return admission

    def _reached(self, job: Job, item: Work) -> BudgetReached:
        if self._calls_are_used_up:
            return BudgetReached(f"--max-calls {self._max_calls} is reached")
        return BudgetReached(
            f"--max-cost {self._max_cost:g} is reached: ${self._spent:.4f} spent in "
            f"{self._calls} calls, and {job.scorer.name}'s next may cost up to "
            f"${most_dollars(job, item):.4f}"
        )

    def forgo(self, admission: Admission) -> None:
        """Give back what was admitted and then not asked."""
        if admission.counted:
            self._calls -= admission.calls
            self._free(admission)

    def settle(self, job: Job, admission: Admission, outcomes: Sequence[Outcome] | None) -> None:
        """Replace the reservation by what was spent; None where that is not known."""
        if not admission.counted:
            return
        self._spent += self._cost(job, admission, outcomes)
        lost = job.scorer.activity.maybe_billed - self._maybe_billed.get(job, 0)
        self._maybe_billed[job] = job.scorer.activity.maybe_billed
        self._spent += lost * admission.dollars / admission.calls
        self._free(admission)

    def _free(self, admission: Admission) -> None:
        self._reserved -= admission.dollars
        self._under_way -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _cost(self, job: Job, admission: Admission, outcomes: Sequence[Outcome] | None) -> float:
        if outcomes is None:
            return admission.dollars
        spent = Spent()
        for outcome in outcomes:
            if isinstance(outcome, Reply):
                spent.add(outcome.usage)
        cost = cost_of(spent, job.price)
        return admission.dollars if cost is None else cost


def most_dollars(job: Job, item: Work) -> float:
    """The most that one call can cost; 0 where only calls are counted."""
    most: Usage | None = job.scorer.most_tokens(item.call) if job.price else None
    if most is None or job.price is None:
        return 0.0
    spent = Spent()
    spent.add(most)
    return cost_of(spent, job.price) or 0.0
