"""How many calls an endpoint is sent at once: found out, not asked for. No I/O, no waiting.

It begins low and rises fast (slow start). A refusal (429, 503) lowers it to what the server holds
at that moment; so do time-outs, to what the server answers in half of the time a call has; and a
rise that brought no more answers is taken back: behind it is a server with few slots and a long
line. A level that held for a round is *proven*; from there a small step up is tried now and then,
the more seldom the more often it failed.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rmjudge.scorer import KnownPace

FASTER: Final = 4
"""Slow start: so many times as many after each round without trouble."""
COMPARED: Final = 2
"""A level is compared with the proven one when it is so many times as high."""
EXPONENT: Final = 0.7
"""See `_brings_more`."""
DOUBTS: Final = 2
"""So many rounds that brought no more answers are believed; one may be chance."""
HOLD_S: Final = 5.0
"""After a refusal, until the next step up; after a time-out at least the time of a call."""
LONGER: Final = 3.0
"""So many times as long after each step that failed."""
HOLD_MOST_S: Final = 60.0
ROUND_S: Final = 2.0
"""How long a step must go well at an endpoint that refused before: it may count in seconds."""
WINDOW_S: Final = 1.0
"""The answers of so long tell how fast the endpoint is."""
BREATH_S: Final = 0.1
"""After a refusal that asks for no wait: else the next call would be refused at once."""
NOISE: Final = 0.15
"""A smaller share of refusals says little of how many calls are in flight."""
_MEMORY: Final = 50
"""The share of refusals is that of about so many attempts."""
_PRIOR: Final = 10
_SAMPLES: Final = 4


def first_of(users_number: int | None) -> int:
    """Where the slow start begins: a number of the user's tells something, the default nothing."""
    if users_number is None:
        return 1
    return max(min(users_number, 8), users_number // 6)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call under way: when it was sent, as the how manieth in flight, after how many answers."""

    at: float
    place: int
    answered: int


class _Mean:
    """A mean of latencies in seconds, of the last `most` or so."""

    def __init__(self) -> None:
        self.count = 0
        self.value = 0.0

    def add(self, value: float, most: int) -> None:
        self.count += 1
        self.value += (value - self.value) / min(self.count, max(most, 4))


class Pace:
    """The limit of calls in flight: `limit`, at least 1, at most `ceiling`.

    `first` is where the slow start begins, `deadline_s` the seconds that a call may take, `known`
    what an earlier run found.
    """

    def __init__(
        self,
        ceiling: int,
        *,
        first: int = 1,
        deadline_s: float = 600.0,
        known: KnownPace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ceiling = ceiling
        self.limited = known is not None and known.limited
        """Whether the endpoint, and not the ceiling or the end of the run, set the limit."""
        if known is not None:
            first = known.limit if known.limited else max(first, known.limit)
        self.limit = max(1, min(first, ceiling))
        self._clock = clock
        self._deadline_s = deadline_s
        self._proven = self.limit
        self._step = 0
        self._hold_until = clock() + (HOLD_S if self.limited else 0.0)
        self._failures = 0
        self._refused_ever = False
        self._share = 0.0
        self._attempts = _PRIOR
        self._reached = False
        self._doubts = 0
        self._answered = 0
        self._answers: deque[float] = deque()
        self._cut_at = -math.inf
        self._floor = 1
        self._below = _Mean()
        """Latency of calls sent while no more than the proven number was in flight."""
        self._above = _Mean()
        self._round_from = clock()

    def sent(self, in_flight: int) -> Sent:
        """Note a call that goes out; `in_flight` counts it."""
        self._reached |= in_flight >= self.limit
        return Sent(self._clock(), in_flight, self._answered)

    def answered(self, sent: Sent) -> None:
        """Note its answer."""
        now = self._clock()
        self._answered += 1
        self._answers.append(now)
        self._count(refused=False)
        self._forget(now)
        if sent.at < self._cut_at:
            return  # sent under a limit that is gone
        if sent.place > self._proven:
            if sent.at >= self._round_from:
                self._above.add(now - sent.at, self.limit)
                self._maybe_end_round(now)
        else:
            self._below.add(now - sent.at, self._proven)
            whole = self._below.count >= self.limit == self._proven
            if whole and self._reached and now >= self._hold_until:
                self._step = 0
                self._rise(now)

    def _rise(self, now: float) -> None:
        """Go one step up: a great one in slow start, else a small one, then twice that."""
        if self.limit >= self.ceiling:
            return
        if self.limited:
            self._step = min(2 * self._step or max(1, self._proven // 4), self.limit)
            wanted = self.limit + self._step
        else:
            # Were it a line, its last call would still be answered in half of its time.
            in_time = self._deadline_s / 2 / max(self._below.value, 1e-9)
            wanted = int(self.limit * max(2.0, min(FASTER, in_time)))
        self.limit = min(self.ceiling, wanted)
        self._above = _Mean()
        self._doubts = 0
        self._reached = False
        self._round_from = now

    def _maybe_end_round(self, now: float) -> None:
        more = self.limit / self._proven
        if self._above.count < max(2 if more > COMPARED else _SAMPLES, self.limit - self._proven):
            return
        if self._refused_ever and now - self._round_from < ROUND_S:
            return
        top = self.limit >= self.ceiling
        if more >= COMPARED or top:
            if more >= COMPARED and not self._brings_more(more):
                self._doubts += 1
                if self._doubts < DOUBTS:
                    self._above, self._round_from = _Mean(), now
                    return
                self._settle(self._proven, now, 4 * self._below.value)
                return
            self._proven, self._below, self._above = self.limit, self._above, _Mean()
            self._failures = 0
        self._rise(now)

    def _brings_more(self, more: float) -> bool:
        """Whether `more` times as many in flight bring more answers.

        Where they only stand in line, the calls of the first round wait (more + 1) / 2 times as
        long as before, since the line was still growing; where each is worked on, as long.
        """
        return self._above.value <= self._below.value * math.pow((more + 1) / 2, EXPONENT)

    def refused(self, sent: Sent, in_flight: int, wait_s: float | None = None) -> float:
        """Note that the server takes no more; return for how long nothing more is to be sent.

        `in_flight` are the other calls, `wait_s` is what the server asked for.
        """
        now = self._clock()
        self._count(refused=True)
        self._refused_ever = True
        trying = self.limit > self._proven
        rare = self._share <= NOISE and sent.at >= self._cut_at
        if rare and wait_s is None:
            return BREATH_S if trying else 0.0  # such may come whatever one does
        if sent.at >= self._cut_at + WINDOW_S:  # no straggler of the wave that was answered already
            self._floor = self._proven if trying else self._held(now)
        hold_until = self._hold_until
        self._settle(max(self._floor, min(self.limit, in_flight)), now, HOLD_S)
        self._hold_until = hold_until if rare and not trying else self._hold_until + (wait_s or 0.0)
        return BREATH_S if wait_s is None else wait_s

    def _count(self, *, refused: bool) -> None:
        self._attempts = min(self._attempts + 1, _MEMORY)
        self._share += (refused - self._share) / self._attempts

    def _held(self, now: float) -> int:
        """How many calls the server had at once of late: Little's law, rate x latency."""
        self._forget(now)
        calls = len(self._answers) / self._window_s() * self._below.value
        return max(1, min(self.limit - 1, round(calls) or self.limit // 2))

    def _window_s(self) -> float:
        return max(WINDOW_S, self._below.value)

    def _forget(self, now: float) -> None:
        while self._answers and self._answers[0] < now - self._window_s():
            self._answers.popleft()

    def timed_out(self, sent: Sent) -> None:
        """Note that a call had no complete answer in its time.

        Others had: half of those fit into a line that ends in time.
        """
        most = max(1, (self._answered - sent.answered) // 2)
        if most < self.limit:
            self._settle(most, self._clock(), max(HOLD_S, self._deadline_s))

    def _settle(self, limit: int, now: float, hold_s: float) -> None:
        """Go down to a limit, which is taken for proven, and stay there for a while."""
        if limit < self.limit:
            failed = self.limit > self._proven >= limit
            self._failures = self._failures + 1 if failed and self.limited else 0
            if limit != self._proven:
                self._below = _Mean()
            self.limit = self._proven = limit
            self.limited = True
            self._reached = False
            self._cut_at = now
            self._share, self._attempts = 0.0, _PRIOR
        self._hold_until = now + min(hold_s * LONGER**self._failures, HOLD_MOST_S)
