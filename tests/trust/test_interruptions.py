"""Interrupted at any moment, by any means, and resumed: the files of a run that never was.

The server's fate of a question is fixed: answered, answered at the second attempt (the first is
empty or an error), or never (empty, cut, without a verdict). A stubborn server answers some at
their third attempt, which a run does not make.
"""

from __future__ import annotations

import random
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from rmjudge.cache import inspect

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer, ServerProcess

CONCURRENCY = 4
GUARD_S = 60
"""Only so that a broken program ends the test; nothing is asserted of it."""
GOES_ON = {3, 130, -signal.SIGKILL, -signal.SIGINT, -signal.SIGTERM}
"""How a run ends that is to be resumed; a signal may find the program on its way out."""


def command(server: ModelServer, *more: str) -> tuple[str, ...]:
    # In the adaptive order a question is asked, or not, by what another one brought.
    words = ("--limit", "1", "--order", "adaptive", "--concurrency", str(CONCURRENCY), "--quiet")
    return ("run", server.judge, *words, "--out", "o", *more)


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Poll until it is so, or the process has ended."""
    end = time.monotonic() + GUARD_S
    while not reached() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def delivered(server: ModelServer, answers: int) -> bool:
    return bool(server.stats["delivered"] >= answers)


@pytest.fixture(scope="module")
def undisturbed(
    new_cli: Callable[[], Cli],
) -> Callable[..., dict[str, bytes]]:
    """The files of a run at a server that nothing happens to; the same at every server."""
    found: dict[bool, dict[str, bytes]] = {}

    def files(server: ModelServer, *, stubborn: bool = False) -> dict[str, bytes]:
        if stubborn not in found:
            server.reset()
            server.control(moody=True, stubborn=stubborn)
            cli = new_cli()
            assert cli(*command(server)).returncode == 1  # some cells are never scored
            found[stubborn] = cli.results("o")
            server.reset()
        return found[stubborn]

    return files


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_at_any_moment_change_nothing(
    cli: Cli,
    server: ModelServer,
    undisturbed: Callable[..., dict[str, bytes]],
    number: signal.Signals,
) -> None:
    # What is killed may lose a reply on its way, and with it a try that the server has counted.
    stubborn = number != signal.SIGKILL
    expected = undisturbed(server, stubborn=stubborn)
    server.control(moody=True, stubborn=stubborn, latency_s=0.03)
    draw, stops, code = random.Random(number), 0, 130
    while code in GOES_ON:
        until = server.stats["delivered"] + draw.randint(4, 20)
        with cli.start(*command(server)) as process:
            wait_until(partial(delivered, server, until), process)
            time.sleep(draw.uniform(0, 0.3))
            process.send_signal(number)
            process.communicate(timeout=GUARD_S)
        code = process.returncode
        stops += code in GOES_ON

    assert (code, cli.results("o")) == (1, expected)
    assert stops >= 4


def test_ceilings_at_any_call_change_nothing(
    cli: Cli, server: ModelServer, undisturbed: Callable[..., dict[str, bytes]]
) -> None:
    expected = undisturbed(server, stubborn=True)
    server.control(moody=True, stubborn=True)
    draw, stops, code = random.Random(1), 0, 3
    while code in GOES_ON:
        code = cli(*command(server, "--max-calls", str(draw.randint(6, 20)))).returncode
        stops += code in GOES_ON

    assert (code, cli.results("o")) == (1, expected)
    assert stops >= 4


def test_a_server_that_dies_at_any_moment_changes_nothing(
    cli: Cli,
    server: ModelServer,
    undisturbed: Callable[..., dict[str, bytes]],
    start_server: Callable[[int], ServerProcess],
) -> None:
    expected = undisturbed(server)
    draw, stops, code, port = random.Random(2), 0, 3, 0
    while code in GOES_ON:
        mortal = start_server(port)
        port = mortal.port
        mortal.control(moody=True, latency_s=0.03, memory=str(cli.home / "asked"))
        with cli.start(*command(mortal, "--outage", "0.2")) as process:
            wait_until(partial(delivered, mortal, draw.randint(4, 20)), process)
            mortal.kill()
            process.communicate(timeout=GUARD_S)
        code = process.returncode
        stops += code in GOES_ON

    assert (code, cli.results("o")) == (1, expected)
    assert stops >= 4


def test_an_empty_reply_before_its_second_try_is_kept_for_the_bill_alone(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["null-content"])
    words = ("run", server.judge, "--domain", "chat", "--limit", "1", "--out", "o")
    first = cli(*words, "--max-calls", "1")
    (scorer,) = inspect.info(cli.home / ".cache/rmjudge/answers").scorers
    calls = cli.json("o/run.json")["calls"]
    tokens = cli.json("o/run.json")["tokens"]

    assert first.returncode == 3
    assert "--max-calls 1 is reached" in first.stderr
    assert (scorer.answers, scorer.open) == (0, 1)
    assert (calls["sent"], calls["failed"], calls["unscored"]) == (1, 0, 0)
    assert tokens["input"] > 0  # paid for

    assert cli(*words).returncode == 0
    (scorer,) = inspect.info(cli.home / ".cache/rmjudge/answers").scorers
    assert (scorer.answers, scorer.unscored, scorer.open) == (9, 0, 0)
    assert server.stats["received"] == 1 + 9


@pytest.mark.parametrize("empty", [1, 2, 3])
def test_tries_of_an_empty_reply_are_as_many_whether_a_run_was_interrupted_or_not(
    cli: Cli, server: ModelServer, new_cli: Callable[[], Cli], empty: int
) -> None:
    words = ("run", server.judge, "--domain", "chat", "--limit", "1", "--concurrency", "1")
    found = []
    for runner, interrupted in ((cli, True), (new_cli(), False)):
        server.reset()
        server.control(script=["null-content"] * empty)
        if interrupted:
            assert runner(*words, "--out", "o", "--max-calls", "1").returncode == 3
        code = runner(*words, "--out", "o").returncode
        asked = server.stats["arrived"]
        found.append((code, runner.results("o"), len(asked), sorted(map(asked.count, asked))))

    assert found[0] == found[1]


def test_a_kill_before_the_second_try_does_not_forget_the_first(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["null-content", "silence:60"])
    words = ("run", server.judge, "--domain", "chat", "--limit", "1", "--concurrency", "1")
    with cli.start(*words, "--out", "o") as process:
        wait_until(lambda: server.stats["received"] >= 2, process)
        process.kill()
        process.communicate(timeout=GUARD_S)
    (scorer,) = inspect.info(cli.home / ".cache/rmjudge/answers").scorers
    assert (scorer.answers, scorer.open) == (0, 1)

    server.control(script=["null-content"])
    assert cli(*words, "--out", "o").returncode == 1
    (scorer,) = inspect.info(cli.home / ".cache/rmjudge/answers").scorers
    assert (scorer.answers, scorer.unscored, scorer.open) == (9, 1, 0)
    assert server.stats["received"] == 2 + 9


def test_a_failed_attempt_is_no_try_of_an_empty_reply(cli: Cli, server: ModelServer) -> None:
    server.control(script=["status:503", "null-content"])
    done = cli("run", server.judge, "--domain", "chat", "--limit", "1", "--concurrency", "1")

    assert done.returncode == 0, done.stderr
    assert server.stats["received"] == 2 + 9


def test_what_fails_after_an_empty_reply_is_asked_again(cli: Cli, server: ModelServer) -> None:
    server.control(script=["null-content", "status:422"])
    words = ("run", server.judge, "--domain", "chat", "--limit", "1", "--concurrency", "1")
    codes = [cli(*words).returncode for _ in range(2)]

    assert codes == [1, 0]
    assert server.stats["received"] == 2 + 8 + 1
