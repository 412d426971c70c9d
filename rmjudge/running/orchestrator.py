"""Runs jobs: cache first, then a bounded pool of workers, each answer durable before it counts.

The orchestrator knows scorers and the store by Protocol. It opens no socket and no file.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Final, cast

from rmjudge.calls import Failure, Outcome, Reply
from rmjudge.errors import (
    BatchesUnderWay,
    BudgetReached,
    ProviderStopped,
    StopRun,
    StorageStopped,
)
from rmjudge.running.batches.whole_run import Batches
from rmjudge.running.budget import Budget
from rmjudge.running.job import Job, Work
from rmjudge.running.keeping import Keeper, settle_from_cache
from rmjudge.running.queueing import WorkQueue
from rmjudge.running.unclear import Unclear
from rmjudge.scorer import FORM_CHANGED, StreamingScorer
from rmjudge.store import AnswerStore

DRAIN_S: Final = 30.0
"""How long calls under way may take to finish once the run is asked to stop."""
FIRST_TRIES: Final = 3
"""Calls that are tried live before a batch, where the first is not answered."""
KEEPING: Final = 4
"""One answer may be on its way to disk for so many calls that may be under way."""


class Orchestrator:
    """Runs several jobs side by side; each has its own workers and its own fate."""

    def __init__(
        self,
        store: AnswerStore,
        *,
        budget: Budget | None = None,
        batches: Batches | None = None,
        drain_s: float = DRAIN_S,
    ) -> None:
        self._store = store
        self._batches = batches
        self._budget = budget or Budget()
        self._drain_s = drain_s
        self._jobs: dict[Job, WorkQueue[Work] | None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._reason: StopRun | None = None

    async def run(self, jobs: Sequence[Job], *, keep_open: bool = False) -> None:
        """Return when every job is finished or stopped; `job.stopped` says why.

        A job that stops leaves the others running, unless answers can no longer be kept.
        `keep_open` leaves their scorers open, for more jobs; closing them is the caller's then.
        """
        self._jobs = dict.fromkeys(jobs)
        self._budget.begin(jobs)
        # The plans are many and live as long as the run: looking through them for garbage
        # again and again would hold the loop.
        gc.freeze()
        self._tasks = [asyncio.create_task(self._run_job(job)) for job in jobs]
        try:
            for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
        finally:
            for task in self._tasks:
                task.cancel()
            if not keep_open:
                await asyncio.gather(*(job.scorer.aclose() for job in jobs))
            gc.unfreeze()

    @property
    def going(self) -> bool:
        """Whether nobody has asked the run to stop."""
        return self._reason is None

    def stop(self, reason: StopRun) -> None:
        """Finish what is under way, start nothing more. The first reason stands."""
        if self._reason is not None:
            return
        self._reason = reason
        for job in self._jobs:
            self._stop_job(job, reason)
        loop = asyncio.get_running_loop()
        for task in self._tasks:
            loop.call_later(self._drain_s, task.cancel)

    def _stop_job(self, job: Job, reason: StopRun) -> None:
        if job.stopped is None and not job.finished:
            job.stopped = reason
        if not isinstance(reason, BudgetReached):  # what was admitted has room, and may wait
            job.scorer.drain()
        queue = self._jobs.get(job)
        if queue is not None:
            queue.close()

    async def _run_job(self, job: Job) -> None:
        try:
            work = job.first_questions()
            while work:
                changed = await self._go_through(job, work)
                work = job.to_be_asked_anew() if changed else []
                if not work and job.stopped is None and job.answered:
                    work = await job.more()
        except StopRun as reason:
            self._stopped(job, reason)
        finally:
            if self._batches is not None and job.finished and job.counts.failed:
                await self._batches.forget_refusals(self._store.key_of(job.scorer.identity))
            job.settle_kept()
            self._budget.gave_up(job)
            job.leave()

    async def _go_through(self, job: Job, work: Sequence[Work]) -> bool:
        """Have all that is left answered; True where the scorer has become another meanwhile."""
        identity = job.scorer.identity
        key = await self._store.register(identity)
        pending = await settle_from_cache(job, self._store, key, work)
        self._budget.looked(job)
        job.scorer.activity.answered |= job.counts.from_cache > 0
        if pending and job.stopped is None:
            job.stopped = self._reason  # asked to stop before anything was planned
        done = not (pending or job.barred or job.stopped)
        if done and self._batches is not None and self._batches.takes(job):
            async with self._store.claim(key, job.note_waiting):
                await self._batches.clear(job, key)
        if pending and job.barred:
            job.notes.append(f"{len(pending):,} calls are not in the cache: {job.barred}")
            if self._batches and (under_way := await self._batches.open_calls(key, pending)):
                job.notes.append(f"{under_way:,} of them are in batches that are not collected")
        elif pending and job.stopped is None:
            job.check_verdicts()
            async with self._store.claim(key, job.note_waiting):
                # Another process may have bought some of these while this one waited.
                pending = await settle_from_cache(job, self._store, key, pending)
                self._budget.looked(job)
                await self._have_answered(job, Keeper(self._store, job, key), pending)
        return job.stopped is None and job.scorer.identity is not identity

    async def _have_answered(self, job: Job, keeper: Keeper, pending: Sequence[Work]) -> None:
        """Have the calls answered: in batches, or live where no open batch has them."""
        if isinstance(job.scorer, StreamingScorer):
            await self._stream(job, keeper, pending)
        elif self._batches is not None and self._batches.takes(job):
            await self._in_batches(self._batches, job, keeper, pending)
        elif self._batches is not None:
            left = await self._batches.left_to_buy(keeper.key, pending)
            if left:
                await self._buy(job, keeper, left)
            if (under_way := len(pending) - len(left)) and job.stopped is None:
                raise BatchesUnderWay(
                    f"{under_way:,} calls are under way in a batch, and not bought a second time: "
                    "the same command with --batch collects them"
                )
        else:
            await self._buy(job, keeper, pending)

    async def _in_batches(
        self, batches: Batches, job: Job, keeper: Keeper, pending: Sequence[Work]
    ) -> None:
        """Buy one call live, which shows whether key, model and form are right; then the rest."""
        identity = job.scorer.identity
        left = [work for work in pending if job.again is not None and work.kept is not None]
        tried = 0
        while tried < FIRST_TRIES and not job.scorer.activity.answered:
            first = (await batches.left_to_buy(keeper.key, pending))[tried : tried + 1]
            if not first:
                break
            await self._buy(job, keeper, first)
            tried += 1
            if job.stopped is not None or job.scorer.identity is not identity:
                return
        if tried == FIRST_TRIES and not job.scorer.activity.answered:
            said = next(iter(job.failure_details.items()), ("", ""))
            raise ProviderStopped(
                f"{job.scorer.name}: no batch was submitted, since none of the first "
                f"{FIRST_TRIES} calls was answered live: {': '.join(said)}"
            )
        if left:
            await self._buy(job, keeper, [work for work in left if work.answer is None])
        rest = [work for work in pending if work.answer is None and not work.failed]
        if rest and job.stopped is None:
            await batches.run(
                job,
                keeper.key,
                rest,
                keeper.keep,
                keeper.keep_only,
            )

    def _stopped(self, job: Job, reason: StopRun) -> None:
        if isinstance(reason, StorageStopped):
            self.stop(reason)
        else:
            self._stop_job(job, reason)

    async def _buy(self, job: Job, keeper: Keeper, pending: Sequence[Work]) -> None:
        queue = self._jobs[job] = WorkQueue(pending, _tuple_of if job.scorer.whole_tuples else None)
        if job.stopped is not None:
            queue.close()
        job.scorer.activity.gate = self._budget.gate_for(job)
        job.scorer.activity.keep = keeper.keep_open
        most = sum(work.answer is None for work in job.work.values())  # with follow-ups
        asking = job.scorer.concurrency
        # A few more workers than may ask: while answers go to disk, others are asked for.
        workers = min(asking - (-asking // KEEPING), -(-most // job.scorer.batch))
        turns = asyncio.Semaphore(asking)
        unclear = Unclear(job, queue)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(job, keeper, turns, unclear))
                    # Not all in one turn: their first calls would hold the loop, and their
                    # replies would come in waves.
                    await asyncio.sleep(0)
        except ExceptionGroup as errors:
            # A bug in a scorer: raise the error itself, not the group.
            raise errors.exceptions[0] from None

    async def _stream(self, job: Job, keeper: Keeper, pending: Sequence[Work]) -> None:
        """Hand everything over at once; keep what comes as it comes."""
        scorer = cast(StreamingScorer, job.scorer)
        while pending and job.stopped is None:
            follow_ups: list[Work] = []
            job.counts.sent += len(pending)
            job.counts.in_flight = len(pending)
            try:
                async for part in scorer.answer_all([item.call for item in pending]):
                    pairs = [(pending[n], found) for n, found in part]
                    follow_ups += await keeper.keep(pairs)
                    job.counts.in_flight -= len(pairs)
            finally:
                job.counts.in_flight = 0
            pending = follow_ups

    async def _work(
        self,
        job: Job,
        keeper: Keeper,
        turns: asyncio.Semaphore,
        unclear: Unclear,
    ) -> None:
        queue = unclear.queue
        while work := await queue.take(job.scorer.batch):
            next_up: list[Work] = []
            try:
                next_up = await self._ask(job, keeper, work, turns, unclear)
            except StopRun as reason:
                self._stopped(job, reason)
            finally:
                queue.done(len(work), next_up)

    async def _ask(
        self,
        job: Job,
        keeper: Keeper,
        work: Sequence[Work],
        turns: asyncio.Semaphore,
        unclear: Unclear,
    ) -> list[Work]:
        """Have calls answered and kept; return what is next: follow-ups, and what had no room."""
        queue = unclear.queue
        async with turns:
            admission = await self._budget.admit(job, work)
            if queue.closed:  # while this waited for its turn, or for room
                self._budget.forgo(admission)
                return []
            asked, rest = work[: admission.calls], work[admission.calls :]
            outcomes: Sequence[Outcome] | None = None
            job.counts.sent += len(asked)
            job.counts.in_flight += len(asked)
            try:
                outcomes = await _answers(job, asked)
            except Exception:
                queue.close()  # before another has the turn
                raise
            finally:
                job.counts.in_flight -= len(asked)
                self._budget.settle(job, admission, outcomes)
        pairs = list(zip(asked, outcomes, strict=True))
        if any(isinstance(found, Failure) and found.status == FORM_CHANGED for found in outcomes):
            queue.close()  # it goes on as another scorer, whose answers may be kept already
            pairs = [(item, found) for item, found in pairs if isinstance(found, Reply)]
        clear = [(item, outcome) for item, outcome in pairs if not unclear.holds(item, outcome)]
        follow_ups = await keeper.keep(clear)
        return [*follow_ups, *(unclear.resolve() if clear else ()), *rest]


async def _answers(job: Job, work: Sequence[Work]) -> Sequence[Outcome]:
    """Ask; what has a stored answer is asked as the user says for these alone."""
    if job.again is None:
        return await job.scorer.answer([item.call for item in work])
    found: dict[str, Outcome] = {}
    again = [item for item in work if item.kept is not None]
    rest = [item for item in work if item.kept is None]
    for scorer, part in ((job.again, again), (job.scorer, rest)):
        outcomes: Sequence[Outcome] = ()
        try:
            outcomes = await scorer.answer([item.call for item in part]) if part else ()
        except StopRun as reason:
            if not found:
                raise
            outcomes = [Failure("stopped", str(reason), stop=reason)] * len(part)
        found |= zip((item.key for item in part), outcomes, strict=True)
    return [found[item.key] for item in work]


def _tuple_of(work: Work) -> int:
    """The first tuple that asks this."""
    return work.places[0][0]
