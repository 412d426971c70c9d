"""How long commands take to start, against `python -c "import rich.table"`.

`python benchmarks/startup.py`. CPU and wall seconds of whole processes, in turns; a ratio is the
median of `REPEAT` rounds, each against the import of its own round.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from harness import TARGETS_HEAD, show, target

REPEAT: Final = 25
RMJUDGE: Final = str(Path(sys.executable).with_name("rmjudge"))


def once(words: list[str], folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of a process."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _ratio(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    return median(ours[0] / theirs[0] for ours, theirs in zip(one, other, strict=True))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name
        run = [RMJUDGE, "run", "baseline/length", "--data", "sample", "--out", "o"]
        subprocess.run(run, cwd=folder, check=True, capture_output=True)
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "import rich.table": [sys.executable, "-c", "import rich.table"],
            "rmjudge --help": [RMJUDGE, "--help"],
            "rmjudge report": [RMJUDGE, "report", "o"],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(REPEAT):
            for what, words in commands.items():
                times[what].append(once(words, folder))
    cpu = {what: 1000 * median(cpu for cpu, _ in found) for what, found in times.items()}
    wall = {what: 1000 * median(wall for _, wall in found) for what, found in times.items()}
    show(
        ("command", "CPU ms", "wall ms"),
        [[what, f"{cpu[what]:.0f}", f"{wall[what]:.0f}"] for what in commands],
    )
    print()
    rich = "import rich.table"
    show(
        TARGETS_HEAD,
        [
            target(f"{what}, CPU against {rich}", _ratio(times[what], times[rich]), limit)
            for what, limit in (("rmjudge --help", 1.5), ("rmjudge report", 3.0))
        ],
    )


if __name__ == "__main__":
    main()
