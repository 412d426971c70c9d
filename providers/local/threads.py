"""Threads that a program can leave behind: nobody waits for a pass that takes minutes.

A `ThreadPoolExecutor` joins its threads when the interpreter ends, however long a pass takes.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from typing import Final, TypeAlias

from rmjudge.calls import Call, Failure, Outcome

HAND_OVER_S: Final = 25.0
"""After it is asked to stop, a batch hands over what it has: before the orchestrator's own end."""
LEAVE_S: Final = 2.0
"""How long closing waits for threads; then they are left to the pass they are in."""
LEFT_OUT: Final = Failure("stopped", "the run is ending")


@dataclass(slots=True, eq=False)
class Batch:
    """Calls, and what is found of them so far by place: written by a thread, read by the loop."""

    calls: Sequence[Call]
    found: dict[int, Outcome] = field(default_factory=dict)
    answer: Future[Sequence[Outcome]] = field(default_factory=Future)


Work: TypeAlias = Callable[[Batch, Event], Sequence[Outcome]]


class Threads:
    """Some daemon threads and one queue; `work` makes the outcomes of a batch on one of them."""

    def __init__(self, count: int, name: str, work: Work) -> None:
        self.stopping = Event()
        self._work = work
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._waiting: set[asyncio.Future[Sequence[Outcome]]] = set()
        self._ends: list[Future[None]] = [Future() for _ in range(count)]
        self._threads = [
            Thread(target=self._run, args=(end,), name=f"{name}-{number}", daemon=True)
            for number, end in enumerate(self._ends)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """The outcomes of `calls`; `HAND_OVER_S` after a stop, those that there are by then."""
        batch = Batch(calls)
        waiting = asyncio.wrap_future(batch.answer)
        self._waiting.add(waiting)
        self._queue.put(batch)
        if self.stopping.is_set():
            self._give_up_later(waiting)
        try:
            await asyncio.wait({waiting})
        finally:
            self._waiting.discard(waiting)
            waiting.cancel()
        if waiting.cancelled():
            found = dict(batch.found)
            return [found.get(k, LEFT_OUT) for k in range(len(calls))]
        return waiting.result()

    def stop(self) -> None:
        """Let the passes under way finish. To be called on the loop's thread."""
        if not self.stopping.is_set():
            self.stopping.set()
            for waiting in self._waiting:
                self._give_up_later(waiting)

    async def aclose(self) -> None:
        """End the threads; a pass under way is broken off, and left to itself where that fails."""
        self.stop()
        for _ in self._ends:
            self._queue.put(None)
        ends = [asyncio.wrap_future(end) for end in self._ends]
        _, late = await asyncio.wait(ends, timeout=LEAVE_S / 2)
        if late:
            for thread in self._threads:
                _break_off(thread)
            _, late = await asyncio.wait(late, timeout=LEAVE_S / 2)
        for end in late:
            end.cancel()  # or it would call a loop that is closed by then

    @staticmethod
    def _give_up_later(waiting: asyncio.Future[Sequence[Outcome]]) -> None:
        waiting.get_loop().call_later(HAND_OVER_S, waiting.cancel)

    def _run(self, end: Future[None]) -> None:
        end.set_running_or_notify_cancel()
        try:
            self._serve()
        finally:
            end.set_result(None)

    def _serve(self) -> None:
        while (batch := self._queue.get()) is not None:
            if not batch.answer.set_running_or_notify_cancel():
                continue
            try:
                outcomes = self._work(batch, self.stopping)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                batch.answer.set_exception(error)
            else:
                batch.answer.set_result(outcomes)
            del batch


def _break_off(thread: Thread) -> None:
    """Raise SystemExit in a thread, at the next operation of its pass.

    A thread that computes on while the interpreter ends would abort the process in C++.
    """
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
