"""One endpoint's shared state: slots that adapt, pauses and rates that concern all calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from waiting_endpoint import Clock, endpoint, entering, settle, started, transient

from rmjudge.errors import Interrupted, ProviderStopped
from rmjudge.providers.sending.endpoint import Endpoint
from rmjudge.providers.sending.policy import Policy
from rmjudge.scorer import Activity


async def test_no_more_calls_start_than_there_are_slots() -> None:
    assert await started(endpoint(8)) == 8


async def test_a_slot_that_is_left_goes_to_the_next_call() -> None:
    point = endpoint(2)
    async with entering(point, 5) as count:
        assert count() == 2
        point.leave()
        await settle()
        assert count() == 3


async def test_a_refusal_lowers_the_slots_to_what_the_server_holds() -> None:
    point = endpoint(8)
    sent = [await point.enter(0) for _ in range(8)]
    for one in sent[5:]:
        point.attempt_failed(transient(slow_down=True), sent=one)
        point.leave()
    for _ in sent[:5]:
        point.leave()
    await asyncio.sleep(0.11)  # nothing is sent right after a refusal

    assert await started(point) == 5


async def test_an_error_that_is_no_overload_leaves_the_slots_alone() -> None:
    point = endpoint(8)
    sent = await point.enter(0)
    point.attempt_failed(transient(), sent=sent)
    point.leave()

    assert await started(point) == 8


async def test_slots_that_are_found_wake_calls_that_wait_for_them() -> None:
    point = endpoint(2, first=1)
    sent = await point.enter(0)
    async with entering(point, 5) as count:
        assert count() == 0
        point.leave()
        await settle()
        assert count() == 1
        point.succeeded(sent)
        await settle()
        assert count() == 2


async def test_calls_in_flight_are_not_forgotten_when_the_slots_shrink() -> None:
    point = endpoint(8)
    sent = [await point.enter(0) for _ in range(8)]
    for one in sent[6:]:
        point.attempt_failed(transient(slow_down=True), sent=one)
        point.leave()
    point.attempt_failed(
        transient(slow_down=True), sent=sent[5]
    )  # five others, and it has not left
    await asyncio.sleep(0.11)
    async with entering(point, 10) as count:
        for left, expected in ((1, 0), (2, 1), (3, 2)):
            point.leave()
            await settle()
            assert count() == expected, left


async def test_a_cancelled_call_does_not_take_a_slot_with_it() -> None:
    point = endpoint(1)
    await point.enter(0)
    waiting = [asyncio.create_task(point.enter(0)) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    point.leave()  # the second is told that it may start,
    waiting[1].cancel()  # and is cancelled before it can
    await settle()

    assert [task.cancelled() for task in waiting[:2]] == [True, True]
    assert waiting[2].done()
    point.leave()
    assert await started(point) == 1


async def test_what_the_server_asked_one_call_to_wait_all_calls_wait() -> None:
    point = endpoint(8)
    point.attempt_failed(transient(wait_s=0.2))
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(point.enter(0) for _ in range(3)))

    assert asyncio.get_running_loop().time() - begun >= 0.199


async def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    clock = Clock()
    point = endpoint(8, clock=clock)
    point.attempt_failed(transient(wait_s=3600.0))
    point.attempt_failed(transient(wait_s=1.0))
    clock.now += 1800

    assert await started(point) == 0
    clock.now += 1800
    assert await started(point) == 8


async def test_a_pause_that_grows_meanwhile_is_waited_for_to_its_end() -> None:
    clock = Clock()
    point = endpoint(8, clock=clock)
    point.attempt_failed(transient(wait_s=0.05))
    async with entering(point, 1) as count:
        point.attempt_failed(transient(wait_s=3600.0))
        await asyncio.sleep(0.1)
        assert count() == 0


Waiting = Callable[[], Endpoint]


def paused() -> Endpoint:
    point = endpoint()
    point.attempt_failed(transient(wait_s=500.0))
    return point


WAITING: dict[str, Waiting] = {
    "for a pause": paused,
    "for a slot": lambda: endpoint(1),
    "for the request rate": lambda: endpoint(rpm=0.1),
    "for the token rate": lambda: endpoint(tpm=1.0),
}


@pytest.mark.parametrize("make", WAITING.values(), ids=list(WAITING))
async def test_calls_that_wait_give_up_when_the_run_ends(make: Waiting) -> None:
    point = make()
    tasks = [asyncio.create_task(point.enter(1000)) for _ in range(5)]
    await settle()
    waiting = [task for task in tasks if not task.done()]
    assert len(waiting) >= 4
    point.drain()
    async with asyncio.timeout(30):
        given_up = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(error) for error in given_up] == [Interrupted] * len(waiting)


@pytest.mark.parametrize("make", WAITING.values(), ids=list(WAITING))
async def test_calls_that_wait_give_up_when_the_endpoint_breaks(make: Waiting) -> None:
    point = make()
    tasks = [asyncio.create_task(point.enter(1000)) for _ in range(5)]
    await settle()
    waiting = [task for task in tasks if not task.done()]
    point.stop(ProviderStopped("no such key"))
    async with asyncio.timeout(30):
        given_up = await asyncio.gather(*waiting, return_exceptions=True)

    assert {str(error) for error in given_up} == {"no such key"}


async def test_a_call_that_waits_before_another_attempt_gives_up_when_the_run_ends() -> None:
    point = endpoint()
    waiting = asyncio.create_task(point.sleep(500.0))
    await settle()
    point.drain()

    with pytest.raises(Interrupted):
        await waiting


async def test_nothing_starts_after_the_end() -> None:
    point = endpoint()
    point.drain()

    with pytest.raises(Interrupted):
        await point.enter(0)


async def test_cancelling_a_call_that_waits_is_no_end_of_the_run() -> None:
    point = endpoint(1)
    await point.enter(0)
    waiting = asyncio.create_task(point.enter(0))
    await settle()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_is_going_on_can_be_read() -> None:
    activity = Activity()
    point = Endpoint("openai/m", Policy(), activity, concurrency=8)
    point.attempt_failed(transient(wait_s=12.0, maybe_billed=True))
    told = activity.note, activity.retried, activity.maybe_billed
    point.succeeded()

    assert told == ("paused by 503 for 12 s", 1, 1)
    assert activity.note == ""


async def test_the_token_rate_is_corrected_by_what_was_used() -> None:
    point = endpoint(tpm=6000.0)  # 1,000 in store
    await point.enter(1000)
    point.used(1000, 0)

    again = asyncio.create_task(point.enter(1000))
    await settle()

    assert again.done()


async def test_tokens_that_the_server_did_not_count_stay_reserved() -> None:
    point = endpoint(tpm=60.0)  # ten in store
    await point.enter(10)
    point.used(10, None)
    tasks = [asyncio.create_task(point.enter(10))]
    await settle()

    assert not tasks[0].done()
    point.drain()
    await asyncio.gather(*tasks, return_exceptions=True)
