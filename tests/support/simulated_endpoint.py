"""An endpoint in simulated time, and a client that keeps as many calls in flight as `Pace` says.

No sockets and no sleeping: an hour of a run takes a moment, and comes out the same every time.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from rmjudge.providers.sending.pace import Pace, Sent
from rmjudge.scorer import KnownPace

NETWORK_S = 0.004


@dataclass
class Endpoint:
    """What the server does: `latency` makes seconds; None is no limit.

    `at_once` and `per_second` refuse, with `retry_after` seconds to wait or without; `in_line`
    works on so many and lets the others wait; `refused_share` is refused whatever one does.
    """

    latency: Callable[[], float] = lambda: 1.0
    at_once: int | None = None
    per_second: int | None = None
    in_line: int | None = None
    retry_after: float | None = None
    refused_share: float = 0.0


@dataclass
class Run:
    """A run of `calls` calls: `wall_s` when it is over, and what happened on the way."""

    endpoint: Endpoint
    calls: int
    ceiling: int = 64
    first: int = 1
    deadline_s: float = 600.0
    known: KnownPace | None = None
    wall_s: float = 0.0
    done: int = 0
    refused: int = 0
    timed_out: int = 0
    limits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(1)
        self.pace = Pace(
            self.ceiling,
            first=self.first,
            deadline_s=self.deadline_s,
            known=self.known,
            clock=lambda: self.wall_s,
        )
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._waiting = self.calls
        self._in_flight = self._held = 0
        self._resume_at = 0.0
        self._begun: list[float] = []
        self._free_at = [0.0] * (self.endpoint.in_line or 0)
        self._send()
        while self.done < self.calls:
            self.wall_s, _, happens = heapq.heappop(self._events)
            happens()
            self._send()
            if self.pace.limit != (self.limits or [0])[-1]:
                self.limits.append(self.pace.limit)

    def _after(self, seconds: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.wall_s + seconds, next(self._numbers), happens))

    def _network(self) -> float:
        return NETWORK_S * self.draw.random()

    def _send(self) -> None:
        while (
            self._waiting and self._in_flight < self.pace.limit and self.wall_s >= self._resume_at
        ):
            self._waiting -= 1
            self._in_flight += 1
            sent = self.pace.sent(self._in_flight)
            self._after(self._network(), lambda sent=sent: self._arrive(sent))  # type: ignore[misc]

    def _arrive(self, sent: Sent) -> None:
        if self._refuses():
            self._after(self._network(), lambda: self._refuse(sent))
            return
        self._held += 1
        takes = self.endpoint.latency()
        if self._free_at:
            begins = max(self.wall_s, heapq.heappop(self._free_at))
            heapq.heappush(self._free_at, begins + takes)
            takes += begins - self.wall_s
        self._after(takes, self._leave)
        late = self.wall_s + takes - sent.at > self.deadline_s
        if late:  # the server works on it all the same
            self._after(sent.at + self.deadline_s - self.wall_s, lambda: self._time_out(sent))
        else:
            self._after(takes + self._network(), lambda: self._answer(sent))

    def _refuses(self) -> bool:
        end = self.endpoint
        if end.at_once is not None and self._held >= end.at_once:
            return True
        if end.per_second is not None:
            self._begun = [at for at in self._begun if at > self.wall_s - 1]
            if len(self._begun) >= end.per_second:
                return True
            self._begun.append(self.wall_s)
        return self.draw.random() < end.refused_share

    def _leave(self) -> None:
        self._held -= 1

    def _answer(self, sent: Sent) -> None:
        self._in_flight -= 1
        self.done += 1
        self.pace.answered(sent)

    def _refuse(self, sent: Sent) -> None:
        self._in_flight -= 1
        self.refused += 1
        pause = self.pace.refused(sent, self._in_flight, self.endpoint.retry_after)
        self._resume_at = max(self._resume_at, self.wall_s + pause)
        self._after(pause, lambda: None)
        self._again()

    def _time_out(self, sent: Sent) -> None:
        self._in_flight -= 1
        self.timed_out += 1
        self.pace.timed_out(sent)
        self._again()

    def _again(self) -> None:
        """Another attempt, after what was asked for and the usual backoff."""
        self._after((self.endpoint.retry_after or 0.0) + self.draw.random() / 2, self._back)

    def _back(self) -> None:
        self._waiting += 1
