"""Calls over HTTP, side by side: this tool's whole pipeline and its peers' bare calls.

`pip install -e '.[bench]' && python benchmarks/throughput.py`. Every client runs in a process of
its own against one fast server, in turns, `--repeat` times; all figures are printed, ratios are
of the best. CPU time is the stable figure on a machine that does other things as well.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, Final

from harness import TARGETS_HEAD, measured, serving, show, target

OURS: Final = "rmjudge"
PEERS: Final = ("openai", "inspect_ai", "litellm")
FLOOR: Final = "aiohttp"
CPU_OF_OPENAI: Final = 0.65
CPU_OF_OTHERS: Final = 0.25
CPU_OF_64: Final = 1.5
LAG_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """So many calls in flight, each answered after so long, and the wall time to stay within."""

    concurrency: int
    latency_s: float
    wall: float
    with_peers: bool = False

    def __str__(self) -> str:
        """Its name in the tables."""
        return f"{self.concurrency:,} x {1000 * self.latency_s:.0f} ms"


SETTINGS: Final = (
    Setting(64, 0.05, 1.18, with_peers=True),
    Setting(256, 0.25, 1.12, with_peers=True),
    Setting(256, 1.0, 1.06),  # a peer would wait as long, and nothing is claimed of it there
    Setting(1000, 1.0, 1.3),
)
Runs = dict[tuple[str, Setting], list[dict[str, Any]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=12_000)
    parser.add_argument("--peer-calls", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-floor", action="store_true", help="without bare aiohttp")
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    asked = parser.parse_args()
    runs: Runs = {}
    for setting in SETTINGS:
        peers = asked.peers if setting.with_peers else []
        floor = [] if asked.no_floor else [FLOOR]
        for _ in range(asked.repeat):
            for name in (OURS, *floor, *peers):
                calls = asked.peer_calls if name in peers else asked.calls
                with serving("--latency", setting.latency_s) as server:
                    found = measured(name, server, calls, setting.concurrency)
                ideal = found["calls"] * setting.latency_s / setting.concurrency
                found["wall"] = found["wall_s"] / ideal
                runs.setdefault((name, setting), []).append(found)
    show(
        ("client", "in flight", "CPU ms a call", "wall / ideal", "worst lag ms", "MiB"),
        [_row(name, setting, found) for (name, setting), found in runs.items()],
    )
    print(
        f"\nMetrics and files, after the last commit: {_afterwards(runs):.3f} CPU ms a call more.\n"
    )
    show(TARGETS_HEAD, _targets(runs, asked.peers))


def _row(name: str, setting: Setting, found: list[dict[str, Any]]) -> list[str]:
    lags = [run["lag_s"] for run in found if "lag_s" in run]
    return [
        name,
        str(setting),
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
    def best(name: str, setting: Setting, what: str) -> float:
        return min(float(run[what]) for run in runs[name, setting])

    rows = [
        target(f"wall / ideal, {setting}", best(OURS, setting, "wall"), setting.wall)
        for setting in SETTINGS
    ]
    for setting in SETTINGS:
        for peer in peers if setting.with_peers else []:
            limit = CPU_OF_OPENAI if peer == "openai" else CPU_OF_OTHERS
            ratio = best(OURS, setting, "cpu_ms") / best(peer, setting, "cpu_ms")
            rows.append(target(f"CPU of {peer}'s, {setting}", ratio, limit))
    most, least = SETTINGS[-1], SETTINGS[0]
    cliff = best(OURS, most, "cpu_ms") / best(OURS, least, "cpu_ms")
    rows.append(target(f"CPU, {most}, of that at {least}", cliff, CPU_OF_64))
    for setting in SETTINGS:
        lag = 1000 * best(OURS, setting, "late_lag_s")
        rows.append(target(f"worst lag in ms after a second, {setting}", lag, LAG_MS))
    return rows


if __name__ == "__main__":
    main()
