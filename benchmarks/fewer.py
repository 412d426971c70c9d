"""The same judge on the same texts, asked in full and asked less: calls, estimates, intervals.

    python benchmarks/fewer.py [--data FOLDER]    # chat and safety files of RM-Bench

A judge of known behaviour is served over HTTP: it likes right answers, long ones and the response
shown first, each by a fixed amount, and the rest is a hash of the two texts. Its true accuracy on
these texts in the seeded order is computed here, without the product. Each design starts with an
empty cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from harness import show

from rmjudge.dataset import DataSet, load
from rmjudge.planning.ordering import chosen_first
from rmjudge.vocabulary import CELLS

FILES: Final = (
    "chat_filtered.json",
    "safety-refuse_filtered.json",
)
SHARED: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "rm-bench"
TEMPLATE: Final = "<<Q>>{{ prompt }}<<A>>{{ response_a }}<<B>>{{ response_b }}<<END>>"
RIGHT, LENGTH, FIRST, TUPLE, NOISE = 0.9, 0.35, 0.2, 0.9, 0.9
"""What the judge likes, and how much chance there is in a tuple and in a pair."""
DESIGNS: Final = (
    ("all nine cells", ()),
    ("--cells 3", ("--cells", "3")),
    ("--order audit", ("--order", "audit")),
    ("--until ±4", ("--until", "±4")),
    ("--cells 3 --until ±4", ("--cells", "3", "--until", "±4")),
)


def normal(*words: str) -> float:
    """A standard normal number that the words decide (sum of twelve uniforms)."""
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()
    return sum(int.from_bytes(digest[k : k + 2], "big") / 65536 for k in range(0, 24, 2)) - 6


class Judge:
    """Says which of two texts is better; knows which are right."""

    def __init__(self, data: DataSet) -> None:
        self._chosen = {(item.prompt, text) for item in data for text in item.chosen}

    def prefers_first(self, prompt: str, first: str, second: str) -> bool:
        """Its verdict."""
        right = ((prompt, first) in self._chosen) - ((prompt, second) in self._chosen)
        longer = math.log2(max(len(first), 1) / max(len(second), 1))
        luck = right * TUPLE * normal(prompt)
        pair = normal(prompt, *sorted((first, second))) * (1 if first < second else -1)
        return RIGHT * right + LENGTH * longer + FIRST + luck + NOISE * pair > 0


@contextmanager
def serving(judge: Judge) -> Iterator[tuple[str, list[int]]]:
    """Chat completions by this judge: the base URL, and the calls received so far."""
    received = [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # a reply is one packet
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked: str = body["messages"][-1]["content"]
            prompt, rest = asked.partition("<<Q>>")[2].split("<<A>>", 1)
            first, second = rest.rpartition("<<END>>")[0].split("<<B>>", 1)
            verdict = "[[A]]" if judge.prefers_first(prompt, first, second) else "[[B]]"
            received[0] += 1
            message = {"role": "assistant", "content": verdict}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            reply = json.dumps({"model": "judge", "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", received
    finally:
        server.shutdown()


def truth(data: DataSet, judge: Judge) -> dict[str, float]:
    """The judge's accuracy in the seeded order and its swap rate, computed by itself."""
    won: dict[str, dict[tuple[int, int], list[bool]]] = {}
    survived = []
    for item in data:
        pairs: dict[frozenset[str], tuple[int, int]] = {}
        for i, j in CELLS:
            pairs.setdefault(frozenset((item.chosen[i], item.rejected[j])), (i, j))
        flags = chosen_first(item, tuple(pairs.values()), 0)
        for i, j in CELLS:
            one, other = item.chosen[i], item.rejected[j]
            leader = pairs[frozenset((one, other))]
            ahead = judge.prefers_first(item.prompt, one, other)
            behind = not judge.prefers_first(item.prompt, other, one)
            right = ahead if flags[leader] else behind
            won.setdefault(item.domain, {}).setdefault((i, j), []).append(right)
            survived.append(ahead == behind)
    means = [{cell: sum(x) / len(x) for cell, x in cells.items()} for cells in won.values()]
    hard = [sum(cells[cell] for cell in ((0, 1), (0, 2), (1, 2))) / 3 for cells in means]
    average = [sum(cells.values()) / 9 for cells in means]
    return {
        "average": sum(average) / len(average),
        "hard": sum(hard) / len(hard),
        "swap": sum(survived) / len(survived),
    }


def run(url: str, files: Sequence[Path], words: Sequence[str], folder: Path) -> dict[str, Any]:
    """One `rmjudge run`, as a process of its own."""
    (folder / "question.txt").write_text(TEMPLATE, "utf-8")
    command = [sys.executable, "-m", "rmjudge", "run", f"openai/judge@{url}", "--quiet"]
    for file in files:
        command += ["--data", str(file)]
    command += ["--template", "question.txt", "--verdict", "brackets", "--cache-dir", "cache"]
    command += ["--out", "o", "--concurrency", "16", *words]
    environment = {**os.environ, "OPENAI_API_KEY": "none", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads((folder / "o/metrics.json").read_text("utf-8"))
    return found


def _with_ends(value: float, ends: dict[str, float] | None) -> str:
    if ends is None:
        return f"{100 * value:.1f}"
    return f"{100 * value:.1f} ({100 * ends['low']:.1f}-{100 * ends['high']:.1f})"


def main() -> None:
    """Ask in every way and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    folder: Path = parser.parse_args().data
    files = [folder / name for name in FILES]
    if not all(file.is_file() for file in files):
        print(f"skipped: {folder} does not hold {', '.join(FILES)}")
        return
    data = load(list(map(str, files)))
    judge = Judge(data)
    true = truth(data, judge)
    rows = [["(truth)", "", "", *(f"{100 * true[k]:.1f}" for k in ("average", "hard", "swap"))]]
    with serving(judge) as (url, received):
        for name, words in DESIGNS:
            before = received[0]
            with tempfile.TemporaryDirectory() as scratch:
                found = run(url, files, words, Path(scratch))
            position, ends = found["position"], found["intervals"]
            swap = position["swap_consistency"]
            swaps = _with_ends(swap, position["swap_consistency_interval"]) if swap else "-"
            rows.append(
                [
                    name,
                    f"{received[0] - before:,}",
                    f"{found['tuples']}",
                    _with_ends(found["average"], ends["average"]),
                    _with_ends(found["hard"], ends["hard"]),
                    swaps,
                ]
            )
            print(f"{name}: done", rows[-1][1:], file=sys.stderr, flush=True)
    show(("design", "calls", "tuples", "average", "Hard", "survives swap"), rows)


if __name__ == "__main__":
    main()
