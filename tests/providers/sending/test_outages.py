"""A server that is not there: given time, more if it has answered before, and then given up."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
from sent_calls import New, many, one, scorers, until

from rmjudge.calls import Reply
from rmjudge.errors import ProviderStopped
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from served import ServerProcess


@pytest.fixture
async def new() -> AsyncIterator[New]:
    async with scorers() as make:
        yield make


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found: int = listener.getsockname()[1]
        return found


def outage(at_start_s: float, later_s: float) -> Policy:
    return Policy(
        outage_at_start_s=at_start_s,
        outage_s=later_s,
        backoff_first_s=0.02,
        backoff_most_s=0.02,
        attempts_transient=50,
    )


async def test_a_server_that_is_not_there_ends_the_run_with_advice(new: New, port: int) -> None:
    scorer = new(f"vllm/rm@http://127.0.0.1:{port}", outage(0.2, 60.0))
    outcomes = await many(scorer, 5)

    assert [type(outcome) for outcome in outcomes] == [ProviderStopped] * 5
    assert str(outcomes[0]).startswith("vllm/rm: cannot be reached: ")
    assert str(outcomes[0]).endswith("is it running, and is the address right?")
    assert scorer.activity.maybe_billed == 0


async def test_a_name_that_nobody_knows_ends_the_run_with_advice(new: New) -> None:
    scorer = new("vllm/rm@http://no-such-host.invalid", outage(0.1, 60.0))

    with pytest.raises(ProviderStopped, match=r"cannot be reached: .*is the address right"):
        await one(scorer)
    assert scorer.activity.maybe_billed == 0


async def test_a_server_that_comes_up_late_is_used(
    new: New, port: int, start_server: Callable[[int], ServerProcess]
) -> None:
    scorer = new(f"vllm/rm@http://127.0.0.1:{port}", outage(60.0, 60.0))
    call = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.retried >= 3)
    assert not call.done()
    start_server(port)

    assert isinstance(await call, Reply)


async def test_a_server_that_goes_away_is_given_more_time_than_one_that_never_came(
    new: New, port: int, start_server: Callable[[int], ServerProcess]
) -> None:
    first = start_server(port)
    scorer = new(f"vllm/rm@http://127.0.0.1:{port}", outage(0.0, 60.0))
    assert isinstance(await one(scorer), Reply)
    first.kill()
    call = asyncio.create_task(one(scorer, 2))
    await until(lambda: scorer.activity.retried >= 3)
    assert not call.done()
    start_server(port)

    assert isinstance(await call, Reply)
