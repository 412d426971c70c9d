"""A run whose terminal is closed: it is drained, kept, and says how to go on; `nohup` goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from terminals import Terminal

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CALLS = 36


def test_closing_the_terminal_drains_the_run_and_keeps_how_to_go_on(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=1)
    words = ("run", server.judge, "--limit", "1", "--concurrency", "4", "--out", "o")
    with Terminal(cli, *words) as seen:
        seen.read_until("4 in flight")
        seen.close()
        assert seen.process.wait(30) == 130

    about = cli.json("o/run.json")
    assert about["stopped"] == "interrupted by SIGHUP"
    assert about["resume"].startswith("rmjudge run openai/judge@")
    delivered = server.stats["delivered"]
    assert 4 <= delivered < CALLS
    server.control(latency_s=0)
    assert cli(*words, "--quiet").returncode == 0
    assert server.stats["delivered"] == CALLS, "an answer was bought twice"


def test_a_second_hangup_does_not_end_the_draining(cli: Cli, server: ModelServer) -> None:
    server.control(latency_s=2)
    with cli.start("run", server.judge, "--limit", "1", "--out", "o") as process:
        assert process.stderr is not None
        while "in flight" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGHUP)
        assert "SIGHUP: finishing the calls under way" in process.stderr.readline()
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert cli.json("o/run.json")["stopped"] == "interrupted by SIGHUP"


@pytest.mark.skipif(shutil.which("nohup") is None, reason="there is no nohup here")
@pytest.mark.parametrize("before", [("nohup",), ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")])
def test_a_run_that_ignores_the_hangup_outlives_its_terminal(
    cli: Cli, server: ModelServer, before: tuple[str, ...]
) -> None:
    """Under `nohup` output goes to a file; with the signal ignored alone, to a dead terminal."""
    server.control(latency_s=0.3)
    words = ("run", server.judge, "--limit", "1", "--concurrency", "4", "--out", "o")
    with Terminal(cli, *words, before=before) as seen:
        if before[0] == "nohup":
            while server.stats["received"] == 0:
                assert seen.process.poll() is None
        else:
            seen.read_until("4 in flight")
        seen.close()
        assert seen.process.wait(60) == 0
    assert cli.json("o/run.json")["stopped"] is None
    assert cli.json("o/metrics.json")["unscored_cells"] == 0


def test_a_table_for_a_terminal_that_is_gone_is_no_error(cli: Cli) -> None:
    assert cli("run", "baseline/length", "--out", "o").returncode == 0
    master, follower = os.openpty()
    os.close(master)
    with os.fdopen(follower, "w") as gone:
        done = subprocess.run(
            [cli.command, "report", "o"],
            stdout=gone,
            stderr=subprocess.PIPE,
            cwd=cli.home,
            env=cli.environment(),
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
