"""The ceiling of a run's spending: what may be asked now, counting what is under way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from rmjudge.calls import Call, Outcome, Reply, Spent, Usage
from rmjudge.errors import BudgetReached
from rmjudge.running.job import Job, Work
from rmjudge.running.pricing import FREE, cost_of, most_cost
from rmjudge.scorer import Gate


@dataclass(slots=True)
class Admission:
    """The first `calls` of a batch may be asked; `dollars` is the most they can cost."""

    calls: int
    dollars: float = 0.0
    counted: bool = True


class Budget:
    """At most `max_cost` US dollars and `max_calls` calls, over all paid scorers of a run.

    `max_cost_total` is a ceiling of what this run buys and the answers that it found have cost.

    A call is admitted when the most that it can cost still fits beside what was spent and what
    is under way; while it does not, it waits for the calls under way, which mostly turn out
    cheaper. Every attempt counts as a call; one whose billing is unknown counts as billed, at the
    most it can have cost. Where a price is known only from what replies say, the first call goes
    alone: it is the only one that can pass a ceiling.
    """

    def __init__(
        self,
        max_cost: float | None = None,
        max_calls: int | None = None,
        max_cost_total: float | None = None,
    ) -> None:
        self._max_cost = max_cost
        self._max_cost_total = max_cost_total
        self._kept: dict[Job, float | None] = {}
        self._first: set[Job] = set()
        self._silent: set[Job] = set()
        self._max_calls = max_calls
        self._spent = 0.0
        self._calls = 0
        self._reserved = 0.0
        self._under_way = 0
        self._again = 0
        self._maybe_billed: dict[int, int] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def admit(self, job: Job, work: Sequence[Work]) -> Admission:
        """Return how many of these may be asked, at least one; `settle` must follow.

        Raises:
            BudgetReached: not even one, and nothing under way could make room.
        """
        if not self._counts(job):
            return Admission(len(work), counted=False)
        while True:
            if self._still_looking:
                await self._next_turn()
                continue
            admission = self._fitting(job, work)
            if admission.calls:
                self._reserved += admission.dollars
                self._calls += admission.calls
                self._under_way += 1
                if self._unlearned(job):
                    self._first.add(job)
                return admission
            if job in self._silent:
                raise BudgetReached(
                    f"{job.scorer.name} does not say what its replies cost, so that no ceiling "
                    f'can be held: write its price into rmjudge.toml, under [prices."..."]'
                )
            if not self._under_way or self._calls_are_used_up:
                raise self._reached(job, work[0].call)
            await self._next_turn()

    async def admit_now(
        self, job: Job, work: Sequence[Work], share: float = 1.0
    ) -> Admission | None:
        """As `admit`, of calls that cost a share of their price; None where there is no room yet.

        Raises:
            BudgetReached: not even one may be asked, and nothing under way could make room.
        """
        if not self._counts(job):
            return Admission(len(work), counted=False)
        while self._still_looking:
            await self._next_turn()
        admission = self._fitting(job, work, share)
        if admission.calls:
            self._reserved += admission.dollars
            self._calls += admission.calls
            self._under_way += 1
            return admission
        if not self._under_way or self._calls_are_used_up:
            raise self._reached(job, work[0].call)
        return None

    def settle_at_most(self, admission: Admission) -> None:
        """Count what was admitted as bought, at the most that it can have cost."""
        if admission.counted:
            self._spent += admission.dollars
            self._free(admission)

    def _counts(self, job: Job) -> bool:
        ceilings = (self._max_cost, self._max_cost_total, self._max_calls)
        return job.price != FREE and any(ceiling is not None for ceiling in ceilings)

    def begin(self, jobs: Sequence[Job]) -> None:
        """Say which jobs will look for kept answers, whose cost counts in all."""
        self._kept |= dict.fromkeys(jobs)
        for job in jobs:
            if self._limits_cost and job.price is None:
                job.notes.append(
                    "the price is known only from what replies say: the first call may pass the "
                    "ceiling of cost, and so may one that a dearer host takes"
                )

    def looked(self, job: Job) -> None:
        """Say that a job has looked for its kept answers."""
        self._kept[job] = _kept_dollars(job) if self._max_cost_total is not None else 0.0
        self._wake()

    def gave_up(self, job: Job) -> None:
        """Say that a job will look for nothing more, so that nobody waits for it."""
        if self._kept.get(job) is None:
            self._kept[job] = 0.0
            self._wake()

    @property
    def _still_looking(self) -> bool:
        return self._max_cost_total is not None and None in self._kept.values()

    @property
    def _by_earlier_runs(self) -> float:
        return sum(dollars or 0.0 for dollars in self._kept.values())

    @property
    def _limits_cost(self) -> bool:
        return self._max_cost is not None or self._max_cost_total is not None

    def _room(self) -> float:
        """Dollars that may still be spent or set aside; infinite without such a ceiling."""
        used = self._spent + self._reserved
        room = math.inf if self._max_cost is None else self._max_cost - used
        if self._max_cost_total is None:
            return room
        return min(room, self._max_cost_total - used - self._by_earlier_runs)

    def _unlearned(self, job: Job) -> bool:
        """Whether a job's price is known only from replies, of which there is none yet."""
        return self._limits_cost and job.price is None and not job.charges.known

    @property
    def _calls_are_used_up(self) -> bool:
        return self._max_calls is not None and self._calls >= self._max_calls

    def _fitting(self, job: Job, work: Sequence[Work], share: float = 1.0) -> Admission:
        admission = Admission(0)
        first = self._unlearned(job)
        if first and (job in self._first or self._room() <= 0):
            return admission
        for item in work[:1] if first else work:
            if self._max_calls is not None and self._calls + admission.calls >= self._max_calls:
                break
            most = share * most_dollars(job, item.call) if self._limits_cost else 0.0
            if admission.dollars + most > self._room():
                break
            admission.calls += 1
            admission.dollars += most
        return admission

    def _reached(self, job: Job, call: Call) -> BudgetReached:
        if self._calls_are_used_up:
            return BudgetReached(f"--max-calls {self._max_calls} is reached")
        most = most_dollars(job, call)
        next_up = f"and {job.scorer.name}'s next may cost up to ${most:.4f}"
        used = self._spent + self._reserved
        if self._max_cost is not None and used + most > self._max_cost:
            return BudgetReached(
                f"--max-cost {self._max_cost:g} is reached: ${self._spent:.4f} spent in "
                f"{self._calls} calls, {next_up}"
            )
        return BudgetReached(
            f"--max-cost-total {self._max_cost_total or 0:g} is reached: ${self._spent:.4f} spent "
            f"in {self._calls} calls, ${self._by_earlier_runs:.4f} by earlier runs, {next_up}"
        )

    def gate_for(self, job: Job) -> Gate | None:
        """What the scorer asks before another attempt; None where nothing is counted."""
        if not self._counts(job):
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
        return dollars <= self._room()

    async def _next_turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _charge_lost(self, job: Job, dollars: float) -> None:
        """Count attempts whose billing is unknown as billed, at the most."""
        activity = job.scorer.activity  # of several jobs, where a build asks in rounds
        lost = activity.maybe_billed - self._maybe_billed.get(id(activity), 0)
        self._maybe_billed[id(activity)] = activity.maybe_billed
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
        if job in self._first:
            self._learn(job, outcomes)
        self._charge_lost(job, admission.dollars / admission.calls)
        self._free(admission)

    def _learn(self, job: Job, outcomes: Sequence[Outcome] | None) -> None:
        """Let a job's other calls go once its first replies say what they cost."""
        replies = [outcome for outcome in outcomes or () if isinstance(outcome, Reply)]
        for reply in replies:
            job.charges.note(reply)
        if job.charges.known or not replies:
            self._first.discard(job)
        else:
            self._silent.add(job)

    def _free(self, admission: Admission) -> None:
        self._reserved -= admission.dollars
        self._under_way -= 1
        self._wake()

    def _wake(self) -> None:
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
    """The most that one call can cost; 0 where only calls are counted, or nothing is known yet."""
    if job.price == FREE:
        return 0.0
    scorers = filter(None, (job.scorer, job.again))
    return max(_most_dollars(job, scorer.most_tokens(call)) for scorer in scorers)


def _most_dollars(job: Job, most: Usage | None) -> float:
    if most is None:
        return 0.0
    told = job.charges.most(most)
    return told if job.price is None else max(told, most_cost(most, job.price))


def _kept_dollars(job: Job) -> float:
    """What earlier runs have paid for a job's calls; what does not tell, at the most."""
    if job.price == FREE:
        return 0.0
    return sum(
        most_dollars(job, work.call) if cost is None else cost
        for work in job.work.values()
        if work.found is not None
        for cost in [_cost_of_one(work.found, job)]
    )


def _cost_of_one(usage: Usage, job: Job) -> float | None:
    spent = Spent()
    spent.add(usage)
    return cost_of(spent, job.price)
