"""Trying again over a real socket: how often, how long after, and when it ends."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.calls import Failure, Json, Outcome, Reply, Reward, RewardCall
from rmjudge.errors import Interrupted, ProviderStopped, StopRun
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import create, parse_spec
from rmjudge.providers.sending.messages import Request
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.sender import Sender
from rmjudge.scorer import Activity

if TYPE_CHECKING:
    from conftest import ModelServer

SERVER = Path(__file__).parent / "servers" / "model_server.py"
QUICK = Policy(backoff_first_s=0.001, backoff_most_s=0.001)

New = Callable[..., HostedScorer]


@pytest.fixture
async def new() -> AsyncIterator[New]:
    """Make scorers with a policy and with limits."""
    made: list[HostedScorer] = []

    def make(spec: str, policy: Policy = QUICK, **limits: Any) -> HostedScorer:
        scorer = create(parse_spec(spec))
        assert isinstance(scorer, HostedScorer)
        made.append(HostedScorer(scorer._provider, policy=policy, **limits))
        return made[-1]

    yield make
    for scorer in made:
        await scorer.aclose()


async def one(scorer: HostedScorer, number: int = 0) -> Outcome:
    (outcome,) = await scorer.answer([RewardCall(f"prompt {number}", "response")])
    return outcome


async def many(scorer: HostedScorer, calls: int) -> list[Outcome | BaseException]:
    return await asyncio.gather(
        *(one(scorer, number) for number in range(calls)), return_exceptions=True
    )


async def until(condition: Callable[[], object]) -> None:
    """Return when something has come about in another task or process."""
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def received(server: ModelServer, count: int) -> None:
    """Return when so many requests have arrived."""
    await until(lambda: server.stats["received"] >= count)


TRANSIENT = ["status:408", "status:409", "status:425", "status:500", "status:502", "status:503"]
TRANSIENT += ["status:504", "status:529", "status:429", "reset", "cut", "200-error:502"]


@pytest.mark.parametrize("fault", TRANSIENT)
async def test_a_passing_error_is_tried_again(server: ModelServer, new: New, fault: str) -> None:
    server.control(script=[fault, fault])

    assert isinstance(await one(new(server.reward)), Reply)
    assert server.stats["received"] == 3


async def test_every_attempt_sends_the_same_request(server: ModelServer, new: New) -> None:
    server.control(script=["status:500"] * 3)
    await one(new(server.reward))

    assert server.stats["distinct"] == 1


@pytest.mark.parametrize(
    ("fault", "status", "attempts"),
    [
        ("status:500", "http-500", Policy().attempts_transient),
        ("status:503", "http-503", Policy().attempts_rate_limited),
        ("status:429", "http-429", Policy().attempts_rate_limited),
        ("should-not-retry", "http-503", 1),
        ("context", "http-400", 1),
        ("filter-400", "content-filter", 1),
        ("status:413", "http-413", 1),
        ("status:422", "http-422", 1),
    ],
)
async def test_an_error_that_stays_fails_the_call_after_so_many_attempts(
    server: ModelServer, new: New, fault: str, status: str, attempts: int
) -> None:
    server.control(script=[fault] * 30)
    failure = await one(new(server.reward))

    assert isinstance(failure, Failure)
    assert failure.status == status
    assert server.stats["received"] == attempts


async def test_a_server_that_says_so_is_asked_again_after_a_400(
    server: ModelServer, new: New
) -> None:
    server.control(script=["status:400:x-should-retry=true"])

    assert isinstance(await one(new(server.reward)), Reply)
    assert server.stats["received"] == 2


@dataclass
class Naps:
    """Sleeps that only write down how long they were to be."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def parse(body: Json) -> list[Reply]:
    assert isinstance(body, dict)
    return [Reply(Reward(1.0))]


