"""`-v`, `--log-file` and `--quiet`: what is said, where, and that no key is among it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

KEY = "sk-a-key-that-nobody-may-read"
DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .")
SCRIPT = ["ok", "status:503", "no-verdict"]


def run(server: ModelServer, *more: str) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "1", "--concurrency", "1", "--out", "o", *more)


def test_verbose_says_each_attempt_that_failed_and_each_reply_without_a_score(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=SCRIPT)
    said = cli(*run(server, "--quiet", "-v")).stderr.splitlines()
    assert len([line for line in said if "openai/judge: an attempt failed: HTTP 503" in line]) == 1
    (lost,) = (line for line in said if "a reply without a score" in line)
    assert re.match(r"openai/judge: a reply without a score \((chat|math|code|safety)/.+\): ", lost)


def test_without_verbose_nothing_of_that_is_said(cli: Cli, server: ModelServer) -> None:
    server.control(script=SCRIPT)
    said = cli(*run(server, "--quiet")).stderr
    assert "an attempt failed" not in said
    assert "cached" not in said, "progress is shown"


def test_the_log_has_dated_lines_of_all_that_happened_and_is_added_to(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=SCRIPT, latency_s=0.05)
    words = run(server, "--quiet", "--log-file", "run.log")
    done = cli(*words)
    assert "an attempt failed" not in done.stderr
    log = (cli.home / "run.log").read_text("utf-8")
    assert all(DATED.match(line) for line in log.splitlines())
    for told in (
        f" rmjudge {' '.join(words)}\n",
        "an attempt failed: HTTP 503",
        "a reply without a score",
        " of 36 calls, ",
        "Easy ",
        "exit code 1\n",
        "results: o\n",
    ):
        assert told in log
    cli(*words)
    assert (cli.home / "run.log").read_text("utf-8").startswith(log)


def test_a_key_is_in_no_log(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["key"], rate=1)
    words = run(server, "--header", f"x-key={KEY}", "--log-file", "run.log", "-v")
    done = cli(*words, OPENAI_API_KEY=KEY)
    assert done.returncode == 3
    log = (cli.home / "run.log").read_text("utf-8")
    assert "Incorrect API key provided: [key removed]" in log
    assert KEY not in log + done.stderr


@pytest.mark.parametrize("place", [".", "no/where.log"])
def test_a_log_that_cannot_be_written_is_told_before_anything_is_asked(
    cli: Cli, server: ModelServer, place: str
) -> None:
    done = cli(*run(server, "--log-file", place))
    assert done.returncode == 2
    assert f"--log-file {place} cannot be written: " in done.stderr
    assert server.stats["received"] == 0
