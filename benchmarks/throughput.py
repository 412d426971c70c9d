"""Calls over HTTP, side by side: this tool's whole pipeline and its peers' bare calls.

`pip install -e '.[bench]' && python benchmarks/throughput.py`. Every client runs in a process of
its own against one fast server, in turns, `--repeat` times; all figures are printed, ratios are
of the best. CPU time is the stable figure on a machine that does other things as well.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from harness import TARGETS_HEAD, measured, serving, show, target

OURS: Final = "rmjudge"
PEERS: Final = ("openai", "inspect_ai", "litellm")
FLOOR: Final = "aiohttp"
CPU_OF_OPENAI: Final = {64: 0.40, 256: 0.30}
CPU_OF_OTHERS: Final = 0.15
WALL: Final = {64: 1.10, 256: 1.06}
LATENCY_S: Final = {64: 0.05, 256: 0.25, 1000: 1.0}

Runs = dict[tuple[str, int], list[dict[str, Any]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=12_000)
    parser.add_argument("--peer-calls", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    asked = parser.parse_args()
    runs: Runs = {}
    for concurrency, latency_s in LATENCY_S.items():
        # A peer is slow at a thousand, and nothing is claimed of it there.
        peers = asked.peers if concurrency < 1000 else []
        for _ in range(asked.repeat):
            for name in (OURS, FLOOR, *peers):
                calls = asked.peer_calls if name in peers else asked.calls
                with serving("--latency", latency_s) as server:
                    found = measured(name, server, calls, concurrency)
                ideal = found["calls"] * latency_s / concurrency
                found["wall"] = found["wall_s"] / ideal
                runs.setdefault((name, concurrency), []).append(found)
    show(
        ("client", "in flight", "latency", "CPU ms a call", "wall / ideal", "worst lag ms", "MiB"),
        [_row(name, concurrency, found) for (name, concurrency), found in runs.items()],
    )
    print(
        f"\nMetrics and files, after the last commit: {_afterwards(runs):.3f} CPU ms a call more.\n"
    )
    show(TARGETS_HEAD, _targets(runs, asked.peers))


def _row(name: str, concurrency: int, found: list[dict[str, Any]]) -> list[str]:
    lags = [run["lag_s"] for run in found if "lag_s" in run]
    return [
        name,
        str(concurrency),
        f"{1000 * LATENCY_S[concurrency]:.0f} ms",
        " ".join(f"{run['cpu_ms']:.2f}" for run in found),
        " ".join(f"{run['wall']:.2f}" for run in found),
        " ".join(f"{1000 * lag:.0f}" for lag in lags) or "-",
        f"{max(run['peak_mib'] for run in found):.0f}",
    ]


def _afterwards(runs: Runs) -> float:
    spent: list[float] = [
        1000 * (run["whole_cpu_s"] - run["cpu_s"]) / run["calls"]
        for (name, _), found in runs.items()
        if name == OURS
        for run in found
    ]
    return min(spent)


def _targets(runs: Runs, peers: list[str]) -> list[list[str]]:
    def best(name: str, concurrency: int, what: str) -> float:
        return min(float(run[what]) for run in runs[name, concurrency])

    rows = []
    for concurrency, limit in WALL.items():
        wall = best(OURS, concurrency, "wall")
        rows.append(target(f"wall / ideal, {concurrency} in flight", wall, limit))
    for concurrency in WALL:
        for peer in peers:
            limit = CPU_OF_OPENAI[concurrency] if peer == "openai" else CPU_OF_OTHERS
            ratio = best(OURS, concurrency, "cpu_ms") / best(peer, concurrency, "cpu_ms")
            rows.append(target(f"CPU of {peer}'s, {concurrency} in flight", ratio, limit))
    cliff = best(OURS, 1000, "cpu_ms") / best(OURS, 64, "cpu_ms")
    rows.append(target("CPU at 1,000 in flight of that at 64", cliff, 1.5))
    return rows


if __name__ == "__main__":
    main()
