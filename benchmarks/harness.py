"""What the benchmarks share: a server, a client in a process of its own, a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Server:
    """A running fast server; `url` is what clients are given."""

    root: str

    @property
    def url(self) -> str:
        """The base address of its API."""
        return f"{self.root}/v1"

    def stats(self) -> dict[str, Any]:
        """What arrived, what was refused, and the seconds between the first and the last."""
        with urllib.request.urlopen(f"{self.root}/stats", timeout=10) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
            return found


@contextmanager
def serving(*options: object) -> Iterator[Server]:
    """Start a fast server with these words on its command line."""
    command = [sys.executable, str(HERE / "fast_server.py"), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101
        try:
            yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


def environment() -> dict[str, str]:
    """This process's variables, with a key for clients that insist on one and no proxies."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("proxy")}
    return {**kept, "OPENAI_API_KEY": "none", "BENCH_API_KEY": "none"}


def measured(
    name: str, server: Server, calls: int, concurrency: int, folder: Path | None = None, **more: Any
) -> dict[str, Any]:
    """Run a client to its end; return what it measured, with ratios by call."""
    with tempfile.TemporaryDirectory() as scratch:
        words: list[object] = [name, server.url, calls, concurrency, folder or scratch]
        for option, value in more.items():
            words += [f"--{option}", value]
        done = subprocess.run(
            [sys.executable, str(HERE / "clients.py"), *map(str, words)],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise SystemExit(f"{name} did not finish:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(lines[-1])
    if found.get("stopped"):
        raise SystemExit(f"{name} stopped: {found['stopped']}")
    return {**found, "cpu_ms": 1000 * found["cpu_s"] / found["calls"]}


def show(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, ["-" * width for width in widths], *rows):
        padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(padded)} |")
    sys.stdout.flush()


def target(what: str, value: float, limit: float, *, least: bool = False) -> list[str]:
    """A row of a table of targets."""
    met = value >= limit if least else value <= limit
    sign = ">=" if least else "<="
    return [what, f"{value:.3f}", f"{sign} {limit:g}", "yes" if met else "NO"]


TARGETS_HEAD: Final = ("what", "measured", "target", "met")
