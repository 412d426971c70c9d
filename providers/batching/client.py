"""A vendor's batches over the wire: a dialect, sent by an `Exchange`. Each request goes once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from rmjudge.calls import Call, Failure, Json, Outcome, Reply
from rmjudge.providers.base import Provider, Request
from rmjudge.providers.batching.base import Batch, BatchDialect, NotABatchError, Row
from rmjudge.providers.batching.dialects import dialect_of
from rmjudge.providers.sending.exchange import Ask, Exchange, LostError, UnsentError
from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    RawReply,
)
from rmjudge.providers.sending.reading import ReplyReader
from rmjudge.providers.sending.said import read_error

PAGES: Final = 20
"""Of a list that are looked through at most."""
_T = TypeVar("_T")


class RefusedError(Exception):
    """The vendor said no, for certain. `queue_full`: it would take it later; `too_large`: less.

    `words` are the vendor's as they came, for programs to read; the message is for people.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        words: str = "",
        queue_full: bool = False,
        too_large: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.words = words or message
        self.queue_full = queue_full
        self.too_large = too_large


@dataclass(frozen=True, slots=True)
class Read:
    """A result's row as an outcome. `again`: it brought nothing, and nothing speaks against it."""

    custom_id: str
    outcome: Outcome | None
    again: bool = False
    billed: bool = True

    @property
    def key(self) -> str:
        """The call's key."""
        return self.custom_id[1:]


