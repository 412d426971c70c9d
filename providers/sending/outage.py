"""Whether an endpoint is away, and one call at a time that asks whether it is back.

A refused connection is an outage at once. A 5xx, or a gateway's page, may be one text's own: it is
an outage once several different calls had one and no answer came between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from rmjudge.providers.sending.messages import Retryable
from rmjudge.providers.sending.policy import Policy
from rmjudge.scorer import Activity


class Outage:
    """The state of one endpoint. While it is away, `turn` lets one call through at a time."""

    def __init__(self, policy: Policy, activity: Activity, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._activity = activity
        self._clock = clock
        self._since: float | None = None
        self._away = False
        self._failed: list[frozenset[Hashable]] = []
        self._pause = 0.0
        self._ask_at = 0.0
        self._probing = asyncio.Lock()
        self._probe: asyncio.Task[Any] | None = None
        self._back = asyncio.Event()

    def over(self) -> None:
        """Note that the endpoint answered, whatever it said."""
        self._since = None
        self._away = False
        self._failed.clear()
        self._pause = 0.0
        self._back.set()
        self._free_turn()

    def lasts(self, error: Retryable, calls: Iterable[Hashable]) -> float | None:
        """Note a failed attempt; return for how long the endpoint is away, None where it is not.

        `calls` is what the attempt asked about: a half stands for the batch that it is of.
        """
        now = self._clock()
        if self._since is None:
            self._since = now
            self._back.clear()
        asked = frozenset(calls)
        self._failed = [before for before in self._failed if not asked <= before]
        if not any(asked & before for before in self._failed):
            self._failed.append(asked)
        enough = error.unreachable or len(self._failed) >= self._policy.outage_calls
        if enough and not self._away:
            self._away = True
            self._activity.outages += 1
        if not self._away:
            return None
        if now >= self._ask_at:  # not one of those that were under way when it began
            self._ask_at = now + self._pause
            first, most = self._policy.probe_first_s, self._policy.probe_most_s
            self._pause = min(2 * self._pause or first, most)
        return now - self._since

    def no_later_than(self, seconds: float) -> None:
        """Have the next call ask within so many seconds."""
        self._ask_at = min(self._ask_at, self._clock() + max(0.0, seconds))

    async def turn(self) -> None:
        """Wait while the endpoint is away, until it is this call that asks."""
        while self._away:
            await self._probing.acquire()
            try:
                while self._away and (wait := self._ask_at - self._clock()) > 0:
                    await _at_most(wait, self._back)
            except BaseException:
                self._probing.release()
                raise
            if self._away:
                self._probe = asyncio.current_task()
                return
            self._probing.release()

    def leave(self) -> None:
        """Let the next call ask, if this task's was the one that did."""
        if self._probe is asyncio.current_task():
            self._free_turn()

    def _free_turn(self) -> None:
        if self._probe is not None:
            self._probe = None
            self._probing.release()


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
