"""Requests and tokens a minute, spread so that a server's own windows never refuse them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from asyncio_throttle import Throttler

_SHARE: Final = 0.98
"""Of the rate asked for: at 100 % clocks that differ by a hair cost refusals."""


class RequestRate:
    """At most `rpm` requests a minute.

    The throttler polls for each waiter, so one waits in it and the others behind a lock. The
    rate is spread over a tenth of a second, or what holds one request: a whole second's
    calls at once would overrun a server that counts in windows of its own.
    """

    def __init__(self, rpm: float) -> None:
        per_second = rpm / 60.0
        burst = max(1, int(per_second / 10 + 1e-9))
        period = burst / (per_second * _SHARE)
        if burst > 1:
            # So many bursts as begin within one second hold no more than a second's rate.
            period = max(period, 1.0 / int(per_second / burst + 1e-9))
        self._throttler = Throttler(
            rate_limit=burst, period=period, retry_interval=min(0.01, period / 50)
        )
        self._lock = asyncio.Lock()

    async def admit(self) -> None:
        """Return when one more request may start."""
        async with self._lock:
            await self._throttler.acquire()


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