class BatchClient:
    """One endpoint's batches."""

    def __init__(self, provider: Provider, exchange: Exchange, key_print: str) -> None:
        """`key_print` tells keys apart.

        Raises:
            UsageError: the provider has no batches that are known.
        """
        self.dialect: BatchDialect = dialect_of(provider)
        self.provider = provider
        self.key_print = key_print
        self.base_url = provider.target.base_url
        self._exchange = exchange

    def line(self, custom_id: str, call: Call) -> bytes:
        """A call's line of the input, with its end."""
        request: Request = self.provider.build([call])
        return self.dialect.line(custom_id, request) + b"\n"

    async def upload(self, uid: str, data: bytes) -> str:
        """Hand the input over; return the file's id.

        Raises:
            RefusedError, UnsentError, LostError: it did not go; nothing is billed.
        """
        reply = await self._exchange.ask(self.dialect.upload(uid, data))
        self._check(reply)
        following = self.dialect.upload_on(reply, data)
        if following is not None:
            reply = await self._exchange.ask(following)
        return self._told(reply, self.dialect.uploaded)

    async def files_of(self, uid: str) -> list[str]:
        """Files that were uploaded under a nonce."""
        ask = self.dialect.files()
        if ask is None:
            return []
        return await self._ask(ask, lambda body: self.dialect.files_of(uid, body))

    async def create(self, uid: str, file: str, data: bytes) -> Batch:
        """Ask for a batch. Never to be sent again unseen.

        Raises:
            UnsentError: it was not heard. RefusedError: the vendor will not, for certain.
            LostError: all else: it may be.
        """
        reply = await self._exchange.ask(self.dialect.create(uid, file, data))
        if 400 <= reply.status < 500 and reply.status not in (408, 409, 425, 499):
            if not read_error(reply.body).found:
                raise LostError(f"HTTP {reply.status} without the vendor's words")
            raise _refusal(reply, self._exchange.reader)
        if not 200 <= reply.status < 300:
            raise LostError(f"HTTP {reply.status}")
        try:
            return self._told(reply, self.dialect.batch)
        except NotABatchError as error:
            raise LostError(f"the reply cannot be read: {error}") from None

    async def poll(self, batch: str) -> Batch:
        """How a batch is."""
        reply = await self._exchange.ask(self.dialect.poll(batch))
        self._check(reply)
        told = self._told(reply, self.dialect.batch)
        return replace(told, shown=self._why(reply, told))

    def _why(self, reply: RawReply, told: Batch) -> str:
        """Why a batch failed, as it may be shown."""
        clean = self._exchange.reader.without_secrets(reply)
        if clean is reply:
            return told.why
        try:
            return self.dialect.batch(json.loads(clean.body)).why
        except (ValueError, RecursionError):
            return "what the vendor says cannot be shown"

    async def recent(self, since: float) -> AsyncIterator[Batch]:
        """The batches made since a Unix time, the newest first; those that tell no time as well."""
        after = ""
        for _ in range(PAGES):
            found, after = await self._ask(self.dialect.batches(after), self.dialect.page)
            for batch in found:
                if batch.created is None or batch.created >= since:
                    yield batch
            old = [batch for batch in found if batch.created is not None and batch.created < since]
            if not after or old:
                return

    async def cancel(self, batch: str) -> None:
        """Ask the vendor to stop."""
        await self._ask(self.dialect.cancel(batch), lambda body: body)

    async def fetch(self, result: str, file: Path) -> None:
        """Write one of the results to a file.

        Raises:
            RefusedError, UnsentError, LostError: not yet. OSError: it cannot be written.
        """
        address = self.dialect.result(result)
        self._check(await self._exchange.download(address, file))

    async def delete(self, file: str, batch: str = "", results: Sequence[str] = ()) -> None:
        """Delete what the vendor still has; what is gone already is fine."""
        for ask in self.dialect.deletions(file, batch, results):
            reply = await self._exchange.ask(ask)
            if reply.status not in (404, 410):
                self._check(reply)

    def row(self, line: bytes) -> Row:
        """Read a line of the results.

        Raises:
            ValueError: this is none.
        """
        try:
            return self.dialect.row(json.loads(line))
        except RecursionError as error:
            raise ValueError(str(error)) from None

    def read(self, row: Row, call: Call) -> Read:
        """What a row says of its call: as a live reply would be read, at a batch's price."""
        if row.status == 0:
            return Read(row.custom_id, None, again=True, billed=False)

        def parse(body: Json) -> Sequence[Reply]:
            (part,) = self.provider.split(body)
            return [self.provider.reply(part, call)]

        raw = RawReply(row.status, {}, row.body)
        try:
            (reply,) = self._exchange.reader.answers(raw, parse)
        except CallError as error:
            said = Failure(error.status, error.message)
            final = isinstance(error, (FinalForCall, FinalForRun))
            return Read(row.custom_id, said, again=not final, billed=not final and row.status < 300)
        return Read(row.custom_id, replace(reply, usage=reply.usage.in_batch))

    async def _ask(self, ask: Ask, read: Callable[[Json], _T]) -> _T:
        reply = await self._exchange.ask(ask)
        self._check(reply)
        return self._told(reply, read)

    def _told(self, reply: RawReply, read: Callable[[Json], _T]) -> _T:
        """What a reply says, read as it came; an error has its words without secrets.

        Raises:
            LostError: it is no JSON. NotABatchError: it is none of what `read` takes.
        """
        try:
            return read(_json(reply))
        except (LostError, NotABatchError) as error:
            clean = self._exchange.reader.without_secrets(reply)
            if clean is reply:
                raise
            try:
                read(_json(clean))
            except (LostError, NotABatchError) as shown:
                raise type(error)(str(shown)) from None
            raise type(error)("the reply cannot be read") from None

    def _check(self, reply: RawReply) -> None:
        """Raise for every status but success."""
        if 200 <= reply.status < 300:
            return
        if reply.status >= 500:
            raise LostError(f"HTTP {reply.status}")
        raise _refusal(reply, self._exchange.reader)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.aclose()


def _json(reply: RawReply) -> Json:
    try:
        body: Json = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise LostError(f"the reply cannot be read: {error}") from None
    return body


def _refusal(reply: RawReply, reader: ReplyReader) -> RefusedError:
    said = read_error(reply.body)
    words = said.text.lower()
    account = bool(said.codes & {"insufficient_quota", "billing_hard_limit_reached"})
    full = reply.status == 429 and not account
    full = full or (
        reply.status == 400 and any(code == "token_limit_exceeded" for code in said.codes)
    )
    shown = read_error(reader.without_secrets(reply).body)
    too_large = reply.status == 413 or "too many requests in" in words or "too large" in words
    return RefusedError(
        reply.status,
        f"HTTP {reply.status}: {shown.message or 'no message'}",
        words=said.text,
        queue_full=full,
        too_large=too_large and not full,
    )


__all__ = [
    "BatchClient",
    "LostError",
    "NotABatchError",
    "Read",
    "RefusedError",
    "UnsentError",
]