async def naps_of(server: ModelServer, script: list[str], policy: Policy) -> list[float]:
    """How long a sender waited between the attempts of one call."""
    server.control(script=script)
    naps = Naps()
    sender = Sender(
        server.root, name="vllm/rm", activity=Activity(), concurrency=1, policy=policy, sleep=naps
    )
    try:
        await sender.send(Request("/classify", {"model": "m", "messages": []}), parse, 0)
    finally:
        await sender.aclose()
    return naps.seconds


@pytest.mark.parametrize("seed", [1, 2])
async def test_waits_are_full_jitter_under_a_doubling_ceiling(
    server: ModelServer, seed: int
) -> None:
    random.seed(seed)
    naps = await naps_of(server, ["status:429"] * 11, Policy())
    again = random.Random(seed)
    ceilings = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]

    assert naps == [again.uniform(0, ceiling) for ceiling in ceilings]


async def test_what_the_server_asked_for_comes_on_top_of_the_jitter(server: ModelServer) -> None:
    script = ["status:429:retry-after-ms=40", "status:503:retry-after=0.05", "status:500"]
    random.seed(3)
    naps = await naps_of(server, script, Policy())
    again = random.Random(3)
    jitter = [again.uniform(0, ceiling) for ceiling in (0.5, 1, 2)]

    assert naps == [0.04 + jitter[0], 0.05 + jitter[1], jitter[2]]


async def test_a_retry_after_holds_up_every_call_to_the_endpoint(
    server: ModelServer, new: New
) -> None:
    server.control(script=["status:429:retry-after=1"])
    scorer = new(server.reward, concurrency=8)
    first = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.note)
    note = scorer.activity.note
    others = await asyncio.gather(*(one(scorer, number) for number in range(1, 6)))
    outcomes = [await first, *others]
    arrivals = server.stats["arrivals"]

    assert note == "waiting 1 s as the server asked"
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert len(arrivals) == 7
    assert min(arrivals[1:]) - arrivals[0] >= 1.0


async def test_overload_leaves_fewer_calls_in_flight_until_it_is_over(
    server: ModelServer, new: New
) -> None:
    scorer = new(server.reward, concurrency=8)
    server.control(latency_s=0.05, script=["status:503"] * 8)
    await many(scorer, 8)
    server.reset()
    server.control(latency_s=0.02)
    await many(scorer, 12)
    just_after = server.stats["most_in_flight"]
    for _ in range(5):
        await many(scorer, 16)
    server.reset()
    server.control(latency_s=0.05)
    await many(scorer, 16)

    assert just_after < 8
    assert server.stats["most_in_flight"] == 8


async def test_no_more_calls_are_in_flight_than_the_user_allows(
    server: ModelServer, new: New
) -> None:
    server.control(latency_s=0.05)
    outcomes = await many(new(server.reward, concurrency=3), 12)

    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert server.stats["most_in_flight"] == 3


async def test_the_request_rate_holds_for_retries_too(server: ModelServer, new: New) -> None:
    server.control(script=["status:500"] * 3)
    begun = asyncio.get_running_loop().time()
    await many(new(server.reward, rpm=900), 5)

    assert server.stats["received"] == 8
    assert asyncio.get_running_loop().time() - begun >= 7 / 15 / 1.25  # it may catch up so far


async def test_a_body_that_drips_meets_the_deadline(server: ModelServer, new: New) -> None:
    server.control(script=["drip:0.05"] * 9)
    scorer = new(server.reward, Policy(deadline_s=0.3, attempts_transient=2, backoff_first_s=0.001))
    failure = await one(scorer)

    assert failure == Failure("connection-lost", "no complete reply within 0.3 s")
    assert server.stats["received"] == 2
    assert scorer.activity.maybe_billed == 2


