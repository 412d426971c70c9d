"""What is done about batches without a run: looking, fetching, cancelling, deciding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from rmjudge.cache import AnswerCache
from rmjudge.cache.ledger import Chunk
from rmjudge.errors import BatchesUnderWay, UsageError
from rmjudge.options import RunOptions
from rmjudge.providers.batching.base import Batch
from rmjudge.providers.batching.client import LostError, NotABatchError, RefusedError, UnsentError
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.spec import parse_spec
from rmjudge.running.batches.lifecycle import Lifecycle, lifecycle_of
from rmjudge.running.choosing import choose


def named(chunks: Sequence[Chunk], uid: str) -> Chunk:
    """The batch whose uid begins so.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = [chunk for chunk in chunks if chunk.uid.startswith(uid)] if uid else []
    if len(found) != 1:
        what = "several batches have" if found else "no batch has"
        raise UsageError(f"{what} a UID that begins with {uid!r}; `rmjudge batches list` shows all")
    return found[0]


class _BusyError(Exception):
    """A run is at the batches of this scorer."""


def _busy() -> None:
    raise _BusyError


@dataclass(slots=True)
class Upkeep:
    """Acts on batches; what people are to know of it is in `told`.

    `left` says of which batches nothing could be asked, and why: the others were not kept back.
    """

    store: AnswerCache
    options: RunOptions
    told: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def _lifecycle(self, chunk: Chunk) -> AsyncIterator[Lifecycle]:
        """What moves a batch, with its model's key.

        Raises:
            UsageError: the key is missing, or a run is at the batches of this model.
        """
        (item,) = choose([chunk.model], _of_one(self.options, parse_spec(chunk.model).name))
        if not isinstance(item.scorer, HostedScorer):
            raise UsageError(f"{chunk.model} has no batches")
        client = item.scorer.batching()
        try:
            async with self.store.claim(chunk.scorer, _busy):
                yield await lifecycle_of(self.store, chunk.scorer, client)
        except _BusyError:
            raise UsageError(
                f"{chunk.model}: another process is at its batches; wait for it, or stop it"
            ) from None
        finally:
            await client.aclose()

    def _check(self, chunks: Sequence[Chunk]) -> None:
        """See that keys and headers are for models of these batches, and for one address each.

        Raises:
            UsageError: they are not.
        """
        models = list(dict.fromkeys(chunk.model for chunk in chunks))
        if models and (self.options.headers or self.options.key_env):
            choose(models, self.options, need_keys=False)

    async def fetch(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Look at every open batch, and get the results of those that have ended."""
        found: list[Chunk] = []
        wanted = [chunk for chunk in chunks if chunk.open or chunk.state == "collected"]
        self._check(wanted)
        for _, group in groupby(sorted(wanted, key=_whose), key=_whose):
            mine = list(group)
            async with self._if_possible(mine), self._lifecycle(mine[0]) as lifecycle:
                for chunk in mine:
                    found.append(await self._advance(lifecycle, lifecycle.known[chunk.uid]))
                    self._tell(lifecycle)
        return found

    @asynccontextmanager
    async def _if_possible(self, chunks: Sequence[Chunk]) -> AsyncIterator[None]:
        """Note what keeps these from being asked about, such as a missing key."""
        try:
            yield
        except UsageError as error:
            uids = ", ".join(chunk.uid[:8] for chunk in chunks)
            many = "batch" if len(chunks) == 1 else "batches"
            self.left.append(f"{many} {uids}: {error}")

    async def _advance(self, lifecycle: Lifecycle, chunk: Chunk) -> Chunk:
        """Take a batch as far as it goes; what the user has to decide on keeps no other back."""
        try:
            return await lifecycle.advance(chunk)
        except BatchesUnderWay as reason:
            self.told.append(str(reason))
            return chunk

    def _tell(self, lifecycle: Lifecycle) -> None:
        self.told += [*lifecycle.told, *([lifecycle.trouble] if lifecycle.trouble else [])]
        if lifecycle.refusal:
            self.told.append(lifecycle.refusal)
        lifecycle.told, lifecycle.trouble, lifecycle.refusal = [], "", ""

    async def cancel(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        """Have the vendor stop the batches, and look at each at once."""
        found: list[Chunk] = []
        self._check([chunk for chunk in chunks if chunk.open])
        for chunk in chunks:
            if not chunk.open or chunk.state in ("ended", "fetched", "aside", "lost"):
                if len(chunks) == 1:
                    self.told.append(f"batch {chunk.uid[:8]} is {chunk.state}: nothing is stopped")
                    found.append(chunk)
                continue
            async with self._if_possible([chunk]), self._lifecycle(chunk) as lifecycle:
                now = lifecycle.known[chunk.uid]
                if now.state in ("planned", "uploaded"):
                    if now.file:
                        await lifecycle.client.delete(now.file)
                    found.append(await lifecycle.keep(now, "void", note="cancelled before it went"))
                    continue
                if now.state == "creating":
                    now = await self._advance(lifecycle, now)
                if now.batch:
                    try:
                        await lifecycle.cancel(now)
                        self.told.append(f"batch {now.batch}: what has run stays billed")
                        now = await lifecycle.keep(now, note="cancelled by the user")
                    except (RefusedError, LostError, UnsentError, NotABatchError) as error:
                        self.told.append(f"batch {now.batch} was not cancelled: {error}")
                    now = await self._advance(lifecycle, now)
                self._tell(lifecycle)
                found.append(now)
        return found

    async def adopt(self, chunk: Chunk, batch: str) -> Chunk:
        """Take a batch of the vendor's for the one that nothing is known of.

        Raises:
            UsageError: it is not unknown, or the vendor has no such batch.
        """
        self._check_state(chunk, "creating")
        async with self._lifecycle(chunk) as lifecycle:
            try:
                told = await lifecycle.client.poll(batch)
                not_ours = await _against(lifecycle, chunk, told)
            except (RefusedError, LostError, UnsentError, NotABatchError) as error:
                raise UsageError(f"the vendor tells no batch {batch}: {error}") from error
            if not_ours:
                raise UsageError(f"batch {batch} is not this one: {not_ours}")
            adopted = await lifecycle.keep(
                lifecycle.known[chunk.uid], "created", batch=told.id, created=lifecycle.clock()
            )
            return await lifecycle.advance(adopted)

    async def not_submitted(self, chunk: Chunk) -> Chunk:
        """Have the calls of a batch bought again that the vendor never had."""
        self._check_state(chunk, "creating", "created")
        async with self._lifecycle(chunk) as lifecycle:
            if chunk.file:
                with suppress(RefusedError, LostError, UnsentError):
                    await lifecycle.client.delete(chunk.file)
            note = "not submitted, says the user; maybe billed"
            return await lifecycle.keep(lifecycle.known[chunk.uid], "void", note=note)

    async def accept(self, chunk: Chunk) -> Chunk:
        """Have results read that were put aside."""
        self._check_state(chunk, "aside")
        async with self._lifecycle(chunk) as lifecycle:
            return await lifecycle.keep(lifecycle.known[chunk.uid], "fetched", accepted=True)

    async def discard(self, chunk: Chunk) -> Chunk:
        """Drop results; the calls are bought again."""
        self._check_state(chunk, "aside", "lost")
        async with self._lifecycle(chunk) as lifecycle:
            now = lifecycle.known[chunk.uid]
            with suppress(RefusedError, LostError, UnsentError):
                await lifecycle.client.delete(now.file, now.batch, now.results)
            for file in lifecycle.files(now):
                file.unlink(missing_ok=True)
            return await lifecycle.keep(now, "void", note="discarded by the user; it was billed")

    @staticmethod
    def _check_state(chunk: Chunk, *states: str) -> None:
        if chunk.state not in states:
            raise UsageError(
                f"batch {chunk.uid} is {chunk.state}: there is nothing of this kind to decide"
            )


def _of_one(options: RunOptions, name: str) -> RunOptions:
    """The options without keys and headers of other models."""
    headers = {
        header: text
        for header, text in options.headers.items()
        if header.rpartition(":")[0] in ("", name)
    }
    key_env = {model: variable for model, variable in options.key_env.items() if model == name}
    return replace(options, headers=headers, key_env=key_env)


async def _against(lifecycle: Lifecycle, chunk: Chunk, told: Batch) -> str:
    """What speaks against a batch of the vendor's being this one; empty for nothing.

    A wrong one must not be adopted: it would be deleted at the vendor's once it is read.
    """
    others = [other.uid for other in lifecycle.known.values() if other.batch == told.id]
    if others:
        return f"it is that of the UID {others[0]}"
    if told.total not in (None, 0, len(chunk.calls)):
        return f"it has {told.total:,} calls, and this one {len(chunk.calls):,}"
    if lifecycle.client.dialect.finds_by_name:
        named = told.nonce == chunk.uid or (chunk.file and told.file == chunk.file)
        return "" if named else "it has another name and another file"
    if told.phase == "ended":
        return "" if await lifecycle.is_ours(chunk, told) else "its results have none of our ids"
    return "whose it is shows in its results; ask again once it has ended"


def _whose(chunk: Chunk) -> tuple[str, str]:
    return chunk.model, chunk.scorer
