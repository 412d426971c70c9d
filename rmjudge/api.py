"""The library's front door: `evaluate`, `aevaluate`, `load`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

from rmjudge.calls import Json
from rmjudge.config import check_option
from rmjudge.options import RunOptions
from rmjudge.runfiles import find_results, read_result
from rmjudge.scorer import Scorer
from rmjudge.session import Run, Watch, execute, prepare
from rmjudge.vocabulary import Domain, Order

Models: TypeAlias = str | Scorer | Sequence[str | Scorer]
Sources: TypeAlias = str | Path | Sequence[str | Path]


class Options(TypedDict, total=False):
    """Keyword arguments of `evaluate`; they mean what the options of `rmjudge run` mean."""

    out: str | Path
    method: str
    order: Order
    votes: int
    template: str | Path
    seed: int
    domains: Sequence[Domain]
    limit: int
    base_url: str
    params: Mapping[str, Json]
    concurrency: int
    rpm: float
    tpm: float
    deadline: float
    cache_dir: str | Path
    prices: Mapping[str, Any]
    progress: bool


def evaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Score a data set with one or several models and return the numbers.

    Works in plain code and in a notebook, where an event loop is already running. Answers are
    kept in the cache, so that the same call again buys nothing; the run's files go to `out`
    (default `runs/...`).

    Raises:
        UsageError: an argument or the data is wrong; nothing was called.
        StopRun: the run could not go on. What was answered is kept; calling again resumes.
    """
    work = aevaluate(models, data, **options)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _in_a_thread(work)


def _in_a_thread(work: Coroutine[Any, Any, Run]) -> Run:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def aevaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Do what `evaluate` does, as a coroutine."""
    progress = options.pop("progress", False)
    given: dict[str, Any] = dict(options)
    for name in ("out", "cache_dir", "template"):
        if name in given:
            given[name] = Path(given[name])
    given["domains"] = tuple(given.get("domains", ()))
    if given["domains"]:
        check_option("domains", list(given["domains"]))
    for name in ("order", "seed", "limit", "concurrency", "rpm", "tpm", "deadline"):
        if given.get(name) is not None:
            check_option(name, given[name])
    sources = [data] if isinstance(data, (str, Path)) else data
    prepared = prepare(
        [models] if isinstance(models, (str, Scorer)) else models,
        RunOptions(data=tuple(map(_source, sources)), **given),
    )
    watch: Watch | None = None
    if progress:
        from rich.console import Console  # noqa: PLC0415 - only when shown

        from rmjudge.progress import watcher  # noqa: PLC0415

        watch = watcher(Console(stderr=True), prepared.prices)
    run = await execute(
        prepared, watch=watch, resume="call rmjudge.evaluate with the same arguments"
    )
    if run.stopped is not None:
        raise run.stopped
    return run


def _source(source: str | Path) -> str:
    # A Path is always a path, even one that is called like a source of ours.
    return source if isinstance(source, str) else str(source.absolute())


def load(*folders: str | Path) -> Run:
    """Read finished runs back; several folders become one `Run` with all their scorers.

    Raises:
        UsageError: a folder holds no run.
    """
    if not folders:
        raise TypeError("load takes at least one folder")
    found = [path for folder in folders for path in find_results(Path(folder))]
    return Run(tuple(map(read_result, found)), Path(folders[0]))
