"""Peak memory of runs: many calls, megabyte replies, gzip bombs.

`python benchmarks/memory.py`. A process's peak when everything is planned (the texts of the data
set are in memory) and at the end: what calls add is the difference.
"""

from __future__ import annotations

from typing import Final

from harness import measured, serving, show

CASES: Final = (
    ("10,000 calls", 10_000, "verdict"),
    ("100,000 calls", 100_000, "verdict"),
    ("1,000 megabyte replies", 1_000, "megabyte"),
    ("4,000 calls, every fourth reply a 64 MiB gzip bomb", 4_000, "bomb"),
)


def main() -> None:
    """Measure and print."""
    rows = []
    for what, calls, reply in CASES:
        with serving("--reply", reply) as server:
            found = measured("rmjudge", server, calls, 64)
        planned, peak = found["planned_mib"], found["peak_mib"]
        added = 1024 * (peak - planned) / found["calls"]
        rows.append([what, f"{planned:.0f}", f"{peak:.0f}", f"{added:.1f}"])
    show(("run", "planned, MiB", "peak, MiB", "added KiB a call"), rows)


if __name__ == "__main__":
    main()
