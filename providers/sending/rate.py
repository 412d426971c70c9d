"""Requests and tokens a minute, spread so that a server's own windows never refuse them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from asyncio_throttle import Throttler

_SHARE: Final = 0.98
"""Of the rate asked for: at 100 % clocks that differ by a hair cost refusals."""
_CATCHING_UP: Final = 1.25


class RequestRate:
    """At most `rpm` requests a minute.

    The throttler polls for each waiter, so one waits in it and the others behind a lock. One
    throttler holds every second to the rate, wherever a server's own windows begin; the other
    spreads requests within it, since a whole second's at once would meet finer limits. It lets
    through a quarter more than the rate: a loop that was late for a moment catches up.
    """

    def __init__(self, rpm: float) -> None:
        per_second = rpm / 60.0
        self._hold = _throttler(max(1, int(per_second + 1e-9)), per_second * _SHARE)
        self._spread = _throttler(max(1, int(per_second / 10 + 1e-9)), per_second * _CATCHING_UP)
        self._lock = asyncio.Lock()

    async def admit(self) -> None:
        """Return when one more request may start."""
        async with self._lock:
            await self._spread.acquire()
            await self._hold.acquire()


def _throttler(requests: int, per_second: float) -> Throttler:
    period = requests / per_second
    return Throttler(rate_limit=requests, period=period, retry_interval=min(0.01, period / 500))


class TokenRate:
    """At most `tpm` tokens a minute, reserved by estimate, corrected by what was used."""

    def __init__(
        self,
        tpm: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._per_second = tpm / 60.0
        self._most = max(tpm / 60.0 * 10.0, 1.0)
        self._clock = clock
        self._sleep = sleep
        self._level = self._most
        self._at = clock()
        self._lock = asyncio.Lock()

    async def admit(self, tokens: int) -> None:
        """Return when that many tokens may be spent. More than ten seconds' worth goes alone."""
        async with self._lock:
            self._refill()
            need = min(float(tokens), self._most)
            if self._level < need:
                await self._sleep((need - self._level) / self._per_second)
                self._refill()
            self._level -= tokens

    def correct(self, reserved: int, used: int) -> None:
        """Give back what was reserved too much, or take what was used beyond it."""
        self._level += reserved - used

    def _refill(self) -> None:
        now = self._clock()
        self._level = min(self._most, self._level + (now - self._at) * self._per_second)
        self._at = now
