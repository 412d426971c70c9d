"""Requests and tokens a minute: never more than allowed, and nearly all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from rmjudge.providers.sending.rate import RequestRate, TokenRate


async def admissions(rate: RequestRate, seconds: float, waiters: int = 40) -> list[float]:
    """When requests were admitted while so many wait all the time."""
    moments: list[float] = []
    start = time.monotonic()

    async def ask() -> None:
        while True:
            await rate.admit()
            moments.append(time.monotonic() - start)

    tasks = [asyncio.create_task(ask()) for _ in range(waiters)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return moments


def most_in_a_second(moments: Sequence[float]) -> int:
    return max(
        sum(start <= moment < start + 1.0 for moment in moments[first:])
        for first, start in enumerate(moments)
    )


@pytest.mark.parametrize(
    ("rpm", "a_second", "seconds"), [(600, 10, 3.0), (900, 15, 2.0), (3000, 50, 2.0)]
)
async def test_no_second_holds_more_requests_than_the_rate_allows_nor_many_fewer(
    rpm: float, a_second: int, seconds: float
) -> None:
    for _ in range(8):  # a busy machine may wake the waiters late, though not every time
        moments = await admissions(RequestRate(rpm), seconds)
        assert most_in_a_second(moments) <= a_second
        if len(moments) >= 0.9 * a_second * moments[-1]:
            return
    pytest.fail(f"{len(moments)} requests in {moments[-1]:.2f} s")


async def test_requests_are_spread_over_the_second() -> None:
    moments = await admissions(RequestRate(3000), 0.5)
    tenths = [
        sum(start <= moment < start + 0.1 for moment in moments[first:])
        for first, start in enumerate(moments)
    ]

    assert max(tenths) <= 12  # of 50


async def test_what_a_busy_loop_missed_is_caught_up_with() -> None:
    for _ in range(3):  # a busy machine may miss more than can be caught up with
        admitted = asyncio.create_task(admissions(RequestRate(3000), 3.0))
        for _ in range(5):
            await asyncio.sleep(0.5)
            time.sleep(0.1)  # noqa: ASYNC251 - a fifth of the time
        moments = await admitted
        if len(moments) >= 0.9 * 50 * 3.0:
            return
    pytest.fail(f"{len(moments)} requests in 3 s")


async def test_the_first_request_of_a_slow_rate_does_not_wait() -> None:
    rate = RequestRate(0.01)

    async with asyncio.timeout(30):  # the second one would wait for 100 minutes
        await rate.admit()


async def test_requests_are_admitted_in_the_order_they_came() -> None:
    rate = RequestRate(6000)
    admitted: list[int] = []

    async def ask(number: int) -> None:
        await rate.admit()
        admitted.append(number)

    await asyncio.gather(*map(ask, range(30)))

    assert admitted == list(range(30))


async def test_a_request_that_gives_up_does_not_hold_up_the_others() -> None:
    rate = RequestRate(6000)
    tasks = [asyncio.create_task(rate.admit()) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[:19]:
        task.cancel()

    async with asyncio.timeout(30):
        await tasks[19]


class Time:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 9))
        self.now += seconds


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def rate(clock: Time) -> TokenRate:
    """100 tokens a second, 1,000 of them in store."""
    return TokenRate(6000.0, clock, clock.sleep)


async def test_ten_seconds_worth_of_tokens_goes_at_once(rate: TokenRate, clock: Time) -> None:
    for _ in range(4):
        await rate.admit(250)

    assert clock.slept == []


async def test_beyond_that_tokens_wait_until_they_have_grown(rate: TokenRate, clock: Time) -> None:
    for tokens in (1000, 50, 200, 25):
        await rate.admit(tokens)

    assert clock.slept == [0.5, 2.0, 0.25]


async def test_tokens_grow_while_nothing_is_asked_but_only_so_far(
    rate: TokenRate, clock: Time
) -> None:
    await rate.admit(1000)
    clock.now += 3600
    await rate.admit(1000)
    await rate.admit(100)

    assert clock.slept == [1.0]


async def test_a_call_larger_than_the_store_goes_alone_and_is_paid_off_after(
    rate: TokenRate, clock: Time
) -> None:
    await rate.admit(100)
    await rate.admit(3000)  # waits for a full store, leaves it 2,000 in debt
    await rate.admit(100)

    assert clock.slept == [1.0, 21.0]


async def test_what_was_reserved_too_much_comes_back(rate: TokenRate, clock: Time) -> None:
    await rate.admit(1000)
    rate.correct(1000, 400)
    await rate.admit(600)
    await rate.admit(100)

    assert clock.slept == [1.0]


async def test_what_was_used_beyond_the_estimate_is_waited_for(
    rate: TokenRate, clock: Time
) -> None:
    await rate.admit(500)
    rate.correct(500, 1200)
    await rate.admit(100)

    assert clock.slept == [3.0]


async def test_over_a_long_time_the_rate_is_kept_exactly(rate: TokenRate, clock: Time) -> None:
    begun = clock.now
    for _ in range(600):
        await rate.admit(100)

    # 60,000 tokens, of which 1,000 were in store.
    assert clock.now - begun == pytest.approx((60_000 - 1000) / 100)


async def test_a_call_without_tokens_is_never_held_up(rate: TokenRate, clock: Time) -> None:
    await rate.admit(1000)
    await rate.admit(0)

    assert clock.slept == []
