"""The answer cache: replies by (scorer, call), durable before they count."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import diskcache
from filelock import FileLock, Timeout
from platformdirs import user_cache_dir

from rmjudge.cache.database import Database, note_batches, open_database
from rmjudge.cache.keys import answer_row, canonical, identity_row, scorer_keys
from rmjudge.cache.ledger import Chunk, encode_chunk, read_chunks
from rmjudge.cache.queries import read_rows
from rmjudge.cache.rows import DamagedRecordError, decode, encode, seal
from rmjudge.cache.sharing import Share
from rmjudge.cache.troubles import storage_stopped
from rmjudge.cache.writer import Writer
from rmjudge.calls import Json, Reply

CLAIM_POLL_S: Final = 0.5


def default_folder() -> Path:
    """Where answers are kept unless the user says otherwise."""
    return Path(user_cache_dir("rmjudge")) / "answers"


class AnswerCache:
    """An `AnswerStore` on diskcache. Safe to share between processes.

    Use as a context manager; `damaged` counts rows that were found unreadable, which are
    treated as missing and left in place.
    """

    def __init__(self, folder: Path) -> None:
        """Open the cache, making the folder when it is new.

        Raises:
            StorageStopped: it cannot be read or written; or it was damaged, and what could be
                read was saved, which the user is to know before anything is bought.
        """
        self.folder = folder
        self._damaged: set[str] = set()
        self._noted_batches = False
        self._older_keys: dict[str, tuple[str, ...]] = {}
        with ExitStack() as undo:
            try:
                self._share = Share(folder)
                undo.callback(self._share.close)
                self._open().close()
            except (diskcache.Timeout, sqlite3.Error, OSError) as cause:
                raise storage_stopped(folder, cause) from cause
            undo.pop_all()
        self._writer = Writer(self._open, folder)

    @property
    def damaged(self) -> int:
        """How many rows were found unreadable so far."""
        return len(self._damaged)

    def damaged_of(self, scorer: str) -> int:
        """How many of them hold answers of this scorer."""
        owners = (scorer, *self._older_keys.get(scorer, ()))
        return sum(key.startswith(answer_row(one, "")) for key in self._damaged for one in owners)

    def _open(self) -> Database:
        return open_database(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is queued and close."""
        self._writer.close()
        self._share.close()

    def key_of(self, identity: Mapping[str, Json]) -> str:
        """A scorer's key; under it `lookup` finds what is kept under older spellings too."""
        key, *older = scorer_keys(identity)
        self._older_keys[key] = tuple(older)
        return key

    async def register(self, identity: Mapping[str, Json]) -> str:
        """Keep a scorer's identity and return its key.

        This is also the run's first write: a full or read-only disk shows before any call.
        """
        key = self.key_of(identity)
        await self._writer.commit([(identity_row(key), seal(canonical(identity)))])
        return key

    async def lookup(self, scorer: str, calls: Sequence[str]) -> dict[str, Reply]:
        """Return the stored replies among these call keys, read off the event loop."""
        return await asyncio.to_thread(self._lookup, scorer, calls)

    def _lookup(self, scorer: str, calls: Sequence[str]) -> dict[str, Reply]:
        found: dict[str, Reply] = {}
        for owner in (scorer, *self._older_keys.get(scorer, ())):
            rows = {answer_row(owner, call): call for call in calls if call not in found}
            for key, text in self._read(list(rows)):
                try:
                    found[rows[key]] = decode(text)
                except DamagedRecordError:
                    self._damaged.add(key)  # looked up again once the claim is had
        return found

    def _read(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        try:
            yield from read_rows(self.folder, keys)
        except sqlite3.Error as cause:
            raise storage_stopped(self.folder, cause) from cause

    async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
        """Return when the replies are on disk for good."""
        await self._writer.commit(
            [(answer_row(scorer, call), encode(reply)) for call, reply in replies]
        )

    async def chunks(self, scorer: str = "") -> list[Chunk]:
        """The batches of a scorer, or of all.

        Raises:
            StorageStopped: they cannot be read.
        """
        try:
            return await asyncio.to_thread(read_chunks, self.folder, scorer)
        except sqlite3.Error as cause:
            raise storage_stopped(self.folder, cause) from cause

    async def keep_chunk(self, chunk: Chunk) -> None:
        """Return when what is known of a batch is on disk for good.

        Raises:
            StorageStopped: it cannot be kept.
        """
        if not self._noted_batches:
            try:
                await asyncio.to_thread(note_batches, self.folder)
            except sqlite3.Error as cause:
                raise storage_stopped(self.folder, cause) from cause
            self._noted_batches = True
        await self._writer.commit([(chunk.row, encode_chunk(chunk))])

    @asynccontextmanager
    async def claim(self, scorer: str, waiting: Callable[[], None]) -> AsyncIterator[None]:
        """Let one process at a time buy this scorer's answers; the next finds them here.

        Raises:
            StorageStopped: the lock's file cannot be made.
        """
        claims = self.folder / "claims"
        # The lock is the operating system's: it goes with the process, however that ends.
        lock = FileLock(claims / f"{scorer}.lock", mode=0o600, thread_local=False)
        while True:
            try:
                claims.mkdir(mode=0o700, exist_ok=True)
                lock.acquire(blocking=False)
                break
            except Timeout:  # an OSError too
                waiting()
                await asyncio.sleep(CLAIM_POLL_S)
            except OSError as cause:
                raise storage_stopped(self.folder, cause) from cause
        try:
            yield
        finally:
            lock.release()
