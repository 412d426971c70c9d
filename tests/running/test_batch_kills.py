"""Kills at every state of a batch, and inside every request: each call is paid for once.

`RMJUDGE_BATCH_KILLS=40 RMJUDGE_BATCH_TUPLES=14` has forty kills over 504 calls in each shape.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
from batch_vendor import BatchVendor
from command import Cli

from rmjudge.cache.ledger import read_chunks
from rmjudge.errors import RmjudgeError

KILLS = int(os.environ.get("RMJUDGE_BATCH_KILLS", "8"))
TUPLES = int(os.environ.get("RMJUDGE_BATCH_TUPLES", "4"))
FAST = {"RMJUDGE_BATCH_LOOK_S": "0.1", "RMJUDGE_BATCH_SILENCE_S": "0.5"}
CALLS = 36 * TUPLES
BATCH = r"batch|files|upload"
"""What all requests about batches have in their path, and live ones have not."""
CREATE = r"POST .*(batches|:batchGenerateContent)$"
POLL = r"GET .*/batches/[^/]+$"
RESULTS = r"GET .*(content|results|download.*)$"
STATES = ("planned", "uploaded", "creating", "created", "ended", "fetched", "collected", "released")
MOMENTS = [
    *((CREATE, when, 0) for when in ("before", "after")),
    *((POLL, when, 0) for when in ("after", "before")),
    *((RESULTS, when, 0) for when in ("before", "after")),
    *(("DELETE", when, 0) for when in ("after", "before")),
    *((state, "", 0) for state in STATES),
    *((BATCH, when, skip) for skip in range(12) for when in ("before", "after")),
]


@pytest.fixture
def vendor() -> Iterator[BatchVendor]:
    vendor = BatchVendor()
    yield vendor
    vendor.kill()


def states(cli: Cli) -> Counter[str]:
    """How many batches the ledger has in each state."""
    with suppress(RmjudgeError, sqlite3.Error, OSError):
        folder = cli.home / ".cache" / "rmjudge" / "answers"
        return Counter(chunk.state for chunk in read_chunks(folder))
    return Counter()


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_no_kill_buys_a_call_twice(cli: Cli, vendor: BatchVendor, provider: str) -> None:
    price = "input = 1000.0\noutput = 3000.0\nbatch = 0.25"
    (cli.home / "rmjudge.toml").write_text(f'[prices."{provider}/judge"]\n{price}\n')
    run = ("run", vendor.model(provider), "--limit", TUPLES, "--quiet", "--out", "runs/batch")
    words = (*run, "--batch", "--batch-tokens", "9000")
    vendor.control(run_s=0.2, rows=["shuffle"])
    kills, where = 0, Counter[str]()
    for pattern, when, skip in itertools.cycle(MOMENTS):
        before, stalled = states(cli), vendor.stats["stalled"]
        if when:
            vendor.control(stall=[pattern, when], skip=skip)
        with cli.start(*words, **FAST) as process:
            while process.poll() is None:
                now = states(cli)
                reached = not when and now[pattern] > before[pattern]
                if reached or (when and vendor.stats["stalled"] > stalled):
                    process.kill()
                    kills += 1
                    where[f"{pattern} {when}".strip()] += 1
                    break
                time.sleep(0.005 if not when else 0.03)
            _, err = process.communicate()
        vendor.control(stall=[])
        check(vendor)
        if uid := re.search(r"resolve ([0-9a-f]{32})", err):
            # Anthropic's lists cannot tell: the user looks, and the create had not been heard.
            assert provider == "anthropic"
            assert cli("batches", "resolve", uid[1], "--not-submitted").returncode == 0
        elif process.returncode == 0 or kills >= KILLS:
            break
    for _ in range(3):
        done = cli(*words, **FAST)
        if uid := re.search(r"resolve ([0-9a-f]{32})", done.stderr):
            assert provider == "anthropic"
            assert cli("batches", "resolve", uid[1], "--not-submitted").returncode == 0
    assert done.returncode == 0, done.stdout + done.stderr
    assert kills >= min(KILLS, 8)
    check(vendor)
    stats = vendor.stats
    assert len(stats["paid"]) == CALLS - 1  # one was bought live, to see that it works
    assert stats["live"] == 1
    assert stats["files"] == []
    (told,) = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    (read, written), (live_read, live_written) = stats["tokens"], stats["live_tokens"]
    bill = 0.25 * (read * 1000 + written * 3000) + live_read * 1000 + live_written * 3000
    print(f"{provider}: {kills} kills ({dict(where)}), {CALLS} calls, bill ${bill / 1e6:.2f}")
    assert told["cost"]["usd"] == pytest.approx(bill / 1e6)
    live = ("run", vendor.model(provider), "--limit", TUPLES, "--quiet", "--out", "runs/live")
    assert cli(*live, "--cache-dir", "other").returncode == 0
    assert cli.results("runs/batch") == cli.results("runs/live")


def check(vendor: BatchVendor) -> None:
    assert max(vendor.stats["paid"].values(), default=1) == 1
