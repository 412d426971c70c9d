"""A rate limit is used, not hit: calls a second reached and refused, `--rpm` at the server's rate.

`python benchmarks/rate.py`. The server refuses whatever exceeds its rate in any sliding second.
"""

from __future__ import annotations

from typing import Final

from harness import TARGETS_HEAD, measured, serving, show, target

RATES: Final = (10, 50, 200)
SECONDS: Final = 20


def main() -> None:
    """Measure and print."""
    rows = []
    for rate in RATES:
        with serving("--latency", 0.05, "--per-second", rate) as server:
            measured("rmjudge", server, rate * SECONDS, 64, rpm=rate * 60)
            stats = server.stats()
        answered = stats["received"] - stats["refused"]
        reached = (answered - 1) / stats["span_s"] / rate
        rows.append(target(f"{rate} calls a second: share reached", reached, 0.95, least=True))
        refused = stats["refused"] / stats["received"]
        rows.append(target(f"{rate} calls a second: share refused", refused, 0.005))
    show(TARGETS_HEAD, rows)


if __name__ == "__main__":
    main()
