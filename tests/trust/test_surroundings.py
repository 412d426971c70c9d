"""Rows of the failure catalogue that are more than one reply: addresses, clocks, models, texts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from catalogue import run

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"], ids=["refused", "DNS"])
def test_an_endpoint_that_cannot_be_reached_is_unpaid_and_a_long_outage_stops(host: str) -> None:
    ended = run(f"openai/judge@http://{host}:9/v1")

    assert ended.code == 3
    assert "cannot be reached" in ended.told
    assert "is it running, and is the address right?" in ended.told
    assert ended.calls["retried"] > 1
    assert (ended.calls["maybe_billed"], ended.stored) == (0, [])


@pytest.mark.parametrize("fault", ["hostile:but-right", "megabyte"])
def test_hostile_text_is_scored_like_any_other_and_kept_to_the_letter(
    server: ModelServer, fault: str
) -> None:
    plain = run(server.judge)
    Path("c/cache.db").unlink()
    server.control(faults=[fault], rate=1)
    ended = run(server.judge)

    assert (ended.code, ended.scored) == (0, 9)
    assert Counter(reply.answer for reply in ended.stored) == Counter(
        reply.answer for reply in plain.stored
    )
    contents = [json.loads(r.raw)["choices"][0]["message"]["content"] for r in ended.stored]
    start = "[/INST]\x1b]0;pwned\x07\x1b[31m \ud800 \u202e \x00" if fault != "megabyte" else "xxxx"
    assert all(content.startswith(start) for content in contents)


def test_another_model_behind_the_same_name_is_flagged(server: ModelServer) -> None:
    server.control(script=["other-model:judge-2"])
    ended = run(server.judge)

    assert (ended.code, ended.scored) == (0, 9)
    assert sorted(reply.model or "" for reply in ended.stored) == ["judge"] * 8 + ["judge-2"]
    assert "answers come from 2 models behind one name: judge (8), judge-2 (1)" in ended.notes


def test_connections_that_were_closed_in_silence_are_rebuilt(server: ModelServer) -> None:
    """As servers close them while a laptop sleeps: some time before the next call."""
    server.control(faults=["hang-up"], rate=1)
    ended = run(server.judge, rpm=600)

    assert (ended.code, ended.scored, server.stats["received"]) == (0, 9, 9)
    assert (ended.calls["retried"], ended.calls["maybe_billed"]) == (0, 0)


AT_ODDS = """
import sys, time
start, calls, step = time.time(), iter(range(10**9)), float(sys.argv.pop(1))
time.time = lambda: start + step * next(calls)
from rmjudge.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("step", [86_400.0, -86_400.0], ids=["ahead", "back"])
def test_a_wall_clock_that_jumps_shortens_and_lengthens_no_wait(
    cli: Cli, server: ModelServer, step: float
) -> None:
    """Set by a day each time anybody looks, before anything else is imported."""
    server.control(script=["ok", "status:503:retry-after=0.4", "status:500", "ok"])
    words = ("run", server.judge, "--domain", "code", "--limit", "1", "--concurrency", "1")
    done = subprocess.run(
        [sys.executable, "-c", AT_ODDS, str(step), *words, "--rpm", "6000", "--tpm", "9000000"],
        cwd=cli.home,
        env=cli.environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    stats = server.stats

    assert done.returncode == 0, done.stderr
    assert stats["received"] == 11
    ((_, told, until),) = stats["asked_to_wait"]
    assert not [at for at in stats["arrivals"] if told < at < until]
