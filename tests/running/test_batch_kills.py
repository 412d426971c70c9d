"""Kills at every state of a batch, and inside every request: each call is paid for once.

`RMJUDGE_BATCH_KILLS=40 RMJUDGE_BATCH_TUPLES=56 pytest -s` has forty kills over 504 calls in each
shape, and prints them.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from batch_vendor import BatchVendor, each_shape
from command import Cli
from quiet_runs import tuples

KILLS = int(os.environ.get("RMJUDGE_BATCH_KILLS", "18"))
TUPLES = int(os.environ.get("RMJUDGE_BATCH_TUPLES", "20"))
FAST = {"RMJUDGE_BATCH_LOOK_S": "0.05", "RMJUDGE_BATCH_SILENCE_S": "0.5"}
CALLS = 9 * TUPLES
QUEUE = 6000
"""Tokens that may wait at the vendor: room for a batch of a dozen calls."""
DIES = Path(__file__).parents[1] / "servers" / "dies_at_state.py"
BATCH = r"batch|files|upload"
"""What all requests about batches have in their path, and live ones have not."""
UPLOAD = r"POST .*/(files|upload/of/.*)$"
CREATE = r"POST .*(batches|:batchGenerateContent)$"
POLL = r"GET .*/batches/[^/]+$"
RESULTS = r"GET .*(content|results|download.*)$"
STATES = ("planned", "uploaded", "creating", "created", "ended", "fetched", "collected", "released")
MOMENTS = [
    *(
        (request, when, 0)
        for request in (UPLOAD, CREATE, POLL, RESULTS, "DELETE")
        for when in ("before", "after")
    ),
    *((state, "", 0) for state in STATES),
    *((BATCH, when, skip) for skip in range(12) for when in ("before", "after")),
]
"""A request, before or after the vendor has worked on it; or a state that was committed."""


class Killed:
    """A command that is killed at one moment after another."""

    def __init__(self, cli: Cli, vendor: BatchVendor, *words: object) -> None:
        self.cli, self.vendor, self.words = cli, vendor, words
        self.at: Counter[str] = Counter()

    def at_moment(self, pattern: str, when: str, skip: int) -> bool:
        """Whether the command lived to see the moment, and died of it; else it has ended well."""
        while True:
            died, err = self.at_state(pattern) if not when else self.in_request(pattern, when, skip)
            self.at[f"{pattern} {when}".strip()] += died
            assert max(self.vendor.stats["paid"].values(), default=1) == 1
            if died or not self.decided(err):
                return died

    def decided(self, err: str) -> bool:
        """Answer what the user is asked. Anthropic's lists cannot tell, and it has not heard."""
        asked = re.search(r"resolve ([0-9a-f]{32})", err)
        if asked:
            assert "anthropic" in str(self.words)
            assert self.cli("batches", "resolve", asked[1], "--not-submitted").returncode == 0
        return asked is not None

    def at_state(self, state: str) -> tuple[bool, str]:
        """Run; it dies as soon as a batch in the state is on disk."""
        done = subprocess.run(
            [sys.executable, DIES, state, *map(str, self.words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.cli.home,
            env=self.cli.environment(**FAST),
            text=True,
            check=False,
        )
        return done.returncode == -signal.SIGKILL, done.stderr

    def in_request(self, pattern: str, when: str, skip: int) -> tuple[bool, str]:
        """Run; kill it while the vendor keeps a request waiting."""
        stalled = self.vendor.stats["stalled"]
        self.vendor.control(stall=[pattern, when], skip=skip)
        with self.cli.start(*self.words, **FAST) as process:
            while process.poll() is None and self.vendor.stats["stalled"] == stalled:
                time.sleep(0.03)
            died = process.poll() is None
            process.kill()
            _, err = process.communicate()
        self.vendor.control(stall=[])
        return died, err


@each_shape
def test_no_kill_buys_a_call_twice(
    cli: Cli, vendor: BatchVendor, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = "input = 1000.0\noutput = 3000.0\nbatch = 0.25"
    (cli.home / "rmjudge.toml").write_text(f'[prices."{provider}/judge"]\n{price}\n')
    monkeypatch.chdir(cli.home)
    run = ("run", vendor.model(provider), "--data", tuples(TUPLES), "--quiet")
    words = (*run, "--out", "runs/batch", "--batch", "--batch-tokens", QUEUE)
    vendor.control(run_s=0.1, rows=["shuffle"])
    killed = Killed(cli, vendor, *words)
    never = (UPLOAD, "uploaded") if provider == "anthropic" else ()  # it takes no files
    moments = [moment for moment in MOMENTS if moment[0] not in never]
    for moment in itertools.islice(itertools.cycle(moments), KILLS):
        assert killed.at_moment(*moment), f"all was bought before {moment}: {killed.at}"
    for _ in range(3):
        done = cli(*words, **FAST)
        killed.decided(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert len(stats["paid"]) == CALLS - 1  # one was bought live, to see that it works
    assert stats["live"] == 1
    assert stats["files"] == []
    (told,) = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    (read, written), (live_read, live_written) = stats["tokens"], stats["live_tokens"]
    bill = 0.25 * (read * 1000 + written * 3000) + live_read * 1000 + live_written * 3000
    print(
        f"{provider}: {sum(killed.at.values())} kills, {CALLS} calls, {len(stats['sizes'])} "
        f"batches, bill ${bill / 1e6:.6f}, told ${told['cost']['usd']:.6f}; {dict(killed.at)}"
    )
    assert told["cost"]["usd"] == pytest.approx(bill / 1e6)
    assert cli(*run, "--out", "runs/live", "--cache-dir", "other").returncode == 0
    batch, live = cli.results("runs/batch"), cli.results("runs/live")
    assert [name for name in live if batch.get(name) != live[name]] == []
    assert batch.keys() == live.keys()
