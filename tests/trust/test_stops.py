"""A provider that says no for good in the middle of a run: stopped, told, resumed, paid once."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

KEY = "sk-canary-7f3a9c51e2d84b60"
CALLS = 108  # nine comparisons, three tuples of each of four domains
CONCURRENCY = 8
BEFORE = 40

NO: dict[str, tuple[str, str]] = {
    "an empty purse": ("quota", "HTTP 429: You exceeded your current quota"),
    "401 that echoes the key": ("key", "HTTP 401: Incorrect API key provided: [key removed]"),
    "402": ("status:402", "HTTP 402: status 402 as asked"),
}


def judge(server: ModelServer) -> tuple[str, ...]:
    words = ("--limit", "3", "--concurrency", str(CONCURRENCY), "--quiet", "--out", "o")
    return ("run", server.judge, *words)


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> dict[str, bytes]:
    """The files of a run that nothing happened to, with a cache of its own."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    assert cli(*judge(server)).returncode == 0
    return cli.results("o")


@pytest.mark.parametrize(("fault", "says"), NO.values(), ids=list(NO))
def test_a_no_in_the_middle_stops_within_the_calls_in_flight_and_the_run_goes_on_later(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes], fault: str, says: str
) -> None:
    server.control(script=["ok"] * BEFORE + [fault] * CALLS, latency_s=0.02)
    stopped = cli(*judge(server), OPENAI_API_KEY=KEY)
    asked = server.stats["received"]

    assert stopped.returncode == 3
    assert f"rmjudge: stopped: openai/judge: {says}" in stopped.stderr
    assert KEY not in stopped.stdout + stopped.stderr
    assert BEFORE < asked <= BEFORE + CONCURRENCY
    assert server.stats["delivered"] == BEFORE
    assert cli.json("o/metrics.json")["unscored_cells"] == CALLS - BEFORE

    server.control(script=[], latency_s=0)
    resume = shlex.split(stopped.stderr.partition("to go on, run:\n")[2].splitlines()[0])
    done = cli(*resume[1:], OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert cli.results("o") == undisturbed
    assert cli.json("o/run.json")["calls"]["from_cache"] == BEFORE
    assert server.stats["delivered"] == server.stats["distinct"] == CALLS


def test_of_two_processes_at_once_one_is_killed_and_each_answer_is_bought_once(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(latency_s=0.05)
    words = [*judge(server)[:-1]]
    both = [cli.start(*words, name) for name in ("one", "two", "three")]
    while server.stats["delivered"] < BEFORE:
        assert all(process.poll() is None for process in both)
    both[0].kill()
    ends = [process.communicate() for process in both]

    assert [process.returncode for process in both] == [-9, 0, 0]
    assert not any("locked" in text for end in ends for text in end)
    assert cli.results("two") == cli.results("three") == undisturbed
    assert server.stats["delivered_again"] <= CONCURRENCY
    assert server.stats["distinct"] == CALLS


IMPATIENT = """
import sys
from rmjudge.running import orchestrator
orchestrator.Orchestrator.__init__.__kwdefaults__["drain_s"] = 0.2
from rmjudge.cli import main
sys.exit(main())
"""


def test_calls_that_outlast_an_interrupt_are_left_and_told_as_maybe_billed(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(latency_s=600)
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, *judge(server)],
        cwd=cli.home,
        env=cli.environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    while server.stats["received"] < CONCURRENCY:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()

    assert process.returncode == 130
    assert "every answer so far is kept; to go on, run:" in told
    calls = cli.json("o/run.json")["calls"]
    assert (calls["sent"], calls["maybe_billed"]) == (CONCURRENCY, CONCURRENCY)
    assert cli.json("o/metrics.json")["unscored_cells"] == CALLS

    server.control(latency_s=0)
    assert cli(*judge(server)).returncode == 0
    assert cli.results("o") == undisturbed
    assert server.stats["received"] == CALLS + CONCURRENCY
