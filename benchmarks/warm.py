"""A run whose 12,000 answers are all in the cache, against what no such run can do without.

`python benchmarks/warm.py`. The floor: read and validate the data set, decide which calls there
are, compute every key, read the cache in one scan, parse every row. CPU seconds, of the same
process in turns; the ratio is the median of `REPEAT` rounds, each against its own floor.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from data import write_data
from harness import TARGETS_HEAD, environment, show, target

from rmjudge.cache import AnswerCache
from rmjudge.cache.keys import call_key
from rmjudge.cache.queries import scan
from rmjudge.cache.rows import decode
from rmjudge.calls import Reply, Usage, Verdict
from rmjudge.dataset import load
from rmjudge.options import RunOptions
from rmjudge.planning.plan import plan_data
from rmjudge.running.preparation import Prepared, prepare
from rmjudge.session import execute
from rmjudge.store import key_fields

CALLS: Final = 12_000
REPEAT: Final = 9
RAW: Final = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1763800000,"model":"bench",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"%s\\n\\n\\\\boxed{A>B}",'
    '"refusal":null},"logprobs":null,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":900,"completion_tokens":60,"total_tokens":960}}'
) % ("Both answers were compared on correctness, care and clarity of reasoning. " * 4)


def timed(work: Callable[[], object]) -> float:
    """CPU seconds, threads included."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def fill(prepared: Prepared) -> None:
    """Put an answer to every call into the cache."""
    (job,) = prepared.jobs
    reply = Reply(Verdict(1.0), RAW, job.scorer.parser, Usage(900, 60), "bench")

    async def commit() -> None:
        with AnswerCache(prepared.cache_folder) as cache:
            key = await cache.register(job.scorer.identity)
            await cache.commit(key, [(work.key, reply) for work in job.work.values()])

    asyncio.run(commit())


def main() -> None:
    """Measure and print."""
    environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = str(write_data(folder, CALLS))
        options = RunOptions(data=(data,), cache_dir=folder / "cache", out=folder / "out")

        def prepared() -> Prepared:
            return prepare(["openai/bench@http://127.0.0.1:9/v1"], options, need_keys=False)

        def rerun() -> None:
            run = asyncio.run(execute(prepared()))
            if run.results[0].calls.from_cache < CALLS:
                raise SystemExit(f"not all in the cache: {run.results[0].calls}")

        def keys() -> list[str]:
            plans = plan_data(load(options.data), "pairwise", "seeded", 0)
            return [call_key(key_fields(call)) for plan in plans for call in plan.calls]

        steps: dict[str, Callable[[], object]] = {
            "read and validate": lambda: load(options.data),
            "that, plan, keys": keys,
            "scan": lambda: list(scan(folder / "cache", "a:")),
            "scan, parse": lambda: [decode(text) for _, text, _ in scan(folder / "cache", "a:")],
            "the whole run": rerun,
        }
        fill(prepared())
        rerun()  # imports numpy
        rounds = [{what: timed(work) for what, work in steps.items()} for _ in range(REPEAT)]
    times = {what: min(one[what] for one in rounds) for what in steps}
    show(("step", "CPU s"), [[what, f"{spent:.3f}"] for what, spent in times.items()])
    print()
    ratio = statistics.median(
        one["the whole run"] / (one["that, plan, keys"] + one["scan, parse"]) for one in rounds
    )
    floor = times["that, plan, keys"] + times["scan, parse"]
    show(TARGETS_HEAD, [target(f"warm run of its floor ({floor:.3f} s)", ratio, 2.0)])


if __name__ == "__main__":
    main()
