"""The ceiling of a run's spending: what may be asked now, counting what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rmjudge.calls import Call, Outcome, Reply, Usage
from rmjudge.errors import BudgetReached
from rmjudge.running.job import Job, Work
from rmjudge.running.pricing import FREE, PER_MILLION, Spent, cost_of
from rmjudge.scorer import Gate


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
    cheaper. Every attempt counts as a call; one whose billing is unknown counts as billed, at the
    most it can have cost.
    """

    def __init__(self, max_cost: float | None = None, max_calls: int | None = None) -> None:
        self._max_cost = max_cost
        self._max_calls = max_calls
        self._spent = 0.0
        self._calls = 0
        self._reserved = 0.0
        self._under_way = 0
        self._again = 0
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
                raise self._reached(job, work[0].call)
            await self._next_turn()

    @property
    def _calls_are_used_up(self) -> bool:
        return self._max_calls is not None and self._calls >= self._max_calls

    def _fitting(self, job: Job, work: Sequence[Work]) -> Admission:
        admission = Admission(0)
        for item in work:
            if self._max_calls is not None and self._calls + admission.calls >= self._max_calls:
                break
            most = most_dollars(job, item.call)
            if self._max_cost is not None:
                would_be = self._spent + self._reserved + admission.dollars + most
                if would_be > self._max_cost:
                    break
            admission.calls += 1
            admission.dollars += most
        return admission

    def _reached(self, job: Job, call: Call) -> BudgetReached:
        if self._calls_are_used_up:
            return BudgetReached(f"--max-calls {self._max_calls} is reached")
        return BudgetReached(
            f"--max-cost {self._max_cost:g} is reached: ${self._spent:.4f} spent in "
            f"{self._calls} calls, and {job.scorer.name}'s next may cost up to "
            f"${most_dollars(job, call):.4f}"
        )

    def gate_for(self, job: Job) -> Gate | None:
        """What the scorer asks before another attempt; None where nothing is counted."""
        if job.price == FREE or (self._max_cost is None and self._max_calls is None):
            return None
        return partial(self._readmit, job)

    async def _readmit(self, job: Job, calls: Sequence[Call], paid: bool) -> None:
        """Admit another attempt; it uses what was reserved for the first."""
        dollars = sum(most_dollars(job, call) for call in calls)
        self._charge_lost(job, dollars / len(calls))
        while not self._fits_again(len(calls), dollars if paid else 0.0):
            # Those that wait here as well will free nothing before one of them gives up.
            if self._again + 1 >= self._under_way or self._calls_are_used_up:
                raise self._reached(job, calls[0])
            self._again += 1
            try:
                await self._next_turn()
            finally:
                self._again -= 1
        self._calls += len(calls)

    def _fits_again(self, calls: int, dollars: float) -> bool:
        if self._max_calls is not None and self._calls + calls > self._max_calls:
            return False
        return self._max_cost is None or self._spent + self._reserved + dollars <= self._max_cost

    async def _next_turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _charge_lost(self, job: Job, dollars: float) -> None:
        """Count attempts whose billing is unknown as billed, at the most."""
        lost = job.scorer.activity.maybe_billed - self._maybe_billed.get(job, 0)
        self._maybe_billed[job] = job.scorer.activity.maybe_billed
        self._spent += lost * dollars

    def forgo(self, admission: Admission) -> None:
        """Give back what was admitted and then not asked."""
        if admission.counted:
            self._calls -= admission.calls
            self._free(admission)

    def settle(self, job: Job, admission: Admission, outcomes: Sequence[Outcome] | None) -> None:
        """Replace the reservation by what was spent; None where nothing was answered."""
        if not admission.counted:
            return
        self._spent += self._cost(job, admission, outcomes)
        self._charge_lost(job, admission.dollars / admission.calls)
        self._free(admission)

    def _free(self, admission: Admission) -> None:
        self._reserved -= admission.dollars
        self._under_way -= 1
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def _cost(self, job: Job, admission: Admission, outcomes: Sequence[Outcome] | None) -> float:
        spent = Spent()
        for outcome in outcomes or ():
            reply = outcome if isinstance(outcome, Reply) else outcome.paid
            if reply is not None:
                spent.add(reply.usage)
        cost = cost_of(spent, job.price)
        return admission.dollars if cost is None else cost


def most_dollars(job: Job, call: Call) -> float:
    """The most that one call can cost; 0 where only calls are counted."""
    if job.price is None:
        return 0.0
    dearest = max(job.price.input, job.price.stored)  # all of it may go to the prompt cache
    dollars = [0.0]
    for scorer in filter(None, (job.scorer, job.again)):
        most = scorer.most_tokens(call) or Usage(0, 0)
        most_input, most_output = most.input_tokens or 0, most.output_tokens or 0
        dollars.append((most_input * dearest + most_output * job.price.output) / PER_MILLION)
    return max(dollars)
