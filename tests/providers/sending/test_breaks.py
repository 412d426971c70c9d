"""When an endpoint ends the run: refusals, failures in a row, too many retries, an outage."""

from __future__ import annotations

import asyncio

import pytest
from waiting_endpoint import Clock, endpoint, entering, refused, settle, started, transient

from rmjudge.calls import RewardCall
from rmjudge.errors import ProviderStopped, StopRun
from rmjudge.providers.sending.endpoint import Endpoint
from rmjudge.providers.sending.messages import CallError, FinalForCall, FinalForRun, Retryable
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


def call_fails(
    point: Endpoint, times: int, error: CallError | None = None, calls_a_prompt: int = 1
) -> int:
    """How many calls fail before the run stops."""
    for number in range(times):
        call = RewardCall(f"prompt {number // calls_a_prompt}", "response")
        try:
            point.call_failed(error or refused(), [call])
        except StopRun:
            return number + 1
    return 0


async def test_the_first_twenty_calls_refused_alike_stop_the_run() -> None:
    point = endpoint()

    assert call_fails(point, 30) == 20
    with pytest.raises(
        ProviderStopped, match=r"the first 20 calls were refused alike.*HTTP 400: no"
    ):
        await point.enter(0)


async def test_refusals_are_of_the_request_only_where_five_prompts_had_them() -> None:
    assert call_fails(endpoint(), 90, calls_a_prompt=9) == 37  # the first of the fifth tuple


async def test_refusals_that_differ_in_counts_and_quotations_are_alike() -> None:
    point = endpoint()
    stopped = [
        call_fails(point, 1, refused(f"HTTP 400: {number} tokens in 'text {number}'"))
        for number in range(4)
    ]
    assert stopped == [0] * 4
    assert call_fails(point, 30, refused("HTTP 400: 77 tokens in 'text 5'")) == 16


async def test_prompts_that_a_filter_plainly_declines_are_believed_for_longer() -> None:
    filtered = FinalForCall("content-filter", "HTTP 400: filtered", about="prompt")

    assert call_fails(endpoint(), 90, filtered, calls_a_prompt=9) == 0
    assert call_fails(endpoint(), 900, filtered, calls_a_prompt=9) == 19 * 9 + 1


async def test_refusals_after_an_answer_never_mean_that_the_request_is_wrong() -> None:
    point = endpoint()
    point.succeeded()

    assert call_fails(point, 500) == 0


async def test_first_calls_refused_in_different_ways_go_on() -> None:
    point = endpoint()

    assert call_fails(point, 10, refused("HTTP 400: no")) == 0
    assert call_fails(point, 50, refused("HTTP 400: another")) == 0


DOUBTFUL = FinalForRun("http-403", "HTTP 403: Forbidden", in_doubt=True)


async def test_a_403_without_clear_words_stops_a_run_that_was_never_answered() -> None:
    point = endpoint()
    point.attempt_failed(DOUBTFUL)

    with pytest.raises(ProviderStopped, match="HTTP 403: Forbidden"):
        point.call_failed(DOUBTFUL)


async def test_a_403_without_clear_words_waits_for_what_the_calls_under_way_bring() -> None:
    point = endpoint()
    for _ in range(3):
        await point.enter(0)
    point.attempt_failed(DOUBTFUL)
    point.leave()
    point.call_failed(DOUBTFUL)
    waiting = asyncio.create_task(point.certain())
    async with entering(point, 4) as count:
        point.leave()
        await settle()
        assert (waiting.done(), count()) == (False, 0)
        point.succeeded()
        await settle()
        assert (waiting.done(), count()) == (True, 4)
    await waiting


async def test_a_403_without_clear_words_stops_when_the_calls_under_way_bring_nothing() -> None:
    point = endpoint()
    for _ in range(2):
        await point.enter(0)
    point.leave()
    point.call_failed(DOUBTFUL)
    waiting = asyncio.create_task(point.certain())
    await settle()
    point.leave()

    with pytest.raises(ProviderStopped, match="HTTP 403: Forbidden"):
        await waiting


async def test_a_403_without_clear_words_is_one_call_s_where_others_were_answered() -> None:
    point = endpoint()
    point.succeeded()

    assert call_fails(point, 100, DOUBTFUL) == 0


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


def away() -> Retryable:
    return Retryable("http-502", "HTTP 502: Bad Gateway", attempts=6, away=True)


def gone(point: Endpoint, calls: int) -> None:
    for number in range(calls):
        point.attempt_failed(away(), [RewardCall("prompt", f"response {number}")])


async def test_a_server_s_errors_on_three_calls_with_no_answer_between_are_an_outage() -> None:
    for answers, free in ((0, 1), (1, 8)):
        point = endpoint()
        gone(point, 2)
        assert await started(point) == 8
        for _ in range(answers):
            point.succeeded()
        point.attempt_failed(away(), [RewardCall("prompt", "another")])
        assert await started(point) == free


async def test_one_call_s_errors_are_no_outage_nor_those_of_a_batch_and_its_halves() -> None:
    point = endpoint()
    calls = [RewardCall("prompt", f"response {number}") for number in range(8)]
    for size in (8, 8, 4, 4, 2, 2, 1, 1, 1):
        point.attempt_failed(away(), calls[:size])

    assert await started(point) == 8


async def test_in_an_outage_one_call_at_a_time_asks() -> None:
    point = endpoint()
    gone(point, 3)
    async with entering(point, 5) as count:
        assert count() == 1
        point.succeeded()
        await settle()
        assert count() == 5


async def test_an_outage_behind_a_gateway_is_waited_out_whether_or_not_there_was_an_answer() -> (
    None
):
    for answered in (False, True):
        clock = Clock()
        point = endpoint(clock=clock)
        if answered:
            point.succeeded()
        gone(point, 3)
        clock.now += Policy().outage_s - 1
        gone(point, 1)
        clock.now += 1
        with pytest.raises(ProviderStopped, match=r"an outage of 600 s.*HTTP 502: Bad Gateway"):
            gone(point, 1)


async def test_a_refusal_ends_an_outage() -> None:
    point = endpoint()
    gone(point, 3)
    point.attempt_failed(refused())

    assert await started(point) == 8


async def test_an_outage_is_over_with_the_first_success() -> None:
    clock = Clock()
    point = endpoint(clock=clock)
    for _ in range(10):
        point.succeeded()
        point.attempt_failed(transient(unreachable=True))
        clock.now += Policy().outage_s - 1
        point.attempt_failed(transient(unreachable=True))
    point.succeeded()

    assert await started(point) == 8


async def test_being_unreachable_does_not_use_up_the_retries() -> None:
    point = endpoint(policy=Policy(retries_beyond_successes=3))
    for _ in range(50):
        point.attempt_failed(transient(unreachable=True))
    point.succeeded()

    assert await started(point) == 8
