"""How many calls at once: found in simulated time, against the ideal of each kind of server."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from simulated_endpoint import Endpoint, Run

from rmjudge.providers.sending.pace import first_of
from rmjudge.scorer import KnownPace


def always(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def varying(sigma: float) -> Callable[[], float]:
    """Log-normal latencies with a mean of a second."""
    draw = random.Random(5)
    return lambda: math.exp(draw.gauss(-sigma * sigma / 2, sigma))


@pytest.mark.parametrize("retry_after", [1.0, None])
@pytest.mark.parametrize(
    ("server", "ideal_s", "most"),
    [
        (Endpoint(always(0.2), at_once=6), 528 / 30, 1.35),
        (Endpoint(always(1.0), at_once=6), 528 / 6, 1.15),
        (Endpoint(always(0.2), per_second=20), 528 / 20, 1.15),
    ],
    ids=["6 at once at 200 ms", "6 at once at 1 s", "20 a second"],
)
def test_a_server_that_refuses_is_used_nearly_as_well_as_it_can_be(
    server: Endpoint, ideal_s: float, most: float, retry_after: float | None
) -> None:
    run = Run(replace(server, retry_after=retry_after), 528)
    assert run.wall_s / ideal_s < most


@pytest.mark.parametrize("retry_after", [1.0, None])
def test_half_of_what_the_user_allows_is_found_fast(retry_after: float | None) -> None:
    server = Endpoint(always(1.0), at_once=100, retry_after=retry_after)
    run = Run(server, 528, ceiling=200, first=first_of(200))
    assert run.wall_s / 5.28 < 1.3


@pytest.mark.parametrize(("slot_s", "deadline_s"), [(1.0, 6.0), (2.0, 6.0), (60.0, 600.0)])
def test_at_a_server_of_one_slot_no_call_waits_in_vain(slot_s: float, deadline_s: float) -> None:
    run = Run(Endpoint(always(slot_s), in_line=1), 36, deadline_s=deadline_s)
    assert run.timed_out == 0
    assert run.wall_s < 1.1 * 36 * slot_s
    assert max(run.limits) <= 4


def test_a_line_that_was_too_long_from_the_start_becomes_short() -> None:
    run = Run(Endpoint(always(1.0), in_line=1), 100, first=16, deadline_s=6.0)
    assert run.timed_out > 0
    assert run.limits[0] == 16
    assert max(run.limits[3:]) <= 6  # and each call has six seconds


def test_a_server_of_four_slots_gets_enough_and_no_endless_line() -> None:
    run = Run(Endpoint(always(1.0), in_line=4), 4000)
    assert run.wall_s < 1.05 * 1000
    assert 4 <= run.pace.limit < 64
    assert run.pace.limited


@pytest.mark.parametrize("latency", [always(1.0), varying(0.3), varying(0.6)])
def test_an_endpoint_without_limits_loses_little_in_a_long_run(
    latency: Callable[[], float],
) -> None:
    run = Run(Endpoint(latency), 12_000)
    assert run.wall_s < 1.05 * 12_000 / 64


def test_full_speed_comes_within_four_rounds_where_nothing_speaks_against_it() -> None:
    run = Run(Endpoint(always(1.0)), 500)
    assert run.limits == [1, 4, 16, 64]
    assert not run.pace.limited
    # 1 + 4 + 16 calls in three rounds, then 64 a round.
    assert run.wall_s < 3 + math.ceil(479 / 64) + 0.5


def test_refusals_that_come_whatever_one_does_do_not_slow_a_run_down() -> None:
    run = Run(Endpoint(refused_share=0.05), 12_000)
    assert run.wall_s < 1.2 * 12_000 / 64


def test_what_an_earlier_run_found_is_where_the_next_begins() -> None:
    server = Endpoint(always(1.0), at_once=6, retry_after=1.0)
    first = Run(server, 120)
    again = Run(server, 120, known=KnownPace(first.pace.limit, first.pace.limited))
    assert again.limits[0] == 6
    assert again.refused < first.refused
    assert again.wall_s < first.wall_s


def test_a_limit_that_is_no_more_is_left_behind() -> None:
    run = Run(Endpoint(always(1.0)), 12_000, known=KnownPace(1, limited=True))
    assert run.limits[-1] == 64
    assert run.wall_s < 1.2 * 12_000 / 64


def test_a_number_that_only_the_user_set_does_not_hold_the_next_run_back() -> None:
    alone = Run(Endpoint(always(1.0)), 20, ceiling=1)
    again = Run(Endpoint(always(1.0)), 500, known=KnownPace(1, alone.pace.limited))
    assert again.limits == [1, 4, 16, 64]


def test_the_users_number_is_the_most_whatever_was_found_before() -> None:
    run = Run(Endpoint(always(1.0)), 50, ceiling=3, known=KnownPace(40, limited=True))
    assert max(run.limits) == 3
