"""One run over real texts of three benchmarks, by a judge and a local classifier, killed often."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from command import Cli
from served import ModelServer

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CHAT = DATA / "rm-bench" / "chat_filtered.json"
LLMBAR = DATA / "llmbar" / "LLMBar"
JUDGEBENCH = DATA / "judgebench" / "dataset=judgebench,response_model=gpt-4o-2024-05-13.jsonl"
SETS = ("rm-bench", "llmbar", "judgebench")

LIMIT = 2
CALLS = 9 * LIMIT + 2 * 5 * LIMIT + 2 * 4 * LIMIT
"""The judge's: nine cells of a tuple; both orders, five subsets of LLMBar, four of JudgeBench."""
CONCURRENCY = 2
MOMENTS = (3, 20, 45)
"""Answers delivered when it is killed: twice in the first set, once in each of the others."""
GUARD_S = 600
"""Only so that a broken program ends the test; nothing is asserted of it."""


@pytest.mark.skipif(not DATA.exists(), reason="needs the real texts of ../shared/data")
def test_kills_at_moments_of_a_run_over_three_benchmarks_change_no_byte_and_buy_nothing_twice(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    pytest.importorskip("torch")
    from local_models import Kind, make

    model = f"hf/{make(home / 'rm', Kind())}"
    sources = [word for path in (CHAT, LLMBAR, JUDGEBENCH) for word in ("--data", path)]
    words = ["run", server.judge, model, *sources, "--limit", LIMIT, "--max-tokens", 512]
    words += ["--concurrency", CONCURRENCY]

    undisturbed = cli(*words, "--out", "whole", "--cache-dir", "other")
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert server.stats["delivered"] == server.stats["distinct"] == CALLS
    expected = cli.results("whole")
    assert len(expected) == 2 * 2 * len(SETS)

    server.reset()
    server.control(latency_s=0.1)
    draw = random.Random(3)
    for moment in MOMENTS:
        with cli.start(*words, "--out", "killed", "--cache-dir", "kept") as process:
            end = time.monotonic() + GUARD_S
            while server.stats["delivered"] < moment:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end
                time.sleep(0.02)
            time.sleep(draw.uniform(0, 0.1))
            process.kill()
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    server.control(latency_s=0)
    resumed = cli(*words, "--out", "killed", "--cache-dir", "kept")
    assert resumed.returncode == 0, resumed.stderr
    assert cli.results("killed") == expected
    stats = server.stats
    assert stats["distinct"] == CALLS
    # A reply on its way when the process died was on no disk; nothing else is asked again.
    assert stats["received"] - CALLS <= len(MOMENTS) * CONCURRENCY
    assert rows(home / "kept") == rows(home / "other")

    again = cli(*words, "--out", "again", "--cache-dir", "kept")
    assert again.returncode == 0, again.stderr
    assert cli.results("again") == expected
    assert server.stats["received"] == stats["received"]
    assert rows(home / "kept") == rows(home / "other")

    shown = cli("report", "killed", "--format", "json")
    assert shown.returncode == 0, shown.stderr
    assert "One scorer, several benchmarks" in resumed.stdout
    found = json.loads(shown.stdout)
    assert {one["benchmark"] for one in found["benchmarks"]} == {"llmbar", "judgebench"}
    assert {one["method"] for one in found["benchmarks"]} == {"pairwise", "pointwise"}


def rows(cache: Path) -> int:
    """How many answers a cache keeps."""
    with closing(sqlite3.connect(cache / "cache.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM Cache").fetchone()[0])
