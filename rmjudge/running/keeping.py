"""What is kept of answers, and what is kept already: the one way between jobs and the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rmjudge.calls import Answer, Call, Outcome, Reply
from rmjudge.errors import StopRun
from rmjudge.running.job import Job, Work
from rmjudge.scorer import read_again
from rmjudge.store import AnswerStore

LOOKUP_CALLS: Final = 2000
"""Calls looked up at once: bounds what is held of stored replies."""


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the answers to one job's calls, under its scorer's key in the store."""

    store: AnswerStore
    job: Job
    key: str

    async def keep_open(self, calls: Sequence[Call], replies: Sequence[Reply]) -> None:
        """Commit replies before an empty one's next try; none of them counts yet."""
        work = [self.job.work[self.job.key_of(call)] for call in calls]
        await self._commit(list(zip(work, replies, strict=True)))

    async def _commit(self, found: Sequence[tuple[Work, Reply]]) -> None:
        if found:
            rows = [(item.key, _in_all(item, _stored(item, reply))) for item, reply in found]
            await self.store.commit(self.key, rows)

    async def keep(self, pairs: Sequence[tuple[Work, Outcome]]) -> list[Work]:
        """Commit replies, then count them; return the follow-up questions they raise.

        Raises:
            StopRun: something ended the run before all of these were answered.
        """
        delivered = [(item, reply) for item, outcome in pairs if (reply := _delivered(outcome))]
        await self._commit(delivered)
        follow_ups: list[Work] = []
        reason: StopRun | None = None
        for item, reply in delivered:
            self.job.note_reply(item, reply, bought=True)
            item.paid_before = _in_all(item, reply).usage if reply.open else None
        for item, outcome in pairs:
            if isinstance(outcome, Reply):
                self.job.counts.answered += 1
                follow_ups += self.job.settle(item, outcome.answer)
            elif outcome.stop is None:
                follow_ups += self.job.fail(item, outcome)
            else:
                reason = outcome.stop
        if reason is not None:
            raise reason
        self.job.check_verdicts()
        return follow_ups

    async def keep_only(self, found: Sequence[tuple[Work, Reply]]) -> None:
        """Keep replies that count for nothing yet: an open one has been paid for."""
        await self._commit(found)
        for item, reply in found:
            if reply.open:
                self.job.note_reply(item, reply, bought=True)
                item.paid_before = _in_all(item, reply).usage


def _delivered(outcome: Outcome) -> Reply | None:
    """What came and was paid for: an answer, or a reply that is none yet."""
    if isinstance(outcome, Reply):
        return outcome
    return replace(outcome.paid, open=True) if outcome.paid is not None else None


def _stored(item: Work, reply: Reply) -> Reply:
    """What is kept of a reply: an empty one takes no kept answer's place, but adds to its bill."""
    if reply.open and item.kept_reply is not None:
        return replace(item.kept_reply, usage=reply.usage)
    return reply


def _in_all(item: Work, reply: Reply) -> Reply:
    """The reply with what the call took in all, earlier runs included."""
    if item.paid_before is None:
        return reply
    usage = reply.usage.plus(item.paid_before)
    return replace(reply, usage=usage, ordered_by=item.ordered_by)


async def settle_from_cache(
    job: Job, store: AnswerStore, scorer_key: str, work: Sequence[Work]
) -> list[Work]:
    """Settle what the store knows, follow-up questions included; return what must be bought."""
    pending: list[Work] = []
    while work:
        follow_ups: list[Work] = []
        for start in range(0, len(work), LOOKUP_CALLS):
            chunk = work[start : start + LOOKUP_CALLS]
            stored = await store.lookup(scorer_key, [item.key for item in chunk])
            for item in chunk:
                reply = stored.get(item.key)
                item.found = reply.usage if reply else None
                if reply is None or reply.open:
                    item.paid_before = item.found
                    if reply is not None:
                        job.scorer.activity.tries[item.call] = reply.tries
                    pending.append(item)
                    continue
                answer = _current_answer(job, item, reply)
                if job.asks_again(answer):
                    item.paid_before, item.kept, item.kept_reply = reply.usage, answer, reply
                    item.ordered_by = reply.ordered_by
                    pending.append(item)
                    continue
                job.counts.from_cache += 1
                job.note_reply(item, reply, bought=False)
                follow_ups += job.settle(item, answer)
        work = follow_ups
    return pending


def _current_answer(job: Job, item: Work, reply: Reply) -> Answer:
    """The stored answer, or what the current parser makes of the stored reply."""
    if reply.parser == job.scorer.parser:
        return reply.answer
    return read_again(job.scorer, item.call, reply)
