"""When an endpoint ends the run: refusals, failures in a row, too many retries, an outage."""

from __future__ import annotations

import pytest
from waiting_endpoint import Clock, endpoint, refused, started, transient

from rmjudge.errors import ProviderStopped, StopRun
from rmjudge.providers.sending.endpoint import Endpoint
from rmjudge.providers.sending.messages import FinalForCall, FinalForRun, Retryable
from rmjudge.providers.sending.policy import Policy


async def test_the_first_reason_to_stop_stands() -> None:
    point = endpoint()
    point.stop(ProviderStopped("first"))
    point.drain()

    with pytest.raises(ProviderStopped, match="first"):
        await point.enter(0)


async def test_an_error_that_is_final_for_the_run_stops_it_by_name() -> None:
    with pytest.raises(ProviderStopped, match=r"^openai/m: HTTP 401: no$"):
        endpoint().attempt_failed(FinalForRun("http-401", "HTTP 401: no"))


async def test_an_error_that_is_final_for_a_call_does_not_stop_the_run() -> None:
    point = endpoint()
    point.attempt_failed(refused())
    point.call_failed(refused())

    assert await started(point) == 8


def call_fails(point: Endpoint, times: int, error: FinalForCall | Retryable | None = None) -> int:
    """How many calls fail before the run stops."""
    for number in range(times):
        try:
            point.call_failed(error or refused())
        except StopRun:
            return number + 1
    return 0


async def test_the_first_five_calls_refused_alike_stop_the_run() -> None:
    point = endpoint()

    assert call_fails(point, 30) == 5
    with pytest.raises(
        ProviderStopped, match=r"the first 5 calls were refused alike.*HTTP 400: no"
    ):
        await point.enter(0)


async def test_the_same_refusal_after_a_success_does_not_mean_that_the_request_is_wrong() -> None:
    point = endpoint()
    point.succeeded()

    assert call_fails(point, 19) == 0


async def test_first_calls_refused_in_different_ways_go_on() -> None:
    point = endpoint()

    assert [call_fails(point, 4, refused(f"refusal {number}")) for number in range(4)] == [0] * 4


async def test_twenty_failures_in_a_row_stop_the_run() -> None:
    point = endpoint()
    point.succeeded()

    assert call_fails(point, 30, transient()) == 20
    with pytest.raises(ProviderStopped, match="20 calls failed in a row; the last: busy"):
        await point.enter(0)


async def test_a_success_breaks_the_row_of_failures() -> None:
    point = endpoint()
    for _ in range(5):
        point.succeeded()
        assert call_fails(point, 19, transient()) == 0


async def test_the_budget_of_retries_grows_with_the_successes() -> None:
    point = endpoint(policy=Policy(retries_beyond_successes=3))
    point.succeeded()
    for _ in range(4):
        point.attempt_failed(transient())

    with pytest.raises(ProviderStopped, match=r"more retries \(5\) than the run allows.*busy"):
        point.attempt_failed(transient())


async def unreachable_for(point: Endpoint, clock: Clock, step: float) -> float:
    """Seconds of being unreachable after which the run stops."""
    begun = clock.now
    while True:
        try:
            point.attempt_failed(transient(unreachable=True))
        except ProviderStopped:
            return clock.now - begun
        clock.now += step


async def test_an_endpoint_that_is_given_up_is_told_of_with_advice() -> None:
    point = endpoint(policy=Policy(outage_at_start_s=0.0))

    with pytest.raises(ProviderStopped, match=r"cannot be reached: busy; is it running"):
        point.attempt_failed(transient(unreachable=True))


async def test_an_endpoint_that_never_answered_is_given_up_soon() -> None:
    clock = Clock()

    assert await unreachable_for(endpoint(clock=clock), clock, 1.0) == Policy().outage_at_start_s


async def test_an_endpoint_that_did_answer_is_given_more_time() -> None:
    clock = Clock()
    point = endpoint(clock=clock)
    point.succeeded()

    assert await unreachable_for(point, clock, 10.0) == Policy().outage_s


async def test_an_outage_is_over_with_the_first_success() -> None:
    clock = Clock()
    point = endpoint(clock=clock)
    for _ in range(10):
        point.succeeded()
        point.attempt_failed(transient(unreachable=True))
        clock.now += Policy().outage_s - 1
        point.attempt_failed(transient(unreachable=True))

    assert await started(point) == 8


async def test_being_unreachable_does_not_use_up_the_retries() -> None:
    point = endpoint(policy=Policy(retries_beyond_successes=3))
    for _ in range(50):
        point.attempt_failed(transient(unreachable=True))

    assert await started(point) == 8
