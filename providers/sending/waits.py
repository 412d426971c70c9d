"""When the next attempt at a call starts, and when there is none: small parts for tenacity."""

from __future__ import annotations

from typing import cast

from tenacity import RetryCallState
from tenacity.wait import wait_base

from rmjudge.providers.sending.messages import Retryable


def _error_of(state: RetryCallState) -> Retryable:
    return cast(Retryable, state.outcome.exception() if state.outcome else None)


def attempts_are_used_up(state: RetryCallState) -> bool:
    """Whether there were as many attempts as the last error allows."""
    return state.attempt_number >= _error_of(state).attempts


class AsTheServerAsked(wait_base):
    """What the server asked for, which is also a pause of the whole endpoint; mostly nothing."""

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds."""
        return _error_of(retry_state).wait_s or 0.0


class UnlessAway(wait_base):
    """Nothing in an outage, where the endpoint says who asks and when; else another wait."""

    def __init__(self, wait: wait_base) -> None:
        self._wait = wait

    def __call__(self, retry_state: RetryCallState) -> float:
        """Seconds."""
        return 0.0 if _error_of(retry_state).in_outage else self._wait(retry_state)
