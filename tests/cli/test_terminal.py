"""What reaches a terminal, a pipe, and a pipe whose reader has gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from terminals import CONTROLS, HIDE, SHOW, UP, Terminal

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

LONG = "openai/a-model-with-a-name-that-is-far-too-long-for-any-table-of-eighty-columns-by-itself"


def longest(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_a_terminal_shows_live_progress_and_then_the_tables_in_its_width(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=0.1)
    models = (f"{LONG}@{server.root}/v1", server.reward)
    with Terminal(cli, "run", *models, "--limit", "1", "--concurrency", "4", "--out", "o") as seen:
        assert seen.read_all() == 0

    live, _, final = seen.shown.partition(SHOW)
    assert HIDE in live
    assert UP in live
    assert re.search(r"[1-9]\d*/36", live)
    assert "in flight" in live
    assert "chat (1)" in live
    assert "Accuracy, %" not in live
    assert "Accuracy, %" in final
    assert UP not in final.partition("Accuracy, %")[2]
    assert max(map(len, seen.lines)) <= 80


def test_quiet_shows_no_progress_in_a_terminal(cli: Cli) -> None:
    with Terminal(cli, "run", "baseline/length", "--limit", "1", "--quiet") as seen:
        assert seen.read_all() == 0
    assert HIDE not in seen.shown
    assert "Accuracy, %" in seen.shown


def test_an_interrupt_is_answered_on_a_line_of_its_own_above_the_progress(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=1.5)
    with Terminal(cli, "run", server.judge, "--limit", "1", "--out", "o") as seen:
        seen.read_until("16 in flight")
        seen.process.send_signal(signal.SIGINT)
        assert seen.read_all() == 130

    notice = "SIGINT: finishing the calls under way (at most 30 s); once more leaves at once"
    assert notice in seen.lines
    # Drawn before the bars, not after them, where the next frame would wipe it out.
    assert re.search(
        re.escape(notice) + r"\s+\d+ s elapsed\s+openai/judge", CONTROLS.sub("", seen.shown)
    )
    assert seen.shown.rindex(SHOW) > seen.shown.rindex(HIDE)
    assert any(line.startswith("  rmjudge run openai/judge@") for line in seen.lines)


def test_leaving_at_once_gives_the_cursor_back(cli: Cli, server: ModelServer) -> None:
    server.control(latency_s=600)
    with Terminal(cli, "run", server.judge, "--limit", "1") as seen:
        seen.read_until("1 in flight")
        seen.process.send_signal(signal.SIGINT)
        seen.read_until("once more leaves at once")
        seen.process.send_signal(signal.SIGINT)
        assert seen.read_all() == 130
    assert seen.shown.rindex(SHOW) > seen.shown.rindex(HIDE)


def test_a_command_says_that_it_waits_for_another_and_can_be_interrupted(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=600)
    words = ("run", server.judge, "--limit", "1", "--concurrency", "2")
    with Terminal(cli, *words, "--out", "one") as buying:
        buying.read_until("2 in flight")
        with Terminal(cli, *words, "--out", "other") as waiting:
            waiting.read_until("waiting: another process is buying the same answers")
            waiting.process.send_signal(signal.SIGINT)
            assert waiting.read_all() == 130
    assert server.stats["received"] == 2


def test_a_pipe_gets_no_colours_and_no_line_over_100_columns(cli: Cli, server: ModelServer) -> None:
    server.control(script=["no-verdict"])
    models = (f"{LONG}@{server.root}/v1", "baseline/markdown")
    done = cli("run", *models, "--limit", "1", "--out", "o", TERM="xterm-256color", COLUMNS="300")

    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert longest(done.stdout) <= 100
    assert longest(cli("report", "o").stdout) <= 100


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["data", "check", "sample"],
        ["data", "check", "sample", "--json"],
    ],
)
def test_a_reader_that_has_gone_is_no_error(cli: Cli, words: list[str]) -> None:
    assert into_closed_pipe(cli, words) == ("", 0)


def test_a_reader_that_has_gone_does_not_change_the_exit_code(
    cli: Cli, server: ModelServer
) -> None:
    server.control(faults=["status:401"], rate=1)
    for more in ([], ["--json"]):
        words = ["run", server.judge, "--limit", "1", "--domain", "code", "--out", "o", *more]
        err, code = into_closed_pipe(cli, words)
        assert code == 3
        assert "HTTP 401" in err


def into_closed_pipe(cli: Cli, words: list[str]) -> tuple[str, int]:
    """Run with a standard output that nobody reads; return standard error and the exit code."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [cli.command, *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=cli.home,
        env=cli.environment(),
        text=True,
        check=False,
    )
    os.close(writer)
    return done.stderr, done.returncode


def test_the_head_of_a_report_is_quiet(cli: Cli) -> None:
    cli("run", *(f"baseline/{kind}" for kind in ("length", "random")), "--out", "o")
    with cli.start("report", *["o"] * 50) as report:
        assert report.stdout is not None
        assert report.stderr is not None
        assert report.stdout.readline()
        report.stdout.close()
        assert report.stderr.read() == ""
    assert report.returncode == 0
