"""Reads the results of a job's batches: as live replies are read, each into the cache at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from rmjudge.cache.ledger import Chunk
from rmjudge.calls import Failure, Outcome, Reply, Spent
from rmjudge.errors import BatchesUnderWay, ProviderStopped, StopRun
from rmjudge.providers.batching.client import Read
from rmjudge.running.batches.guard import contradiction
from rmjudge.running.batches.lifecycle import Lifecycle
from rmjudge.running.batches.limits import Commit, Keep
from rmjudge.running.batches.reading import Results
from rmjudge.running.job import Job, Work
from rmjudge.running.pricing import cost_of

ROUNDS: Final = 2
"""How often a call that came back unanswered is handed over again."""
EMPTY_TRIES: Final = 2
"""Replies without an answer in them that are paid for, before one of them stands."""
GROUP: Final = 512
"""Rows that are committed together."""
ALIKE: Final = 20
"""So many refusals, and no answer at all, make the request itself wrong."""


@dataclass(slots=True)
class Found:
    """What a batch's rows brought so far. `refused` and `again` go into its row of the ledger."""

    refused: dict[str, tuple[str, str]]
    again: dict[str, int]
    replies: list[Outcome] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    group: list[tuple[Work, Outcome]] = field(default_factory=list)


class Collector:
    """Reads batches of one job. `works` are the calls that wait, follow-ups among them."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        job: Job,
        lifecycle: Lifecycle,
        works: dict[str, Work],
        keep: Keep,
        commit: Commit,
        tell: Callable[[str], None],
    ) -> None:
        self._job = job
        self._lifecycle = lifecycle
        self._works = works
        self._keep = keep
        self._commit = commit
        self._tell = tell
        self.found = Found({}, {})
        """Of the batch that was read last."""

    async def read(self, chunk: Chunk) -> Chunk:
        """Read a batch's results: nothing of them where they contradict each other.

        It is "collected" then, "aside", or still "fetched" where it holds calls of other plans.

        Raises:
            StopRun: something ended the run before all were read; another run reads them again.
        """
        job, lifecycle = self._job, self._lifecycle
        calls = {key: job.work[key].call for key in chunk.calls if key in job.work}
        results = Results(lifecycle.client, lifecycle.files(chunk), frozenset(chunk.calls), calls)
        if not chunk.accepted:
            against = await asyncio.to_thread(lambda: contradiction(results.counted()))
            if against:
                return await lifecycle.keep(chunk, "aside", note=against)
        found = self.found = Found(dict(chunk.refused), dict(chunk.again))
        for read in results:
            self._take(read, found, await self._counts_now(read))
            if len(found.group) >= GROUP:
                await self._flush(found)
        self._note_missing(chunk, results, found)
        await self._flush(found)
        if odd := results.tally.told():
            self._tell(f"batch {chunk.batch or chunk.uid}: {odd}")
        if len(calls) < len(chunk.calls):
            return chunk
        return await lifecycle.keep(
            chunk,
            "collected",
            refused=found.refused,
            again=found.again,
            done=results.tally.read,
            cost=cost_of(found.spent, job.price),
        )

    def speaks_against(self, chunk: Chunk) -> StopRun | None:
        """Why no other batch is to follow the one that was read last."""
        if "cancel" in f"{chunk.word} {chunk.note}" and any(
            work.answer is None and not work.failed for work in self._works.values()
        ):
            return BatchesUnderWay(
                f"batch {chunk.batch} was cancelled; the same command buys what it left"
            )
        answered = self.found.replies or self._job.scorer.activity.answered
        if len(self.found.refused) >= ALIKE and not answered:
            status, words = next(iter(self.found.refused.values()))
            return ProviderStopped(
                f"{self._job.scorer.name}: the batch's calls were refused alike: {status}: {words}"
            )
        return None

    async def _counts_now(self, read: Read) -> bool:
        """Whether a row is of a call that waits for it; of others what is paid for is kept."""
        work = self._job.work[read.key]
        if work.answer is not None:
            return False
        if work.key in self._works and not work.failed:
            return not await self._comes_again(read)
        # Of a part of the plan that is not asked yet: it is found in the cache then.
        if isinstance(read.outcome, Reply):
            await self._commit([(work, read.outcome)])
        return False

    def _take(self, read: Read, found: Found, counts: bool) -> None:
        """Put a row's outcome to the others, unless its call is handed over once more."""
        if isinstance(read.outcome, Reply):
            found.spent.add(read.outcome.usage)
            found.replies.append(read.outcome)
        if not counts:
            return
        work, outcome = self._job.work[read.key], read.outcome
        if read.again and self._may_go_again(work, found.again):
            self._job.scorer.activity.maybe_billed += read.billed
            return
        if outcome is None:
            outcome = Failure("expired", "the vendor's batch ended before the call was run")
        if isinstance(outcome, Failure):
            found.refused[work.key] = (outcome.status, outcome.detail)
        found.group.append((work, outcome))

    async def _flush(self, found: Found) -> None:
        group, found.group = found.group, []
        if group:
            self._works |= {work.key: work for work in await self._keep(group)}

    def _note_missing(self, chunk: Chunk, results: Results, found: Found) -> None:
        """What has no row may have been billed; it is handed over once more."""
        missing = [
            work
            for key in chunk.calls
            if key not in results.seen
            and (work := self._works.get(key)) is not None
            and work.answer is None
            and not work.failed
        ]
        # A batch that was ended early may not have run them; a complete one has, and lost them.
        early = chunk.word.rpartition("_")[2] not in ("completed", "succeeded", "success")
        idle = early and (chunk.done or 0) <= results.tally.read
        if missing and not idle:
            self._job.scorer.activity.maybe_billed += len(missing)
        if missing:
            self._tell(
                f"batch {chunk.batch or chunk.uid}: {len(missing)} calls have no row in its results"
                f"{'' if idle else ', and may have been billed'}"
            )
        for work in missing:
            if not self._may_go_again(work, found.again):
                said = Failure("missing", "the vendor's results have no row for the call")
                found.refused[work.key] = (said.status, said.detail)
                found.group.append((work, said))

    def _may_go_again(self, work: Work, again: dict[str, int]) -> bool:
        """Count that a call has come back unanswered; whether it is handed over again."""
        before = max((c.again.get(work.key, 0) for c in self._lifecycle.known.values()), default=0)
        again[work.key] = before + 1
        return before < ROUNDS

    async def _comes_again(self, read: Read) -> bool:
        """Whether a reply is empty and has another try; it is kept, paid for, and no answer."""
        work, reply = self._job.work[read.key], read.outcome
        if not isinstance(reply, Reply) or getattr(reply.answer, "status", "") != "empty":
            return False
        tries = self._job.scorer.activity.tries.get(work.call, 0) + 1
        if tries >= EMPTY_TRIES:
            return False
        self._job.scorer.activity.tries[work.call] = tries
        await self._commit([(work, replace(reply, open=True, tries=tries))])
        return True
