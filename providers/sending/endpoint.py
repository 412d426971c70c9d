"""One endpoint's shared state: may a call start now, and should any start at all.

Everything here concerns all calls to the endpoint alike. A server that says "wait" to one
call means all of them; one that refuses a key refuses it for all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from rmjudge.calls import Call
from rmjudge.errors import Interrupted, ProviderStopped, StopRun
from rmjudge.providers.sending.messages import CallError, FinalForCall, FinalForRun, Retryable
from rmjudge.providers.sending.outage import Outage
from rmjudge.providers.sending.pace import Pace, Sent
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.rate import RequestRate, TokenRate
from rmjudge.providers.sending.refusals import Refusals
from rmjudge.providers.sending.slots import Slots
from rmjudge.scorer import Activity, Flow

_LOG: Final = logging.getLogger("rmjudge.sending")


class Endpoint:
    """Admission (slots, pauses, rates), health, and the circuit breaker."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        activity: Activity,
        *,
        concurrency: int,
        first: int = 1,
        rpm: float | None = None,
        tpm: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._policy = policy
        self._activity = activity
        self._clock = clock
        self._requests = RequestRate(rpm) if rpm else None
        self._tokens = TokenRate(tpm) if tpm else None
        self._in_flight = 0
        self._pace = Pace(
            concurrency,
            first=first,
            deadline_s=policy.deadline_s,
            known=activity.known_pace,
            clock=clock,
        )
        self._slots = Slots(lambda: self._pace.limit)
        self._flow = activity.flow = activity.flow or Flow(concurrency)
        self._show()
        self._resume_at = 0.0
        self._stopped: StopRun | None = None
        self._stop_event = asyncio.Event()
        self._entering: set[asyncio.Timeout] = set()
        self._succeeded = 0
        self._retried = 0
        self._failed_in_a_row = 0
        self._refusals = Refusals(policy)
        self._outage = Outage(policy, activity, clock)
        self._doubt = ""
        self._no_doubt = asyncio.Event()

    def _show(self) -> None:
        flow, pace = self._flow, self._pace
        flow.in_flight, flow.limit, flow.limited = self._in_flight, pace.limit, pace.limited
        flow.most = max(flow.most, flow.in_flight)

    async def enter(self, tokens: int) -> Sent:
        """Take a slot, once pauses and rates allow; what is returned goes with the outcome.

        Raises:
            StopRun: the endpoint is broken, or the run is ending.
        """
        self._check()
        # No limit of its own: `stop` sets one, for whoever waits for a slot or a rate.
        waiting = asyncio.timeout(None)
        try:
            async with waiting:
                self._entering.add(waiting)
                return await self._admit(tokens)
        except TimeoutError:
            self._check()
            raise
        finally:
            self._entering.discard(waiting)

    async def _admit(self, tokens: int) -> Sent:
        await self._slots.take()
        try:
            self._check()
            await self.certain()
            while (pause := self._resume_at - self._clock()) > 0:
                await self.sleep(pause)
            await self._outage.turn()
            if self._requests is not None:
                await self._requests.admit()
            if self._tokens is not None:
                await self._tokens.admit(tokens)
            self._check()
        except BaseException:
            self._outage.leave()
            self._slots.release()
            raise
        self._in_flight += 1
        self._show()
        return self._pace.sent(self._in_flight)

    def leave(self) -> None:
        """Give the slot back."""
        self._in_flight -= 1
        self._outage.leave()
        self._slots.release()
        self._show()
        if self._doubt and not self._in_flight:
            self._stop_for(self._doubt)

    async def certain(self) -> None:
        """Wait while it is not known whether a refusal concerns one call or all.

        Raises:
            StopRun: all.
        """
        if self._doubt:
            await self._no_doubt.wait()
            self._check()

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the endpoint breaks or the run ends meanwhile.

        Raises:
            StopRun: it did.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._stop_event.wait()
        except TimeoutError:
            pass
        self._check()

    def _check(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    def stop(self, reason: StopRun) -> None:
        """Start nothing more. The first reason stands."""
        if self._stopped is None:
            self._stopped = reason
            self._stop_event.set()
            self._no_doubt.set()
            for waiting in self._entering:
                waiting.reschedule(0.0)

    def drain(self) -> None:
        """Start nothing more because the run is ending."""
        self.stop(Interrupted("the run is ending"))

    def used(self, reserved: int, tokens: int | None) -> None:
        """Correct the token rate by what the provider counted."""
        if self._tokens is not None and tokens is not None:
            self._tokens.correct(reserved, tokens)

    @property
    def answers(self) -> int:
        """Replies delivered so far."""
        return self._succeeded

    def succeeded(self, sent: Sent | None = None) -> None:
        """Note a delivered reply."""
        self._succeeded += 1
        self._failed_in_a_row = 0
        self._activity.answered = True
        self._activity.note = ""
        self._doubt = ""
        self._no_doubt.set()
        self._outage.over()
        if sent is not None:
            self._pace.answered(sent)
        self._slots.wake()
        self._show()

    def attempt_failed(
        self, error: CallError, calls: Sequence[Call] = (), sent: Sent | None = None
    ) -> None:
        """Note a failed attempt at calls: slow down, pause, or break.

        Raises:
            StopRun: this was the last straw.
        """
        _LOG.info("%s: an attempt failed: %s", self.name, error.message)
        if isinstance(error, FinalForRun) and not error.in_doubt:
            self._stop_for(error.message)
        elif isinstance(error, Retryable):
            self._note_retryable(error, calls, sent)
        elif isinstance(error, FinalForCall):
            self._outage.over()  # whatever it says, the server says it
        self._check()

    def _stop_for(self, reason: str) -> None:
        self.stop(ProviderStopped(f"{self.name}: {reason}"))

    def _note_retryable(self, error: Retryable, calls: Sequence[Call], sent: Sent | None) -> None:
        self._activity.retried += 1
        self._activity.maybe_billed += error.maybe_billed
        self._flow.refused += error.slow_down
        self._flow.timed_out += error.timed_out
        if (error.unreachable or error.away) and self._is_away(error, calls):
            error.in_outage = True
            self._pause(error.wait_s or 0.0)
            return
        self._retried += 1
        pause = error.wait_s or 0.0
        if sent is not None and error.slow_down:
            # The call itself has not left yet.
            pause = self._pace.refused(sent, self._in_flight - 1, error.wait_s)
        elif sent is not None and error.timed_out:
            self._pace.timed_out(sent)
        self._pause(pause)
        if error.wait_s is not None:
            self._activity.note = f"paused by {_cause(error)} for {error.wait_s:.0f} s"
        elif error.slow_down or error.timed_out:
            self._activity.note = f"slowed down: {error.message[:60]}"
        self._show()
        if self._retried > self._policy.retries_beyond_successes + self._succeeded:
            self._stop_for(
                f"more retries ({self._retried}) than the run allows; the last was: {error.message}"
            )

    def _pause(self, seconds: float) -> None:
        """Let nothing start for so long."""
        now = self._clock()
        if seconds:
            self._flow.paused_s += max(0.0, now + seconds - max(now, self._resume_at))
            self._resume_at = max(self._resume_at, now + seconds)

    def _is_away(self, error: Retryable, calls: Sequence[Call]) -> bool:
        """Whether this failure is part of an outage; ends the run where that lasts too long."""
        lasted = self._outage.lasts(error, calls)
        if lasted is None:
            return False
        policy = self._policy
        new = error.unreachable and not self._activity.answered
        patience = policy.outage_at_start_s if new else policy.outage_s
        self._outage.no_later_than(patience - lasted)
        self._activity.note = f"away for {lasted:.0f} s, asked now and then: {error.message[:60]}"
        if lasted >= patience and error.unreachable:
            self._stop_for(
                f"cannot be reached: {error.message}; is it running, and is the address right?"
            )
        elif lasted >= patience:
            self._stop_for(
                f"an outage of {lasted:.0f} s, --outage allows {patience:g}; "
                f"the last reply: {error.message}"
            )
        return True

    def call_failed(self, error: CallError, calls: Sequence[Call] = ()) -> None:
        """Note calls that failed for good; `certain` tells whether they are all there is to it.

        Raises:
            StopRun: the endpoint is broken.
        """
        if isinstance(error, FinalForRun):
            self._stop_unless_answered(error.message)
        elif isinstance(error, FinalForCall):
            prompts = [call.prompt for call in calls]
            if not self._activity.answered and self._refusals.all_alike(error, prompts):
                self._stop_unless_answered(
                    f"the first {self._refusals.calls} calls were refused alike, "
                    f"so the request itself is wrong: {error.message}"
                )
        else:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self._policy.failures_in_a_row:
                self._stop_for(
                    f"{self._failed_in_a_row} calls failed in a row; the last: {error.message}"
                )
        self._check()

    def _stop_unless_answered(self, reason: str) -> None:
        """Stop, unless there ever was an answer; calls under way may still bring the first."""
        if self._activity.answered:
            return
        if self._in_flight:
            self._no_doubt.clear()
            self._doubt = self._doubt or reason
        else:
            self._stop_for(reason)


def _cause(error: Retryable) -> str:
    """The number of a status, as people know it."""
    return error.status.removeprefix("http-")
