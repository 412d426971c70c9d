"""One job's batches: what it lacks is handed over, watched, read, and bought no second time."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rmjudge.cache.ledger import AT_VENDOR, Chunk
from rmjudge.calls import Failure, Outcome, Reply, Spent
from rmjudge.errors import BatchesUnderWay, BudgetReached, Interrupted, ProviderStopped, StopRun
from rmjudge.providers.batching.office import Read
from rmjudge.providers.hosted import HostedScorer
from rmjudge.running.batches.courier import Courier, seconds
from rmjudge.running.batches.cutting import next_cut, tokens_of
from rmjudge.running.batches.desk import Batches, Commit, Keep
from rmjudge.running.batches.guard import contradiction
from rmjudge.running.batches.reading import Results
from rmjudge.running.batches.words import decision_of
from rmjudge.running.budget import Admission, most_dollars
from rmjudge.running.job import Job, Work
from rmjudge.running.pricing import cost_of
from rmjudge.scorer import Scorer

LOOK_S: Final = 60.0
LONGEST_LOOK_S: Final = 300.0
SLICE_S: Final = 0.25
"""Waits are made of these, by the wall clock: a machine that slept looks at once."""
ROUNDS: Final = 2
"""How often a call that came back unanswered is handed over again."""
EMPTY_TRIES: Final = 2
"""Replies without an answer in them that are paid for, before one of them stands."""
GROUP: Final = 512
FEW: Final = 50
"""Calls for which no batch is made while others are open."""
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


class Errand:
    """One job's batches, from what is pending to its answers."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        batches: Batches,
        courier: Courier,
        job: Job,
        key: str,
        pending: Sequence[Work],
        keep: Keep,
        commit: Commit,
    ) -> None:
        self._batches = batches
        self._courier = courier
        self._job = job
        self._key = key
        self._works = {work.key: work for work in pending}
        self._keep = keep
        self._commit = commit
        self._admissions: dict[str, Admission] = {}
        self._reason: StopRun | None = None
        self._look_s = seconds("RMJUDGE_BATCH_LOOK_S", LOOK_S)
        self._longest_s = max(LONGEST_LOOK_S, self._look_s)
        self._shortest_s = self._look_s
        self._told: set[str] = set()
        self._partial: set[str] = set()
        """Batches that hold calls of other plans too."""

    async def run(self) -> None:
        """Hand over, look, read, until nothing is left or something ends it."""
        try:
            await self._settle_refused()
            while True:
                before = self._sight()
                self._courier.trouble = ""
                await self._look()
                await self._hand_over()
                for line in self._courier.told:
                    self._tell(line)
                if self._stop_for(self._job.stopped):
                    return
                if not self._courier.open() and (self._reason is not None or not self._waiting()):
                    break
                if self._is_over_for_now():
                    break
                await self._wait(changed=self._sight() != before)
                if self._stop_for(self._job.stopped):
                    return
            if self._reason is not None:
                raise self._reason
        finally:
            self._job.scorer.activity.note = ""
            self._job.counts.in_flight = 0
            for admission in self._admissions.values():
                self._batches.budget.settle_at_most(admission)

    def _tell(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._job.notes.append(line)

    def _sight(self) -> tuple[object, ...]:
        return tuple((c.uid, c.state, c.done) for c in self._courier.known.values())

    def _stop_for(self, reason: StopRun | None) -> bool:
        """Leave where the user has asked to; what is under way goes on without us."""
        if reason is None:
            return False
        if isinstance(reason, Interrupted) and (going := self._going()):
            self._job.stopped = Interrupted(f"{reason}; {going}")
        return True

    def _going(self) -> str:
        """Say what goes on at the vendor's."""
        going = [
            chunk for chunk in self._courier.open() if chunk.batch or chunk.state == "creating"
        ]
        if not going:
            return ""
        many = "1 batch goes on" if len(going) == 1 else f"{len(going)} batches go on"
        return f"{many} at {self._job.scorer.name}; the same command collects them"

    def _is_over_for_now(self) -> bool:
        """Whether nothing that is left can be read by this run.

        Raises:
            StopRun: nothing more comes of waiting, or the user does not want to wait.
        """
        courier = self._courier
        chunks = courier.open()
        decisions = [chunk for chunk in chunks if chunk.state in ("aside", "lost")]
        now = courier.clock()
        decisions += [
            chunk
            for chunk in chunks
            if chunk.state == "creating"
            and not courier.office.dialect.finds_by_name
            and now - chunk.creating >= courier.silence_s
        ]
        others = [chunk for chunk in chunks if chunk not in decisions]
        partly = [chunk for chunk in others if chunk.uid in self._partial]
        if decisions and not [chunk for chunk in others if chunk not in partly]:
            raise BatchesUnderWay("; ".join(map(decision_of, decisions)))
        if partly and len(partly) == len(others) and not self._waiting():
            self._tell(
                f"{len(partly)} batches hold answers of other data too: they are read in full by "
                "the run that asked for them"
            )
            return True
        if self._batches.detach:
            trouble = f" ({courier.trouble})" if courier.trouble else ""
            raise BatchesUnderWay(f"{self._progress()}{trouble}; the same command goes on")
        return False

    def _waiting(self) -> list[Work]:
        """Calls that no open batch has, and that are neither answered nor failed."""
        held = {call for chunk in self._courier.open() for call in chunk.calls}
        return [
            work
            for work in self._works.values()
            if work.answer is None and not work.failed and work.key not in held
        ]

    async def _settle_refused(self) -> None:
        """What the vendor has refused for good is not asked again before the job is complete."""
        refused = {
            call: Failure(*said)
            for chunk in self._courier.known.values()
            for call, said in chunk.refused.items()
        }
        pairs = [(work, refused[key]) for key, work in self._works.items() if key in refused]
        if pairs:
            self._note_follow_ups(await self._keep(pairs))

    def _note_follow_ups(self, works: Sequence[Work]) -> None:
        self._works |= {work.key: work for work in works}

    async def _look(self) -> None:
        """Look at every batch once, and read those that have come."""
        for chunk in list(self._courier.known.values()):
            if self._job.stopped is not None:
                return
            if chunk.state in ("planned", "uploaded") and not set(chunk.calls) <= set(self._works):
                # Of another plan: nobody was asked for it.
                await self._courier.keep(chunk, "void", note="planned anew")
                continue
            try:
                chunk = await self._courier.advance(chunk, self._data)  # noqa: PLW2901
            except ProviderStopped as reason:
                self._reason = self._reason or reason
                continue
            if chunk.state == "fetched":
                await self._read(chunk)
            elif not chunk.open:
                self._settle(chunk, [])
            self._show()
        self._note_refusal()

    def _note_refusal(self) -> None:
        courier = self._courier
        self._job.scorer.activity.maybe_billed += courier.maybe_billed
        courier.maybe_billed = 0
        if courier.refusal:
            name = self._job.scorer.name
            self._reason = self._reason or ProviderStopped(
                f"{name}: the vendor took no batch: {courier.refusal}; the same command without "
                "--batch buys the calls live"
            )

    def _data(self, chunk: Chunk) -> bytes:
        """A batch's input: the same bytes whenever it is made."""
        office, work = self._courier.office, self._job.work
        return b"".join(office.line(f"c{key}", work[key].call) for key in chunk.calls)

    async def _hand_over(self) -> None:
        """Plan and submit batches of what waits, as far as ceilings and the queue allow."""
        courier = self._courier
        while self._reason is None and self._job.stopped is None:
            waiting = self._waiting()
            if not waiting:
                return
            cut = next_cut(waiting, tokens=self._room(), sizes=self._sizes())
            if not cut or (self._open_tokens() and self._is_over(cut)):
                return
            chunk = await self._plan(cut)
            if chunk is None:
                return
            chunk = await courier.advance(chunk, self._data)
            self._note_refusal()
            if chunk.state == "fetched":
                await self._read(chunk)
            elif not chunk.open:
                self._settle(chunk, [])
            self._show()
            if chunk.state in ("planned", "uploaded", "creating") or self._stopped_by_queue(chunk):
                return

    def _stopped_by_queue(self, chunk: Chunk) -> bool:
        """Whether the vendor's queue is full, and something is in it that will leave it."""
        return chunk.state == "void" and bool(self._open_tokens())

    def _open_tokens(self) -> int:
        return sum(c.tokens for c in self._courier.known.values() if c.state in AT_VENDOR)

    def _limit(self) -> int | None:
        told = [c.limit for c in self._courier.known.values() if c.limit]
        limits = [limit for limit in (self._batches.queue_tokens, *told[-1:]) if limit]
        return min(limits, default=None)

    def _room(self) -> int | None:
        limit = self._limit()
        return None if limit is None else limit - self._open_tokens()

    def _is_over(self, cut: Sequence[Work]) -> bool:
        room = self._room()
        return room is not None and tokens_of(cut) > room

    def _sizes(self) -> set[int]:
        if self._courier.office.dialect.finds_by_name:
            return set()
        return {len(c.calls) for c in self._courier.known.values() if c.state in AT_VENDOR}

    async def _plan(self, cut: Sequence[Work]) -> Chunk | None:
        """Set the most that it can cost aside, and commit that it is planned."""
        job, courier = self._job, self._courier
        share = job.price.batch_share if job.price else 1.0
        try:
            admission = await self._batches.budget.admit_now(job, cut, share)
        except BudgetReached as reason:
            if not courier.open():
                self._reason = reason
            return None
        if admission is None:
            return None
        few = admission.calls < min(FEW, len(cut)) and bool(courier.open())
        cut = cut[: admission.calls]
        if few or len(cut) in self._sizes():  # room comes as batches end
            self._batches.budget.forgo(admission)
            return None
        uid = uuid.uuid4().hex
        courier.fresh.add(uid)
        chunk = await courier.keep(
            Chunk(
                uid=uid,
                scorer=self._key,
                model=_spec_of(job.scorer),
                base_url=courier.office.base_url,
                key_print=courier.office.key_print,
                calls=tuple(work.key for work in cut),
                tokens=tokens_of(cut),
                dollars=share * sum(most_dollars(job, work.call) for work in cut),
                planned=courier.clock(),
            )
        )
        self._admissions[uid] = admission
        job.counts.sent += len(cut)
        return chunk

    def _settle(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> None:
        admission = self._admissions.pop(chunk.uid, None)
        if admission is None:
            return
        if chunk.state == "void" and "maybe billed" not in chunk.note:
            self._job.counts.sent -= len(chunk.calls)
            self._batches.budget.forgo(admission)
        else:
            self._batches.budget.settle(self._job, admission, outcomes)

    async def _read(self, chunk: Chunk) -> None:
        """Read a batch's results: nothing of them where they contradict each other."""
        job, courier = self._job, self._courier
        files = courier.files(chunk)
        calls = {key: job.work[key].call for key in chunk.calls if key in job.work}
        results = Results(courier.office, files, frozenset(chunk.calls), calls)
        if not chunk.accepted:
            against = await asyncio.to_thread(lambda: contradiction(results.counted()))
            if against:
                chunk = await courier.keep(chunk, "aside", note=against)
                self._settle_at_most(chunk)
                self._tell(decision_of(chunk))
                return
        found = Found(dict(chunk.refused), dict(chunk.again))
        for read in results:
            self._take(read, found, await self._counts_now(read))
            if len(found.group) >= GROUP:
                await self._flush(found)
        self._note_missing(chunk, results, found)
        await self._flush(found)
        if odd := results.tally.told():
            self._tell(f"batch {chunk.batch or chunk.uid}: {odd}")
        if len(calls) < len(chunk.calls):
            self._partial.add(chunk.uid)
            return
        chunk = await courier.keep(
            chunk,
            "collected",
            refused=found.refused,
            again=found.again,
            done=results.tally.read,
            cost=cost_of(found.spent, job.price),
        )
        self._settle(chunk, found.replies)
        if "cancel" in chunk.word and self._waiting():
            self._reason = self._reason or BatchesUnderWay(
                f"batch {chunk.batch} was cancelled; the same command buys what it left"
            )
        self._check_alike(found)
        await courier.advance(chunk)

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
            self._note_follow_ups(await self._keep(group))

    def _settle_at_most(self, chunk: Chunk) -> None:
        """Count a batch that is not read as the most that it can have cost."""
        admission = self._admissions.pop(chunk.uid, None)
        if admission is not None:
            self._batches.budget.settle_at_most(admission)

    def _check_alike(self, found: Found) -> None:
        answered = found.replies or self._job.scorer.activity.answered
        if len(found.refused) >= ALIKE and not answered:
            status, words = next(iter(found.refused.values()))
            self._reason = self._reason or ProviderStopped(
                f"{self._job.scorer.name}: the batch's calls were refused alike: {status}: {words}"
            )

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
        # Where the vendor says that it ran nothing else, what has no row was not run.
        idle = chunk.done is not None and chunk.done <= results.tally.read
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
        before = max((c.again.get(work.key, 0) for c in self._courier.known.values()), default=0)
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

    def _show(self) -> None:
        self._job.scorer.activity.note = self._progress()

    def _progress(self) -> str:
        """How the batches are, in one line."""
        chunks = [
            c for c in self._courier.known.values() if c.state != "void" and self._is_of_job(c)
        ]
        ended = sum(c.state not in ("planned", "uploaded", "creating", "created") for c in chunks)
        counts = self._job.counts
        told = [
            f"batches {ended} of {len(chunks)} ended",
            f"{counts.done:,} of {counts.planned:,} answered",
        ]
        expires = [c.expires for c in chunks if c.state == "created" and c.expires]
        if expires:
            hours = max(0.0, min(expires) - self._courier.clock()) / 3600
            told.append(f"first expires in {hours:.0f} h")
        return " · ".join(told)

    def _is_of_job(self, chunk: Chunk) -> bool:
        return any(call in self._works for call in chunk.calls)

    async def _wait(self, *, changed: bool) -> None:
        """Wait for the next look, longer where nothing happens; end early when asked to stop."""
        self._look_s = self._shortest_s if changed else min(1.5 * self._look_s, self._longest_s)
        until = time.time() + self._look_s
        at = time.strftime("%H:%M", time.localtime(until))
        trouble = f" · {self._courier.trouble[:120]}" if self._courier.trouble else ""
        self._job.scorer.activity.note = f"{self._progress()} · next look {at}{trouble}"
        while self._job.stopped is None and (left := until - time.time()) > 0:
            if left > self._look_s:  # the clock was set back
                return
            await asyncio.sleep(min(SLICE_S, left))


def _spec_of(scorer: Scorer) -> str:
    """The model as `rmjudge run` takes it."""
    return scorer.spec if isinstance(scorer, HostedScorer) else scorer.name
