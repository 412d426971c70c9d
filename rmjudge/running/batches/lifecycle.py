"""Takes batches from state to state: each is committed before the act that it is about.

A create is sent once. After it a batch is either known, refused for certain, or unknown: then it
is looked for in the vendor's lists, and nothing of it is sent again before that is settled. All
else may be repeated, at the next look.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from rmjudge.cache import AnswerCache
from rmjudge.cache.ledger import Chunk, State
from rmjudge.errors import BatchesUnderWay, StorageStopped
from rmjudge.providers.batching.base import Batch, NotABatchError
from rmjudge.providers.batching.client import BatchClient, LostError, RefusedError, UnsentError
from rmjudge.running.batches.cutting import queue_limit
from rmjudge.running.batches.reading import lines_of

BEFORE_S: Final = 600.0
"""A batch may be older, by the vendor's clock, than ours says that it was asked for."""
PATIENCE_S: Final = 1800.0
"""A batch, or its results, may be missing for so long without being lost."""
SILENCE_S: Final = 900.0
"""After so long a list that shows nothing is believed."""
_TROUBLES: Final = (UnsentError, LostError, RefusedError, NotABatchError)


@dataclass(slots=True)
class Lifecycle:
    """Moves one scorer's batches. `known` are all rows of the ledger, by uid.

    `trouble` says what did not work at the last look. `refusal` is what the vendor refused a batch
    for, which is no use to send again. `unknown` are batches that the user has to decide on.
    """

    store: AnswerCache
    client: BatchClient
    silence_s: float = SILENCE_S
    clock: Callable[[], float] = time.time
    known: dict[str, Chunk] = field(default_factory=dict)
    trouble: str = ""
    refusal: str = ""
    smaller: bool = False
    fresh: set[str] = field(default_factory=set)
    maybe_billed: int = 0
    told: list[str] = field(default_factory=list)
    """What the user is to know."""

    @property
    def folder(self) -> Path:
        """Where results lie until they are read."""
        return self.store.folder / "batches"

    def files(self, chunk: Chunk) -> list[Path]:
        """The result files of a batch, as they are named here."""
        return [self.folder / f"{chunk.uid}.{n}.jsonl" for n in range(len(chunk.results))]

    async def keep(self, chunk: Chunk, state: State | None = None, **changes: Any) -> Chunk:
        """Commit what has become of a batch."""
        if state is not None:
            changes["state"] = state
        chunk = replace(chunk, changed=self.clock(), **changes)
        await self.store.keep_chunk(chunk)
        self.known[chunk.uid] = chunk
        return chunk

    async def advance(self, chunk: Chunk, data: Callable[[Chunk], bytes] | None = None) -> Chunk:
        """Take a batch as far as it goes now. Without `data` nothing new is handed over."""
        try:
            while True:
                before = chunk.state
                chunk = await self._step(chunk, data)
                if chunk.state == before:
                    return chunk
        except _TROUBLES as error:
            self.trouble = f"{chunk.uid[:8]}: {error}"
            return self.known.get(chunk.uid, chunk)
        except OSError as error:
            raise StorageStopped(
                f"the results of a batch cannot be written to {self.folder}: {error.strerror}; "
                "the batch is kept by its vendor, the same command goes on"
            ) from error

    async def _step(  # noqa: PLR0911 - one a state
        self, chunk: Chunk, data: Callable[[Chunk], bytes] | None
    ) -> Chunk:
        match chunk.state:
            case "planned" if data is not None:
                return await self._hand_over(chunk, data(chunk))
            case "uploaded" if data is not None:
                return await self._create(chunk, b"")
            case "creating":
                return await self._find(chunk)
            case "created":
                return await self._poll(chunk)
            case "ended":
                return await self._fetch(chunk)
            case "fetched" if not all(file.exists() for file in self.files(chunk)):
                return await self.keep(chunk, "ended")  # somebody deleted them: the vendor has them
            case "collected":
                return await self._clear(chunk)
        return chunk

    async def _hand_over(self, chunk: Chunk, data: bytes) -> Chunk:
        if not self.client.dialect.has_files:
            return await self._create(chunk, data)
        if chunk.uid not in self.fresh:
            for orphan in await self.client.files_of(chunk.uid):
                await self.client.delete(orphan)
        self.fresh.discard(chunk.uid)
        try:
            file = await self.client.upload(chunk.uid, data)
        except RefusedError as error:
            return await self._refused(chunk, error)
        digest = sha256(data).hexdigest()
        return await self.keep(chunk, "uploaded", file=file, size=len(data), sha256=digest)

    async def _create(self, chunk: Chunk, data: bytes) -> Chunk:
        back: State = chunk.state
        size = {"size": len(data), "sha256": sha256(data).hexdigest()} if data else {}
        chunk = await self.keep(chunk, "creating", creating=self.clock(), **size)
        try:
            batch = await self.client.create(chunk.uid, chunk.file, data)
        except UnsentError:
            await self.keep(chunk, back)
            raise
        except RefusedError as error:
            return await self._refused(chunk, error, back)
        except LostError as error:
            self.trouble = f"{chunk.uid[:8]}: whether the vendor has it is not known: {error}"
            return replace(chunk, state="creating")
        return await self._adopt(chunk, batch)

    async def _adopt(self, chunk: Chunk, batch: Batch) -> Chunk:
        return await self.keep(
            chunk,
            "created",
            batch=batch.id,
            created=self.clock(),
            word=batch.word,
            expires=batch.expires,
            total=batch.total,
        )

    async def _refused(self, chunk: Chunk, error: RefusedError, back: State = "planned") -> Chunk:
        """The vendor has nothing of it, for certain."""
        if error.queue_full:
            return await self._queue_is_full(chunk, error.words, str(error), back)
        if error.too_large and len(chunk.calls) > 1:
            self.smaller = True
            limit = max(chunk.tokens // 2, 1)
            return await self._void(chunk, f"too large: {error}", limit=limit)
        self.refusal = str(error)
        return await self._void(chunk, str(error))

    async def _queue_is_full(self, chunk: Chunk, words: str, shown: str, back: State) -> Chunk:
        """Wait, with smaller batches; where only the pace is too high, with the same one.

        `words` are the vendor's, `shown` is what may be shown of them.
        """
        told = queue_limit(words)
        if told is None and not any(word in words.lower() for word in ("enqueued", "queue")):
            self.trouble = shown
            return await self.keep(chunk, back)
        queued = sum(
            other.tokens
            for other in self.known.values()
            if other.uid != chunk.uid and other.state in ("creating", "created")
        )
        if not queued and len(chunk.calls) == 1:
            self.refusal = shown
        self.smaller = True
        limit = told or queued or max(chunk.tokens // 2, 1)
        if not queued:
            limit = min(limit, max(chunk.tokens // 2, 1))
        self.trouble = f"the vendor's queue is full: {shown}"
        return await self._void(chunk, f"queue full: {shown}", limit=limit)

    async def _void(self, chunk: Chunk, note: str, limit: int | None = None) -> Chunk:
        if chunk.file:
            with suppress(*_TROUBLES):
                await self.client.delete(chunk.file)
        return await self.keep(chunk, "void", note=note, limit=limit or chunk.limit)

    async def give_up(self, chunk: Chunk) -> Chunk:
        """Delete what the vendor has of a batch that it was not asked to work on."""
        try:
            if self.client.dialect.has_files:
                for file in [chunk.file] if chunk.file else await self.client.files_of(chunk.uid):
                    await self.client.delete(file)
        except _TROUBLES as error:
            self.trouble = f"{chunk.uid[:8]}: {error}"
            return chunk
        return await self.keep(chunk, "void", note="planned anew")

    async def _find(self, chunk: Chunk) -> Chunk:
        """Look for a batch whose create was not answered."""
        matches = await self._matches(chunk)
        if not matches and self.clock() - chunk.creating >= self.silence_s:
            if not self.client.dialect.finds_by_name:
                return self.known[chunk.uid]  # the user is asked
            # A create that is still on its way fails without its file.
            await self.client.delete(chunk.file)
            matches = await self._matches(chunk)
            if not matches:
                self.maybe_billed += len(chunk.calls)
                return await self.keep(chunk, "void", note="the vendor lists nothing; maybe billed")
        if not matches:
            return self.known[chunk.uid]
        first, *others = sorted(matches, key=lambda batch: (batch.created or 0.0, batch.id))
        for other in others:
            billed, became = await self._stop(other, len(chunk.calls))
            self.maybe_billed += billed
            self.told.append(
                f"the vendor has batch {other.id} beside {first.id} with the same calls: bought "
                f"twice; the second {became}"
            )
        return await self._adopt(chunk, first)

    async def _stop(self, batch: Batch, calls: int) -> tuple[int, str]:
        """Cancel a batch of calls that another has too; how many may be billed, and what is told.

        Its results are not read: they are answers to the same calls.
        """
        refusal = ""
        try:
            await self.client.cancel(batch.id)
        except _TROUBLES as error:  # it may have ended meanwhile
            refusal = str(error)
        now = batch
        with suppress(*_TROUBLES):
            now = await self.client.poll(batch.id)
        if now.phase != "under way":
            ran = calls if now.done is None else min(now.done, calls)
            return ran, f"is {now.word}, and {ran:,} of its calls may be billed"
        if refusal:
            return calls, f"goes on, since it was not cancelled ({refusal}): cancel it there"
        return calls, "was cancelled, and what it still runs is billed"

    async def _matches(self, chunk: Chunk) -> list[Batch]:
        found: list[Batch] = []
        not_ours = list(chunk.not_ours)
        taken = {other.batch for other in self.known.values()} | set(not_ours)
        async for batch in self.client.recent(chunk.planned - BEFORE_S):
            if self.client.dialect.finds_by_name:
                if batch.nonce == chunk.uid or (chunk.file and batch.file == chunk.file):
                    found.append(batch)
            elif batch.total == len(chunk.calls) and batch.id not in taken:
                if batch.phase == "under way":
                    continue  # whose it is shows in its results
                if await self.is_ours(chunk, batch):
                    found.append(batch)
                else:
                    not_ours.append(batch.id)
        if len(not_ours) > len(chunk.not_ours):
            await self.keep(chunk, not_ours=tuple(not_ours))
        return found

    async def is_ours(self, chunk: Chunk, batch: Batch) -> bool:
        """Whether the results of a batch have one of our calls' ids."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / f"{chunk.uid}.candidate"
        calls = set(chunk.calls)
        try:
            for result in batch.results:
                await self.client.fetch(result, file)
                for line in lines_of(file):
                    with suppress(ValueError):
                        if self.client.row(line).custom_id[1:] in calls:
                            return True
        finally:
            file.unlink(missing_ok=True)
        return False

    async def _poll(self, chunk: Chunk) -> Chunk:
        try:
            batch = await self.client.poll(chunk.batch)
        except RefusedError as error:
            if error.status == 404 and self.clock() - chunk.created > PATIENCE_S:
                other = chunk.key_print != self.client.key_print
                whose = "another key submitted it" if other else "this key submitted it"
                raise BatchesUnderWay(
                    f"{chunk.model}: the vendor knows batch {chunk.batch} no more ({whose}): use "
                    f"that key, or say `rmjudge batches resolve {chunk.uid} --not-submitted` to "
                    "have its calls bought again"
                ) from error
            raise
        told: Mapping[str, Any] = {
            "word": batch.word,
            "total": batch.total if batch.total is not None else chunk.total,
            "done": batch.done if batch.done is not None else chunk.done,
            "expires": batch.expires or chunk.expires,
        }
        if batch.phase == "failed":
            if batch.queue_full or queue_limit(batch.why) is not None:
                chunk = replace(chunk, word=batch.word)
                return await self._queue_is_full(chunk, batch.why, batch.shown, "void")
            self.refusal = f"the batch {batch.id} failed: {batch.shown or batch.word}"
            return await self._void(chunk, self.refusal)
        if batch.phase == "ended":
            return await self.keep(
                chunk, "ended", ended=self.clock(), results=batch.results, **told
            )
        if any(getattr(chunk, name) != value for name, value in told.items()):
            return await self.keep(chunk, **told)
        return chunk

    async def _fetch(self, chunk: Chunk) -> Chunk:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for result, file in zip(chunk.results, self.files(chunk), strict=True):
            if file.exists():  # whole: it has its name only then
                continue
            try:
                await self.client.fetch(result, file)
            except RefusedError as error:
                if error.status in (404, 410) and self.clock() - chunk.ended > PATIENCE_S:
                    return await self.keep(chunk, "lost", note=f"paid and lost: {error}")
                raise
        return await self.keep(chunk, "fetched")

    async def _clear(self, chunk: Chunk) -> Chunk:
        await self.client.delete(chunk.file, chunk.batch, chunk.results)
        for file in self.files(chunk):
            file.unlink(missing_ok=True)
        return await self.keep(chunk, "released")

    async def cancel(self, chunk: Chunk) -> None:
        """Ask the vendor to stop a batch; what has run stays billed."""
        await self.client.cancel(chunk.batch)

    def open(self) -> Sequence[Chunk]:
        """The batches whose calls are not to be bought in another way, in order."""
        return [chunk for chunk in self.known.values() if chunk.open]


def seconds(variable: str, otherwise: float) -> float:
    """A time that tests shorten."""
    try:
        return float(os.environ.get(variable, ""))
    except ValueError:
        return otherwise


async def lifecycle_of(store: AnswerCache, scorer: str, client: BatchClient) -> Lifecycle:
    """What moves the batches of a scorer.

    Raises:
        StorageStopped: the ledger cannot be read.
    """
    known = {chunk.uid: chunk for chunk in await store.chunks(scorer)}
    silence_s = seconds("RMJUDGE_BATCH_SILENCE_S", SILENCE_S)
    return Lifecycle(store, client, silence_s=silence_s, known=known)
