"""Runs that are repeated, killed, interrupted or doubled: paid once, equal bytes."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer

CALLS = 36  # a judge's, over one tuple of each domain
CONCURRENCY = 4
GUARD_S = 60
"""Only so that a broken program ends the test; nothing is asserted of it."""


def judge(server: ModelServer) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "1", "--concurrency", str(CONCURRENCY))


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Poll until it is so, while the process runs."""
    end = time.monotonic() + GUARD_S
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return the exit code and the rest of standard error."""
    with process:
        _, err = process.communicate(timeout=GUARD_S)
    return process.returncode, err


def resume_command(err: str) -> list[str]:
    """The words after `rmjudge` in the command that the program prints to go on."""
    _, _, rest = err.partition("to go on, run:\n")
    name, *words = shlex.split(rest.splitlines()[0])
    assert name == "rmjudge"
    return words


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> dict[str, bytes]:
    """The files of a run that nothing happened to, in another home."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    assert cli(*judge(server), "--out", "o").returncode == 0
    return cli.results("o")


def test_a_second_run_sends_nothing_and_writes_the_same_bytes(
    cli: Cli, server: ModelServer
) -> None:
    words = ("run", server.judge, server.reward, "baseline/random", "--limit", "1")
    first = cli(*words, "--out", "first")
    bought = server.stats["received"]
    second = cli(*words, "--out", "second")

    assert (first.returncode, second.returncode) == (0, 0)
    assert bought == CALLS + 24
    assert server.stats["received"] == bought
    assert cli.results("second") == cli.results("first")
    assert len(cli.results("second")) == 6


def test_a_run_with_more_data_buys_only_what_is_new(cli: Cli, server: ModelServer) -> None:
    cli("run", server.reward, "--domain", "chat", "--limit", "1")
    cli("run", server.reward, "--limit", "1", "--out", "o")
    assert server.stats["delivered"] == server.stats["distinct"] == 24
    assert cli.json("o/run.json")["calls"]["from_cache"] == 6


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(latency_s=0.2)
    process = cli.start(*judge(server), "--out", "o")
    wait_until(lambda: bool(server.stats["delivered"] >= 10), process)
    process.kill()
    assert finish(process)[0] == -signal.SIGKILL
    assert server.stats["delivered"] < CALLS - CONCURRENCY
    assert not list((cli.home / "o").rglob("metrics.json"))

    server.control(latency_s=0)
    assert cli(*judge(server), "--out", "o").returncode == 0
    stats = server.stats
    assert stats["distinct"] == CALLS
    assert stats["delivered_again"] <= CONCURRENCY
    assert cli.results("o") == undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_lets_calls_under_way_finish_and_nothing_is_bought_twice(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes], number: signal.Signals
) -> None:
    server.control(latency_s=0.3)
    process = cli.start(*judge(server), "--out", "o")
    wait_until(lambda: bool(server.stats["delivered"] >= 8), process)
    process.send_signal(number)
    code, err = finish(process)

    assert code == 130
    assert f"{number.name}: finishing the calls under way" in err
    assert f"rmjudge: interrupted by {number.name}" in err
    kept = cli.json("o/run.json")["calls"]["sent"]
    assert 8 <= kept < CALLS
    assert server.stats["delivered"] == kept
    assert cli.json("o/run.json")["stopped"] == f"interrupted by {number.name}"
    assert cli.json("o/metrics.json")["unscored_cells"] == CALLS - kept

    server.control(latency_s=0)
    resumed = cli(*resume_command(err))
    assert resumed.returncode == 0, resumed.stderr
    assert server.stats["delivered"] == server.stats["distinct"] == CALLS
    assert cli.results("o") == undisturbed


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_leaves_at_once(
    cli: Cli, server: ModelServer, second: signal.Signals
) -> None:
    server.control(latency_s=600)
    process = cli.start(*judge(server), "--out", "o")
    wait_until(lambda: bool(server.stats["received"] >= CONCURRENCY), process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("once more leaves at once" in line for line in process.stderr)
    process.send_signal(second)
    code, err = finish(process)

    # Had it drained, the files and the resume command would be there. On a slow machine there is
    # a file that says how far the run is: it is written some seconds after the start.
    assert (code, err) == (130, "")
    assert not (cli.home / "o" / "run.json").exists()


def test_two_commands_at_once_on_one_cache_buy_each_call_once(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(latency_s=0.05)
    both = [cli.start(*judge(server), "--out", name) for name in ("one", "other")]
    ends = [finish(process) for process in both]

    assert [code for code, _ in ends] == [0, 0]
    assert ends[0][1].endswith("results: one\n")
    assert ends[1][1].endswith("results: other\n")
    assert not any("locked" in text for _, text in ends)
    assert server.stats["delivered_again"] == 0
    assert server.stats["distinct"] == CALLS
    assert cli.results("one") == cli.results("other") == undisturbed


def test_two_scorers_at_once_share_a_cache_without_a_lock_error(
    cli: Cli, server: ModelServer
) -> None:
    words = ("--limit", "1", "--cache-dir", "shared", "--out")
    both = [
        cli.start("run", server.judge, *words, "judge"),
        cli.start("run", server.reward, *words, "reward"),
    ]
    ends = [finish(process) for process in both]

    assert [code for code, _ in ends] == [0, 0]
    assert not any("lock" in err or "waiting" in err for _, err in ends)
    assert server.stats["delivered"] == server.stats["distinct"] == CALLS + 24


def test_retries_and_faults_leave_no_trace_in_the_results(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(
        faults=["status:503", "reset", "cut", "html", "truncated-json"], rate=0.15, seed=3
    )
    done = cli(*judge(server), "--out", "o")

    assert done.returncode == 0, done.stderr
    assert cli.json("o/run.json")["calls"]["retried"] > 0
    assert cli.results("o") == undisturbed