async def test_a_late_reply_does_not_spoil_the_next_call(server: ModelServer, new: New) -> None:
    server.control(script=["drip:0.05"])
    scorer = new(
        server.reward,
        Policy(deadline_s=1.0, attempts_transient=1),
        concurrency=1,
    )

    assert isinstance(await one(scorer, 1), Failure)
    again = await one(scorer, 2)
    fresh = await one(new(server.reward), 2)
    assert isinstance(again, Reply)
    assert again == fresh


STOPPING = {
    "quota": "HTTP 429: You exceeded your current quota",
    "status:401": "HTTP 401: status 401 as asked",
    "status:402": "HTTP 402",
    "status:403": "HTTP 403",
    "status:404": "HTTP 404",
    "status:410": "HTTP 410",
    "status:429:retry-after=3600": "the endpoint asks to wait 60 min",
    "status:503:retry-after=601": "the endpoint asks to wait 10 min",
    "200-error:401": "HTTP 401",
    "redirect": "the endpoint redirects to http://127.0.0.1:9/elsewhere; redirects are not",
}


@pytest.mark.parametrize(("fault", "says"), STOPPING.items(), ids=list(STOPPING))
async def test_no_more_calls_are_sent_than_were_in_flight_when_the_run_stops(
    server: ModelServer, new: New, fault: str, says: str
) -> None:
    server.control(script=[fault] * 40, latency_s=0.05)
    outcomes = await many(new(server.reward, concurrency=4), 40)

    assert [type(outcome) for outcome in outcomes] == [ProviderStopped] * 40
    assert {str(outcome) for outcome in outcomes} == {str(outcomes[0])}
    assert str(outcomes[0]).startswith(f"vllm/rm: {says}")
    assert server.stats["received"] == 4


async def test_replies_in_flight_when_the_run_stops_are_kept(server: ModelServer, new: New) -> None:
    server.control(latency_s=0.3)
    scorer = new(server.reward, concurrency=4)
    paid = [asyncio.create_task(one(scorer, number)) for number in range(3)]
    await received(server, 3)
    server.control(script=["status:401"], latency_s=0.0)

    with pytest.raises(ProviderStopped):
        await one(scorer, 9)
    assert not any(task.done() for task in paid)
    assert all(isinstance(outcome, Reply) for outcome in await asyncio.gather(*paid))


async def test_a_redirect_is_never_followed(server: ModelServer, new: New) -> None:
    server.control(script=[f"redirect:{server.root}/classify"])

    with pytest.raises(ProviderStopped, match="the key would go along"):
        await one(new(server.reward))
    assert server.stats["received"] == 1


async def test_the_first_five_calls_refused_alike_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["context"] * 40)
    scorer = new(server.reward)
    outcomes = [(await many(scorer, 1))[0] for _ in range(7)]

    assert [type(outcome) for outcome in outcomes] == [Failure] * 4 + [ProviderStopped] * 3
    assert "the first 5 calls were refused alike" in str(outcomes[4])
    assert "maximum context length is 10 tokens" in str(outcomes[4])
    assert server.stats["received"] == 5


async def test_calls_that_fail_one_after_the_other_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["ok"] + ["status:500"] * 20)
    scorer = new(server.reward, Policy(attempts_transient=1, failures_in_a_row=3))
    outcomes = [(await many(scorer, 1))[0] for _ in range(5)]

    assert [type(outcome) for outcome in outcomes] == [
        Reply,
        *[Failure] * 2,
        *[ProviderStopped] * 2,
    ]
    assert "3 calls failed in a row; the last: HTTP 500" in str(outcomes[3])


async def test_long_items_among_good_ones_do_not_stop_the_run(
    server: ModelServer, new: New
) -> None:
    server.control(script=["ok"] + ["context"] * 10)
    scorer = new(server.reward)
    outcomes = [await one(scorer, number) for number in range(11)]

    assert [type(outcome) for outcome in outcomes] == [Reply] + [Failure] * 10


