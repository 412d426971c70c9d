"""One job's batches: what it lacks is handed over, watched, read, and bought no second time."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Final

from rmjudge.cache.ledger import AT_VENDOR, Chunk
from rmjudge.calls import Failure, Outcome
from rmjudge.errors import BatchesUnderWay, BudgetReached, Interrupted, ProviderStopped, StopRun
from rmjudge.providers.hosted import HostedScorer
from rmjudge.running.batches.collecting import Collector
from rmjudge.running.batches.cutting import next_cut, tokens_of
from rmjudge.running.batches.lifecycle import Lifecycle, seconds
from rmjudge.running.batches.limits import Commit, Keep, Limits
from rmjudge.running.batches.words import decision_of
from rmjudge.running.budget import Admission, most_dollars
from rmjudge.running.job import Job, Work
from rmjudge.scorer import Scorer

LOOK_S: Final = 60.0
LONGEST_LOOK_S: Final = 300.0
SLICE_S: Final = 0.25
"""Waits are made of these, by the wall clock: a machine that slept looks at once."""
STUCK_S: Final = 30 * 3600.0
"""After so long, six hours past the usual window, a batch that is still under way is told."""
FEW: Final = 50
"""Calls for which no batch is made while others are open."""


class JobBatches:
    """One job's batches, from what is pending to its answers."""

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        limits: Limits,
        lifecycle: Lifecycle,
        job: Job,
        key: str,
        pending: Sequence[Work],
        keep: Keep,
        commit: Commit,
    ) -> None:
        self._limits = limits
        self._lifecycle = lifecycle
        self._job = job
        self._key = key
        self._works = {work.key: work for work in pending}
        self._keep = keep
        self._collector = Collector(job, lifecycle, self._works, keep, commit, self._tell)
        self._admissions: dict[str, Admission] = {}
        self._reason: StopRun | None = None
        self._look_s = seconds("RMJUDGE_BATCH_LOOK_S", LOOK_S)
        self._longest_s = max(LONGEST_LOOK_S, self._look_s)
        self._shortest_s = self._look_s
        self._undecided: dict[str, str] = {}
        """What the user has to decide on, by a batch's uid, where the vendor told it."""
        self._told: set[str] = set()
        self._partial: set[str] = set()
        """Batches that hold calls of other plans too."""

    async def run(self) -> None:
        """Hand over, look, read, until nothing is left or something ends it."""
        self._job.scorer.activity.batched = True
        try:
            await self._settle_refused()
            while True:
                before = self._sight()
                self._lifecycle.trouble = ""
                await self._look()
                await self._hand_over()
                for line in self._lifecycle.told:
                    self._tell(line)
                if self._stop_for(self._job.stopped):
                    return
                if not self._lifecycle.open() and (self._reason is not None or not self._waiting()):
                    break
                if self._is_over_for_now():
                    break
                await self._wait(changed=self._sight() != before)
                if self._stop_for(self._job.stopped):
                    return
            if self._reason is not None:
                raise self._reason
        finally:
            self._job.scorer.activity.batched = False
            self._job.scorer.activity.note = ""
            self._job.counts.in_flight = 0
            for admission in self._admissions.values():
                self._limits.budget.settle_at_most(admission)

    def _tell(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._job.notes.append(line)

    def _sight(self) -> tuple[object, ...]:
        return tuple((c.uid, c.state, c.done) for c in self._lifecycle.known.values())

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
            chunk for chunk in self._lifecycle.open() if chunk.batch or chunk.state == "creating"
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
        lifecycle = self._lifecycle
        chunks = lifecycle.open()
        decisions = [chunk for chunk in chunks if chunk.state in ("aside", "lost")]
        now = lifecycle.clock()
        decisions += [
            chunk
            for chunk in chunks
            if chunk.state == "creating"
            and not lifecycle.client.dialect.finds_by_name
            and now - chunk.creating >= lifecycle.silence_s
        ]
        decisions += [chunk for chunk in chunks if chunk.uid in self._undecided]
        others = [chunk for chunk in chunks if chunk not in decisions]
        partly = [chunk for chunk in others if chunk.uid in self._partial]
        if decisions and not [chunk for chunk in others if chunk not in partly]:
            told = [self._undecided.get(chunk.uid) or decision_of(chunk) for chunk in decisions]
            raise BatchesUnderWay("; ".join(told))
        if partly and len(partly) == len(others) and not self._waiting():
            self._tell(
                f"{len(partly)} batches hold answers of other data too: they are read in full by "
                "the run that asked for them"
            )
            return True
        if self._limits.detach:
            trouble = f" ({lifecycle.trouble})" if lifecycle.trouble else ""
            raise BatchesUnderWay(f"{self._progress()}{trouble}; the same command goes on")
        return False

    def _waiting(self) -> list[Work]:
        """Calls that no open batch has, and that are neither answered nor failed."""
        held = {call for chunk in self._lifecycle.open() for call in chunk.calls}
        return [
            work
            for work in self._works.values()
            if work.answer is None and not work.failed and work.key not in held
        ]

    async def _settle_refused(self) -> None:
        """What the vendor has refused for good is not asked again before the job is complete."""
        refused = {
            call: Failure(*said)
            for chunk in self._lifecycle.known.values()
            for call, said in chunk.refused.items()
        }
        pairs = [(work, refused[key]) for key, work in self._works.items() if key in refused]
        if pairs:
            self._note_follow_ups(await self._keep(pairs))

    def _note_follow_ups(self, works: Sequence[Work]) -> None:
        self._works |= {work.key: work for work in works}

    async def _look(self) -> None:
        """Look at every batch once, and read those that have come."""
        for chunk in list(self._lifecycle.known.values()):
            if self._job.stopped is not None:
                return
            if chunk.state in ("planned", "uploaded") and chunk.uid not in self._admissions:
                # Of an earlier command: nobody works on it, and no ceiling of this run knows it.
                await self._lifecycle.give_up(chunk)
                continue
            try:
                chunk = await self._lifecycle.advance(chunk, self._data)  # noqa: PLW2901
            except BatchesUnderWay as reason:
                self._undecided[chunk.uid] = str(reason)
                continue
            self._undecided.pop(chunk.uid, None)
            if chunk.state == "fetched":
                await self._read(chunk)
            elif not chunk.open:
                self._settle(chunk, [])
            elif chunk.state == "created" and time.time() - chunk.created > STUCK_S:
                self._tell(
                    f"batch {chunk.batch} has been at the vendor for over {STUCK_S / 3600:.0f} "
                    f"hours: `rmjudge batches cancel {chunk.uid}` stops it, and keeps what has run"
                )
            self._show()
        self._note_refusal()

    def _note_refusal(self) -> None:
        lifecycle = self._lifecycle
        self._job.scorer.activity.maybe_billed += lifecycle.maybe_billed
        lifecycle.maybe_billed = 0
        if lifecycle.refusal:
            name = self._job.scorer.name
            self._reason = self._reason or ProviderStopped(
                f"{name}: the vendor took no batch: {lifecycle.refusal}; the same command without "
                "--batch buys the calls live"
            )

    def _data(self, chunk: Chunk) -> bytes:
        """A batch's input: the same bytes whenever it is made."""
        client, work = self._lifecycle.client, self._job.work
        return b"".join(client.line(f"c{key}", work[key].call) for key in chunk.calls)

    async def _hand_over(self) -> None:
        """Plan and submit batches of what waits, as far as ceilings and the queue allow."""
        lifecycle = self._lifecycle
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
            chunk = await lifecycle.advance(chunk, self._data)
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
        return sum(c.tokens for c in self._lifecycle.known.values() if c.state in AT_VENDOR)

    def _limit(self) -> int | None:
        told = [c.limit for c in self._lifecycle.known.values() if c.limit]
        limits = [limit for limit in (self._limits.queue_tokens, *told[-1:]) if limit]
        return min(limits, default=None)

    def _room(self) -> int | None:
        limit = self._limit()
        return None if limit is None else limit - self._open_tokens()

    def _is_over(self, cut: Sequence[Work]) -> bool:
        room = self._room()
        return room is not None and tokens_of(cut) > room

    def _sizes(self) -> set[int]:
        if self._lifecycle.client.dialect.finds_by_name:
            return set()
        return {len(c.calls) for c in self._lifecycle.known.values() if c.state in AT_VENDOR}

    async def _plan(self, cut: Sequence[Work]) -> Chunk | None:
        """Set the most that it can cost aside, and commit that it is planned."""
        job, lifecycle = self._job, self._lifecycle
        share = job.price.batch_share if job.price else 1.0
        try:
            admission = await self._limits.budget.admit_now(job, cut, share)
        except BudgetReached as reason:
            if not lifecycle.open():
                self._reason = reason
            return None
        if admission is None:
            return None
        few = admission.calls < min(FEW, len(cut)) and bool(lifecycle.open())
        cut = cut[: admission.calls]
        if few or len(cut) in self._sizes():  # room comes as batches end
            self._limits.budget.forgo(admission)
            return None
        uid = uuid.uuid4().hex
        lifecycle.fresh.add(uid)
        chunk = await lifecycle.keep(
            Chunk(
                uid=uid,
                scorer=self._key,
                model=_spec_of(job.scorer),
                base_url=lifecycle.client.base_url,
                key_print=lifecycle.client.key_print,
                calls=tuple(work.key for work in cut),
                tokens=tokens_of(cut),
                dollars=share * sum(most_dollars(job, work.call) for work in cut),
                planned=lifecycle.clock(),
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
            self._limits.budget.forgo(admission)
        else:
            self._limits.budget.settle(self._job, admission, outcomes)

    async def _read(self, chunk: Chunk) -> None:
        """Read a batch's results, and settle what was set aside for it."""
        chunk = await self._collector.read(chunk)
        if chunk.state == "aside":  # what it cost shows when it is read
            self._tell(decision_of(chunk))
            if (admission := self._admissions.pop(chunk.uid, None)) is not None:
                self._limits.budget.settle_at_most(admission)
        elif chunk.state == "fetched":
            self._partial.add(chunk.uid)
        else:
            self._settle(chunk, self._collector.found.replies)
            self._reason = self._reason or self._collector.speaks_against(chunk)
            await self._lifecycle.advance(chunk)

    def _show(self) -> None:
        self._job.scorer.activity.note = self._progress()

    def _progress(self, look: str = "") -> str:
        """How the batches are, in one line; `look` is when they are looked at next."""
        chunks = [
            c for c in self._lifecycle.known.values() if c.state != "void" and self._is_of_job(c)
        ]
        ended = sum(c.state not in ("planned", "uploaded", "creating", "created") for c in chunks)
        counts = self._job.counts
        told = [
            f"batches {ended} of {len(chunks)} ended",
            f"{counts.done:,} of {counts.planned:,} answered",
        ]
        if look:
            told.append(f"next look {look}")
        expires = [c.expires for c in chunks if c.state == "created" and c.expires]
        if expires:
            hours = max(0.0, min(expires) - self._lifecycle.clock()) / 3600
            told.append(f"first expires in {hours:.0f} h")
        return " · ".join(told)

    def _is_of_job(self, chunk: Chunk) -> bool:
        return any(call in self._works for call in chunk.calls)

    async def _wait(self, *, changed: bool) -> None:
        """Wait for the next look, longer where nothing happens; end early when asked to stop."""
        self._look_s = self._shortest_s if changed else min(1.5 * self._look_s, self._longest_s)
        until = time.time() + self._look_s
        at = time.strftime("%H:%M", time.localtime(until))
        trouble = f" · {self._lifecycle.trouble[:120]}" if self._lifecycle.trouble else ""
        self._job.scorer.activity.note = f"{self._progress(at)}{trouble}"
        while self._job.stopped is None and (left := until - time.time()) > 0:
            if left > self._look_s:  # the clock was set back
                return
            await asyncio.sleep(min(SLICE_S, left))


def _spec_of(scorer: Scorer) -> str:
    """The model as `rmjudge run` takes it."""
    return scorer.spec if isinstance(scorer, HostedScorer) else scorer.name
