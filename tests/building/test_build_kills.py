"""A build that is killed at any moment ends in equal bytes and buys no call twice.

`RMJUDGE_BUILD_KILLS=20 RMJUDGE_BUILD_PROMPTS=100` has twenty kills over a hundred prompts.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from command import Cli
from scripted_builds import PANEL, ScriptedModels

from rmjudge.calls import GenerateCall
from rmjudge.running.preparation import key_of

KILLS = int(os.environ.get("RMJUDGE_BUILD_KILLS", "6"))
PROMPTS = int(os.environ.get("RMJUDGE_BUILD_PROMPTS", "20"))
CONCURRENCY = 4
GUARD_S = 120
"""Only so that a broken program ends the test; nothing is asserted of it."""


@pytest.fixture
def models() -> Iterator[ScriptedModels]:
    with ScriptedModels(latency_s=0.02) as server:
        yield server


def test_no_kill_changes_a_byte_or_buys_a_kept_answer_again(
    tmp_path: Path, models: ScriptedModels
) -> None:
    undisturbed, killed = (home(tmp_path / name) for name in ("undisturbed", "killed"))
    assert undisturbed(*words(models)).returncode == 0
    wanted = by_message(models.counts)
    calls = wanted.total()
    draw, kept, lost = random.Random(3), Counter[str](), 0
    for kill in range(KILLS):
        models.counts.clear()
        # Mostly while it asks; the last ones when every answer is there, and files are written.
        share = 1.7 / KILLS if kill < KILLS - 2 else 2.0
        until = min(round(calls * draw.uniform(0, share)), calls - kept.total())
        with killed.start(*words(models), "--concurrency", CONCURRENCY) as process:
            end = time.monotonic() + GUARD_S
            while sum(models.counts.values()) < until and process.poll() is None:
                assert time.monotonic() < end
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.3))
            process.kill()
            process.communicate()
        models.at_rest()
        before, kept = kept, answers_kept(killed, wanted)
        bought = by_message(models.counts)
        assert before <= kept
        # Nothing that was kept is bought again, message by message ...
        assert before + bought <= wanted
        # ... and of what was bought, only what was under way at the kill is not kept.
        in_vain = before + bought - kept
        assert in_vain.total() <= CONCURRENCY * (1 + len(PANEL))
        lost += in_vain.total()
    models.counts.clear()
    assert killed(*words(models)).returncode == 0
    assert kept + by_message(models.counts) == wanted
    models.counts.clear()
    assert killed(*words(models)).returncode == 0
    assert not models.counts
    assert files(killed) == files(undisturbed)
    print(f"{KILLS} kills, {calls} calls, {lost} under way at a kill and bought in vain")


def home(folder: Path) -> Cli:
    folder.mkdir()
    offered = [{"id": k, "prompt": f"What is to be known of Land{k}?"} for k in range(PROMPTS)]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in offered))
    return Cli(folder)


def words(models: ScriptedModels) -> list[str]:
    judges = [word for name in PANEL for word in ("--panel", models.model(name))]
    writer = models.model("writer")
    return ["build", "prompts.jsonl", "--writer", writer, *judges, "--out", "mine", "--quiet"]


def by_message(counts: Counter[str]) -> Counter[str]:
    """How often each message was sent, to whichever model."""
    found: Counter[str] = Counter()
    for body, times in counts.items():
        found[json.loads(body)["messages"][-1]["content"]] += times
    return found


def answers_kept(cli: Cli, wanted: Counter[str]) -> Counter[str]:
    """How many answers to each message are on disk, of all models and samples."""
    with closing(sqlite3.connect(cli.home / ".cache/rmjudge/answers/cache.db")) as database:
        rows = [key for (key,) in database.execute("SELECT key FROM Cache WHERE key LIKE 'a:%'")]
    found = Counter(row.rpartition(":")[2] for row in rows)
    kept = Counter[str]()
    for message in wanted:
        calls = (GenerateCall((("user", message),), sample) for sample in range(3))
        kept[message] = sum(found[key_of(call)] for call in calls)
    return kept


def files(cli: Cli) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (cli.home / "mine").iterdir()}
