"""How late the event loop is at worst, in a run and while another process locks the cache.

`python benchmarks/lag.py`. A task sleeps 5 ms again and again and notes how late it wakes. On a
machine that does other things, that includes waiting for a processor: so does the line of
a loop that does nothing else.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from clients import worst_lag
from harness import TARGETS_HEAD, measured, serving, show, target

LOCK: Final = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN IMMEDIATE")
time.sleep(3)
database.execute("ROLLBACK")
"""
LIMIT_MS: Final = 50.0
REPEAT: Final = 3


async def idle(seconds: float) -> float:
    """The worst lag of a loop with nothing to do."""
    task = asyncio.create_task(worst_lag())
    await asyncio.sleep(seconds)
    task.cancel()
    return max(late for _, late in await task)


def locked(folder: Path) -> subprocess.Popen[bytes]:
    """Hold the cache's write lock for three seconds, once it exists."""
    wait = f"while not p.exists(): time.sleep(0.05)\ntime.sleep(1)\n{LOCK}"
    script = f"import pathlib, sys, time\np = pathlib.Path(sys.argv[1])\n{wait}"
    return subprocess.Popen([sys.executable, "-c", script, str(folder / "cache" / "cache.db")])


def one(concurrency: int, latency_s: float, *, lock: bool) -> tuple[float, float]:
    """Worst lag (ms) and wall seconds of a run of 6,000 calls."""
    with tempfile.TemporaryDirectory() as name, serving("--latency", latency_s) as server:
        holder = locked(Path(name)) if lock else None
        found = measured("rmjudge", server, 6000, concurrency, Path(name))
        if holder is not None:
            holder.wait()
    return 1000 * found["lag_s"], found["wall_s"]


def main() -> None:
    """Measure and print."""
    begun = time.perf_counter()
    nothing = [1000 * asyncio.run(idle(3.0)) for _ in range(REPEAT)]
    rows = [target("idle loop, worst lag in ms", min(nothing), LIMIT_MS)]
    for concurrency, latency_s, lock in (
        (64, 0.05, False),
        (256, 0.25, False),
        (64, 0.05, True),
    ):
        lags = [one(concurrency, latency_s, lock=lock)[0] for _ in range(REPEAT)]
        what = f"{concurrency} in flight" + (", cache locked for 3 s" if lock else "")
        print(f"{what}: " + " ".join(f"{lag:.0f}" for lag in lags), flush=True)
        rows.append(target(f"{what}, worst lag in ms", min(lags), LIMIT_MS))
    show(TARGETS_HEAD, rows)
    print(f"({time.perf_counter() - begun:.0f} s)")


if __name__ == "__main__":
    main()
