"""Peak memory of runs: many calls, megabyte replies, gzip bombs.

`python benchmarks/memory.py`. A process's peak when everything is planned (the texts of the data
set are in memory), when the last call is committed, and at the end: calls add the first difference,
up to 96 MiB of which is SQLite's, and metrics the second.
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
        peaks = (found["planned_mib"], found["answered_mib"], found["peak_mib"])
        rows.append([what, *(f"{peak:.0f}" for peak in peaks)])
    show(("run", "planned, MiB", "answered, MiB", "whole, MiB"), rows)


if __name__ == "__main__":
    main()
