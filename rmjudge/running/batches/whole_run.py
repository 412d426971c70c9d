"""What a run does about batches: which calls it leaves to open ones, which go in new ones.

Loads no HTTP client unless batches are wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rmjudge.cache import AnswerCache
from rmjudge.providers.batching import DIALECTS, REFUSED
from rmjudge.providers.hosted import HostedScorer
from rmjudge.running.batches.limits import Commit, Keep, Limits
from rmjudge.running.job import Job, Work
from rmjudge.scorer import Scorer


def can_batch(scorer: Scorer) -> bool:
    """Whether a scorer's calls can be bought in batches."""
    return isinstance(scorer, HostedScorer) and scorer.provider_name in DIALECTS


def refused_batches(scorer: Scorer) -> str:
    """Why a vendor's batches are not used, although it has some; empty otherwise."""
    return REFUSED.get(scorer.provider_name, "") if isinstance(scorer, HostedScorer) else ""


@dataclass(slots=True)
class Batches:
    """What a run does about batches. Without `wanted` it buys live, and only what is not open."""

    store: AnswerCache
    limits: Limits
    wanted: bool = False

    def takes(self, job: Job) -> bool:
        """Whether a job's calls go in batches."""
        return self.wanted and can_batch(job.scorer)

    async def left_to_buy(self, key: str, pending: Sequence[Work]) -> list[Work]:
        """The calls that no batch has that a vendor was asked for, for a run that buys live."""
        under_way: set[str] = set()
        for chunk in await self.store.chunks(key):
            if chunk.open and chunk.state not in ("planned", "uploaded"):
                under_way |= set(chunk.calls)
        return [work for work in pending if work.key not in under_way]

    async def open_calls(self, key: str, pending: Sequence[Work]) -> int:
        """How many of these calls are in open batches."""
        open_calls = {
            call for chunk in await self.store.chunks(key) if chunk.open for call in chunk.calls
        }
        return sum(work.key in open_calls for work in pending)

    async def forget_refusals(self, key: str) -> None:
        """Once a job is complete, the next run may ask again what the vendor refused."""
        for chunk in await self.store.chunks(key):
            if not chunk.open and (chunk.refused or chunk.again):
                await self.store.keep_chunk(replace(chunk, refused={}, again={}))

    async def clear(self, job: Job, key: str) -> None:
        """Delete what a vendor still has of batches whose answers are kept, after a kill."""
        if not (self.takes(job) and isinstance(job.scorer, HostedScorer)):
            return
        left = [chunk for chunk in await self.store.chunks(key) if chunk.state == "collected"]
        if not left:
            return
        from rmjudge.running.batches.lifecycle import lifecycle_of

        client = job.scorer.batching()
        try:
            lifecycle = await lifecycle_of(self.store, key, client)
            for chunk in left:
                await lifecycle.advance(chunk)
        finally:
            await client.aclose()

    async def run(
        self, job: Job, key: str, pending: Sequence[Work], keep: Keep, commit: Commit
    ) -> None:
        """Have the calls answered in batches.

        Raises:
            StopRun: they are not all answered.
        """
        if not isinstance(job.scorer, HostedScorer):
            raise TypeError(f"{job.scorer.name} has no batches")
        from rmjudge.running.batches.job_batches import JobBatches
        from rmjudge.running.batches.lifecycle import lifecycle_of

        client = job.scorer.batching()
        try:
            lifecycle = await lifecycle_of(self.store, key, client)
            job_batches = JobBatches(self.limits, lifecycle, job, key, pending, keep, commit)
            await job_batches.run()
        finally:
            await client.aclose()
