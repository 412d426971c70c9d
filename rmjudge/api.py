"""The library's front door: `evaluate`, `aevaluate`, `load`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias, TypedDict, Unpack

from rmjudge.calls import Json
from rmjudge.config import check_option
from rmjudge.errors import UsageError
from rmjudge.options import RunOptions
from rmjudge.running.preparation import prepare
from rmjudge.running.signals import draining
from rmjudge.runs.files import find_results, read_result
from rmjudge.scorer import Scorer
from rmjudge.session import Run, Started, Watch, execute
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
    outage: float
    max_cost: float
    max_calls: int
    fallback: str
    offline: bool
    cache_dir: str | Path
    revision: str
    dtype: str
    attention: str
    device: str
    device_map: str
    max_tokens: int
    trust_remote_code: bool
    reward_head: str
    reference: str | Path
    dpo_reduction: str
    engine: str
    allow_unused: str
    template_date: str
    reward_token: str
    prices: Mapping[str, Any]
    progress: bool


def evaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Score a data set with one or several models and return the numbers.

    `models` are `PROVIDER/MODEL[@URL]` or scorers of your own; `data` is `sample`, `rm-bench`, or
    paths. `limit` counts tuples a domain, `rpm` and `tpm` requests and tokens a minute,
    `deadline` seconds an attempt. A run that stops on `max_cost` or `max_calls` raises
    `BudgetReached`. Works in plain code and in a notebook, where an event loop is
    already running. Answers are kept in the cache, so that the same call again buys nothing;
    the run's files go to `out` (default `runs/...`). Accuracies are fractions, None without data.

    Raises:
        UsageError: an argument is wrong; nothing was called. DataError: so is the data.
        StopRun: the run could not go on. What was answered is kept; calling again resumes.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        # A script of its own: Ctrl-C drains the run, as it does on the command line.
        return asyncio.run(_evaluate(models, data, options, draining(_to_stderr)))
    return _in_a_thread(aevaluate(models, data, **options))


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _in_a_thread(work: Coroutine[Any, Any, Run]) -> Run:
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def aevaluate(models: Models, data: Sources = "sample", **options: Unpack[Options]) -> Run:
    """Do what `evaluate` does, as a coroutine. Signals are left to whoever runs the loop."""
    return await _evaluate(models, data, options, None)


async def _evaluate(
    models: Models, data: Sources, options: Options, started: Started | None
) -> Run:
    progress = options.pop("progress", False)
    given: dict[str, Any] = dict(options)
    for name in ("out", "cache_dir", "template"):
        if name in given:
            given[name] = Path(given[name])
    if "reference" in given:
        given["reference"] = str(given["reference"])
    given["domains"] = tuple(given.get("domains", ()))
    if given["domains"]:
        check_option("domains", list(given["domains"]))
    _check(given)
    sources = [data] if isinstance(data, (str, Path)) else data
    prepared = prepare(
        [models] if isinstance(models, (str, Scorer)) else models,
        RunOptions(data=tuple(map(_source, sources)), **given),
    )
    watch: Watch | None = None
    if progress:
        from rich.console import Console

        from rmjudge.render.progress import watcher

        watch = watcher(Console(stderr=True))
    run = await execute(
        prepared,
        watch=watch,
        started=started,
        resume="call rmjudge.evaluate with the same arguments",
    )
    if run.stopped is not None:
        raise run.stopped
    return run


def _check(given: Mapping[str, Any]) -> None:
    """Check what the command line and `rmjudge.toml` check as well."""
    known = Options.__optional_keys__
    for name, value in given.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
            raise UsageError(f"evaluate has no option {name!r}; {hint}")
        if value is not None and name not in ("domains", "out", "cache_dir", "template", "prices"):
            check_option(name, value)


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
