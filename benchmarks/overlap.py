"""A hosted judge and a local classifier in one run, against each of them alone.

    pip install -e '.[local]' && python benchmarks/overlap.py [--tuples 24] [--data FOLDER]

The hosted judge waits for its server, the local model computes: run together they should take
little longer than the longer of the two, and the local model must not hold the event loop.
Real texts, a 30 M parameter model with random weights on one thread, a server that takes
`LATENCY_S`; every run in a process of its own, in turns, the best of `REPEAT`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench_setup import DATA, SPECIAL, config, load, train_tokenizer
from clients import worst_lag
from harness import TARGETS_HEAD, environment, serving, show, target

if TYPE_CHECKING:
    from rmjudge.running.job import Job

LATENCY_S: Final = 0.25
CONCURRENCY: Final = 4
REPEAT: Final = 3
LONGER: Final = 1.15
LAG_MS: Final = 50.0
TEMPLATE: Final = (
    "{% for m in messages %}<|user|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save_model(folder: Path, data: Path) -> Path:
    """Save a classifier and its tokenizer as a user's would be."""
    import torch
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen3ForSequenceClassification,
    )

    pad, _user, _assistant, end = SPECIAL
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=train_tokenizer(data), pad_token=pad, eos_token=end
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    Qwen3ForSequenceClassification(config("30m", num_labels=1)).save_pretrained(folder)
    return folder


async def once(folder: Path, data: str, models: list[str]) -> dict[str, float]:
    """One whole run: its wall seconds, and the loop's worst lag until and after all answer.

    Until then torch and transformers are imported and the model is loaded.
    """
    from rmjudge.options import RunOptions
    from rmjudge.running.preparation import prepare
    from rmjudge.session import execute

    options = RunOptions(
        data=(data,), cache_dir=folder / "cache", out=folder / "out", concurrency=CONCURRENCY
    )
    lags: list[float] = []

    @asynccontextmanager
    async def watch(jobs: Sequence[Job]) -> AsyncIterator[None]:
        task = asyncio.create_task(_lags(jobs, lags))
        yield
        task.cancel()
        await task

    prepared = prepare(models, options)
    begun = time.perf_counter()
    run = await execute(prepared, watch=watch)
    wall = time.perf_counter() - begun
    if run.stopped or any(result.calls.failed for result in run.results):
        raise SystemExit(f"not all was scored: {run.stopped}")
    starting, going = (1000 * lag for lag in lags)
    return {"wall_s": wall, "starting_ms": starting, "going_ms": going}


async def _lags(jobs: Sequence[Job], lags: list[float]) -> None:
    starting = asyncio.create_task(worst_lag())
    while not all(job.counts.answered for job in jobs):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    starting.cancel()
    lags.append(max(late for _, late in await starting))
    lags.append(max(late for _, late in await worst_lag()))


def measured(data: Path, models: list[str]) -> dict[str, float]:
    """`once` in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        words = [sys.executable, __file__, "--child", scratch, str(data), *models]
        done = subprocess.run(
            words,
            env={**environment(), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuples", type=int, default=24)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with RM-Bench's files")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving("--latency", LATENCY_S) as server:
        folder = Path(name)
        local = f"hf/{save_model(folder / 'model', asked.data)}"
        data = folder / "chat_filtered.json"
        data.write_text(json.dumps(load(asked.data, asked.tuples)), encoding="utf-8")
        hosted = f"openai/bench@{server.url}"
        kinds = {"hosted": [hosted], "local": [local], "both": [hosted, local]}
        runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
        for _ in range(REPEAT):
            for kind, models in kinds.items():
                runs[kind].append(measured(data, models))
    show(
        ("run", "wall s", "worst lag ms until all answer", "and afterwards"),
        [
            [
                kind,
                " ".join(f"{run['wall_s']:.1f}" for run in found),
                " ".join(f"{run['starting_ms']:.0f}" for run in found),
                " ".join(f"{run['going_ms']:.0f}" for run in found),
            ]
            for kind, found in runs.items()
        ],
    )
    print()
    wall = {kind: min(float(run["wall_s"]) for run in found) for kind, found in runs.items()}
    lag = min(max(float(run["starting_ms"]), float(run["going_ms"])) for run in runs["both"])
    longest, sum_ = max(wall["hosted"], wall["local"]), wall["hosted"] + wall["local"]
    show(
        TARGETS_HEAD,
        [
            target("both together, of the longer alone", wall["both"] / longest, LONGER),
            target("both together, of one after the other", wall["both"] / sum_, 1.0),
            target("both together, worst lag in ms", lag, LAG_MS),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        found = asyncio.run(once(Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        os._exit(0)
    main()
