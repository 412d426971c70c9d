"""One client, one measurement, one process: `python clients.py NAME URL CALLS CONCURRENCY FOLDER`.

Prints JSON: wall and CPU seconds, the calls made, peak memory. The peers make the HTTP call and
nothing else; `rmjudge` does everything that a run does, from reading the data on, with rates,
retries, commits and the live display switched on. Its clocks stop at the last commit, and once
more (`whole_...`) when metrics and files are made. Imports come before the clocks start.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from data import prompts, write_data

OUTPUT_TOKENS: Final = 4096


def cpu_s() -> float:
    """CPU seconds of this process so far, its threads included."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_mib() -> float:
    """The most memory this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Ask = Callable[[str], Awaitable[object]]


async def drive(ask: Ask, calls: int, concurrency: int) -> dict[str, float]:
    """Ask so many questions, so many at a time."""
    questions = iter(list(prompts(calls)))

    async def work(questions: Iterator[str]) -> None:
        for question in questions:
            await ask(question)

    cpu, begun = cpu_s(), time.perf_counter()
    await asyncio.gather(*(work(questions) for _ in range(concurrency)))
    return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu_s() - cpu, "calls": calls}


def openai_sdk(url: str, _concurrency: int) -> Ask:
    """The bare `openai` SDK, as its documentation shows it."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none")

    async def ask(question: str) -> object:
        return await client.chat.completions.create(
            model="bench",
            messages=[{"role": "user", "content": question}],
            max_tokens=OUTPUT_TOKENS,
            temperature=0,
        )

    return ask


def inspect(url: str, concurrency: int) -> Ask:
    """inspect_ai's `generate`."""
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(
        max_connections=concurrency, max_tokens=OUTPUT_TOKENS, temperature=0, max_retries=2
    )
    model = get_model("openai-api/bench/bench", base_url=url, api_key="none", config=config)

    async def ask(question: str) -> object:
        return await model.generate(question)

    return ask


def litellm(url: str, _concurrency: int) -> Ask:
    """Litellm's `acompletion`."""
    import litellm

    async def ask(question: str) -> object:
        return await litellm.acompletion(
            model="openai/bench",
            api_base=url,
            api_key="none",
            messages=[{"role": "user", "content": question}],
            max_tokens=OUTPUT_TOKENS,
            temperature=0,
        )

    return ask


def bare_aiohttp(url: str, _concurrency: int) -> Ask:
    """Aiohttp alone: what the fastest client of Python takes."""
    import aiohttp

    sessions: list[aiohttp.ClientSession] = []

    async def ask(question: str) -> object:
        if not sessions:
            connector = aiohttp.TCPConnector(limit=0)
            sessions.append(aiohttp.ClientSession(connector=connector))
        body = {"model": "bench", "messages": [{"role": "user", "content": question}]}
        async with sessions[0].post(f"{url}/chat/completions", json=body) as reply:
            return await reply.json()

    return ask


PEERS: Final[dict[str, Callable[[str, int], Ask]]] = {
    "openai": openai_sdk,
    "inspect_ai": inspect,
    "litellm": litellm,
    "aiohttp": bare_aiohttp,
}


async def rmjudge(  # noqa: PLR0917
    url: str, calls: int, concurrency: int, folder: Path, rpm: float, deadline: float
) -> dict[str, Any]:
    """A whole run: plan, keys, cache, rates, retries, HTTP, parse, durable commit, progress."""
    from rich.console import Console

    import rmjudge.providers.sending.sender  # noqa: F401 - as the peers' imports
    from rmjudge.options import RunOptions
    from rmjudge.render.progress import watcher
    from rmjudge.running.preparation import prepare
    from rmjudge.session import execute

    data = write_data(folder, calls)
    options = RunOptions(
        data=(str(data),),
        cache_dir=folder / "cache",
        out=folder / "out",
        concurrency=concurrency or None,
        deadline=deadline,
        rpm=rpm,
        tpm=10**10,
    )
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    cpu, begun = cpu_s(), time.perf_counter()
    prepared = prepare([f"openai/bench@{url}"], options)
    planned_mib = peak_mib()
    lag = asyncio.create_task(worst_lag())
    asked: dict[str, float] = {}

    @asynccontextmanager
    async def watch(jobs: Sequence[Any]) -> AsyncIterator[None]:
        async with watcher(console)(jobs):
            yield
        lag.cancel()
        asked["wall_s"] = time.perf_counter() - begun
        asked["cpu_s"] = cpu_s() - cpu
        asked["answered_mib"] = peak_mib()

    run = await execute(prepared, watch=watch)
    counts = run.results[0].calls
    return {
        **asked,  # to the last commit; what follows are metrics and files
        "whole_wall_s": time.perf_counter() - begun,
        "whole_cpu_s": cpu_s() - cpu,
        "calls": counts.planned,
        "failed": counts.failed + counts.unscored,
        "retried": counts.retried,
        "lag_s": max(late for _, late in await lag),
        "late_lag_s": max(late for at, late in await lag if at > 1.0),
        "planned_mib": planned_mib,
        "stopped": str(run.stopped or ""),
    }


async def worst_lag() -> list[tuple[float, float]]:
    """When, in seconds from now, the event loop was how late, until cancelled."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    late = [(0.0, 0.0), (float("inf"), 0.0)]
    try:
        while True:
            due = loop.time() + 0.005
            await asyncio.sleep(0.005)
            late.append((due - begun, loop.time() - due))
    except asyncio.CancelledError:
        return late


async def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["rmjudge", *PEERS])
    parser.add_argument("url")
    parser.add_argument("calls", type=int)
    parser.add_argument("concurrency", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rpm", type=float, default=600_000.0)  # on, and never in the way
    parser.add_argument("--deadline", type=float, default=600.0)
    asked = parser.parse_args()
    if asked.name == "rmjudge":
        found = await rmjudge(
            asked.url, asked.calls, asked.concurrency, asked.folder, asked.rpm, asked.deadline
        )
    else:
        ask = PEERS[asked.name](asked.url, asked.concurrency)
        found = await drive(ask, asked.calls, asked.concurrency)
    sys.stdout.write(json.dumps({**found, "peak_mib": peak_mib()}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some peers wait for threads, or complain of what they left open


if __name__ == "__main__":
    asyncio.run(main())
