"""Reading a vendor's batch results: peak memory and CPU a row, for few rows and for many.

Memory must not grow with the rows: a file is read line by line, and a batch has a bounded number
of calls. Run: `python benchmarks/batches.py [ROWS ...]` (default 5000 50000), each in a process
of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rmjudge.calls import CompareCall
from rmjudge.providers.base import Target
from rmjudge.providers.batching.client import BatchClient
from rmjudge.providers.chat import provider_of
from rmjudge.providers.sending.exchange import Exchange
from rmjudge.providers.sending.policy import Policy
from rmjudge.running.batches.cutting import MOST_CALLS
from rmjudge.running.batches.guard import contradiction
from rmjudge.running.batches.reading import Results

ROW_BYTES = 5000
URL = "http://127.0.0.1:9/v1"


def lines(first: int, rows: int) -> Iterator[bytes]:
    """Result lines of about 5 KB."""
    text = "word " * (ROW_BYTES // 5) + "\\boxed{A>B}"
    message = {"role": "assistant", "content": text}
    body = {
        "model": "judge",
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 900},
    }
    for number in range(first, first + rows):
        reply = {"status_code": 200, "body": body}
        yield json.dumps({"custom_id": f"c{number:032x}", "response": reply}).encode() + b"\n"


def measure(rows: int) -> None:
    """Read so many rows, in batches as a run makes them, and print what it took."""
    exchange = Exchange(URL, headers={}, secret=None, policy=Policy(), network=None)
    client = BatchClient(provider_of("openai")(Target("judge", URL)), exchange, "")
    call = CompareCall("prompt", "first", "second")
    used, answered = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "results.jsonl")
        for first in range(0, rows, MOST_CALLS):
            count = min(MOST_CALLS, rows - first)
            with file.open("wb") as out:
                out.writelines(lines(first, count))
            begun = time.process_time()
            keys = [f"{number:032x}" for number in range(first, first + count)]
            results = Results(client, [file], frozenset(keys), dict.fromkeys(keys, call))
            if against := contradiction(results.counted()):
                raise SystemExit(against)
            answered += sum(found.outcome is not None for found in results)
            used += time.process_time() - begun
    if answered != rows:
        raise SystemExit(f"{answered} of {rows} rows were read")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:>7,} rows: peak {peak:.0f} MiB, {1e6 * used / rows:.0f} µs of CPU a row")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]] or [5000, 50000]
    if len(given) == 1:
        measure(given[0])
    else:
        for rows in given:
            subprocess.run([sys.executable, __file__, str(rows)], check=True)
