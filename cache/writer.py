"""One thread that commits: many answers a transaction, none waiting noticeably.

A commit on the event loop's thread would freeze every call under way for as long as another
process holds the write lock, or the disk is slow. Here whatever arrived while the last
transaction was being synced goes into the next one, so a lone answer is committed at once
and a flood shares its syncs.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import diskcache

from rmjudge.cache.database import Database, Row
from rmjudge.cache.troubles import storage_stopped
from rmjudge.errors import StorageStopped

GROUP_ROWS: Final = 512
"""Rows a transaction takes at most: other processes get the lock in between."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows to commit together, and the future of the caller who waits for them."""

    rows: Sequence[Row]
    future: asyncio.Future[None]


class Writer:
    """Commits rows in the order given, several callers' rows in one transaction."""

    def __init__(self, open_database: Callable[[], Database], folder: Path) -> None:
        self._open_database = open_database
        self._folder = folder
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="rmjudge-cache", daemon=True)
        self._thread.start()

    async def commit(self, rows: Sequence[Row]) -> None:
        """Return when the rows are on disk.

        Raises:
            StorageStopped: they cannot be kept.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(_Batch(rows, future))
        await future

    def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        database: Database | None = None
        while (group := self._next_group()) is not None:
            error: StorageStopped | None = None
            try:
                if database is None:
                    database = self._open_database()
                database.store([row for batch in group for row in batch.rows])
            except (diskcache.Timeout, sqlite3.Error, OSError) as cause:
                error = storage_stopped(self._folder, cause)
            _tell([batch.future for batch in group], error)
        if database is not None:
            database.close()

    def _next_group(self) -> list[_Batch] | None:
        first = self._queue.get()
        if first is None:
            return None
        group, rows = [first], len(first.rows)
        while rows < GROUP_ROWS:
            try:
                batch = self._queue.get_nowait()
            except Empty:
                break
            if batch is None:
                self._queue.put(None)
                break
            group.append(batch)
            rows += len(batch.rows)
        return group


def _tell(futures: Sequence[asyncio.Future[None]], error: StorageStopped | None) -> None:
    """Tell the waiters, on their own loop: one wake-up for all of them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for future in futures:
        by_loop.setdefault(future.get_loop(), []).append(future)
    for loop, waiting in by_loop.items():
        # Where the loop is closed, nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, waiting, error)


def _settle(futures: Sequence[asyncio.Future[None]], error: StorageStopped | None) -> None:
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