async def test_the_retries_of_a_run_are_bounded(server: ModelServer, new: New) -> None:
    server.control(faults=["status:500"], rate=1.0)
    policy = Policy(backoff_first_s=0.001, backoff_most_s=0.001, retries_beyond_successes=10)
    scorer = new(server.reward, policy)
    outcomes = [(await many(scorer, 1))[0] for _ in range(4)]

    assert [type(outcome) for outcome in outcomes] == [Failure] + [ProviderStopped] * 3
    assert "more retries (11) than the run allows" in str(outcomes[1])
    assert server.stats["received"] == 11


@pytest.fixture
def port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        found: int = listener.getsockname()[1]
        return found


@pytest.fixture
def serve() -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Start model servers of this test's own."""
    started: list[subprocess.Popen[bytes]] = []

    def start(port: int) -> subprocess.Popen[bytes]:
        started.append(
            subprocess.Popen([sys.executable, str(SERVER), str(port)], stdout=subprocess.PIPE)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


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
    assert str(outcomes[0]).endswith("is the server running, and is the address right?")
    assert scorer.activity.maybe_billed == 0


async def test_a_name_that_nobody_knows_ends_the_run_with_advice(new: New) -> None:
    scorer = new("vllm/rm@http://no-such-host.invalid", outage(0.1, 60.0))

    with pytest.raises(ProviderStopped, match=r"cannot be reached: .*is the address right"):
        await one(scorer)
    assert scorer.activity.maybe_billed == 0


async def test_a_server_that_comes_up_late_is_used(
    new: New, port: int, serve: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    scorer = new(f"vllm/rm@http://127.0.0.1:{port}", outage(60.0, 60.0))
    call = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.retried >= 3)
    assert not call.done()
    serve(port)

    assert isinstance(await call, Reply)


async def test_a_server_that_goes_away_is_given_more_time_than_one_that_never_came(
    new: New, port: int, serve: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    first = serve(port)
    assert first.stdout is not None
    first.stdout.readline()
    scorer = new(f"vllm/rm@http://127.0.0.1:{port}", outage(0.0, 60.0))
    assert isinstance(await one(scorer), Reply)
    first.kill()
    first.wait()
    call = asyncio.create_task(one(scorer, 2))
    await until(lambda: scorer.activity.retried >= 3)
    assert not call.done()
    serve(port)

    assert isinstance(await call, Reply)


WAITING = {
    "as the server asked": ["status:429:retry-after=500"],
    "before another attempt": ["status:500"],
}


@pytest.mark.parametrize("script", WAITING.values(), ids=list(WAITING))
async def test_calls_that_wait_give_up_when_the_run_ends(
    server: ModelServer, new: New, script: list[str]
) -> None:
    server.control(script=script)
    scorer = new(server.reward, Policy(backoff_first_s=10**6, backoff_most_s=10**6))
    call = asyncio.create_task(one(scorer))
    await until(lambda: scorer.activity.retried)
    scorer.drain()

    with pytest.raises(Interrupted):
        await asyncio.wait_for(call, 30)
    assert server.stats["received"] == 1


async def test_calls_that_wait_for_a_rate_give_up_when_the_run_ends(
    server: ModelServer, new: New
) -> None:
    scorer = new(server.reward, rpm=0.5)
    calls = [asyncio.create_task(one(scorer, number)) for number in range(4)]
    async with asyncio.timeout(30):
        done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        scorer.drain()
        given_up = await asyncio.gather(*waiting, return_exceptions=True)

    assert len(done) == 1
    assert [type(error) for error in given_up] == [Interrupted] * 3
    assert server.stats["received"] == 1


async def test_a_call_in_flight_is_finished_when_the_run_ends(
    server: ModelServer, new: New
) -> None:
    server.control(latency_s=0.2)
    scorer = new(server.reward)
    call = asyncio.create_task(one(scorer))
    await received(server, 1)
    scorer.drain()

    assert isinstance(await call, Reply)
    with pytest.raises(StopRun):
        await one(scorer, 2)
