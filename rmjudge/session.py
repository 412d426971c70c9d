"""A run from options to files: prepare, execute, keep. The command line and Python share it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rmjudge.assembly import result_of
from rmjudge.cache import AnswerCache, default_folder
from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Call, Json
from rmjudge.dataset import DataSet, load
from rmjudge.errors import DataError, StopRun
from rmjudge.job import Job
from rmjudge.options import RunOptions
from rmjudge.orchestrator import Orchestrator
from rmjudge.plan import plan_data
from rmjudge.providers.registry import (
    sends_in_clear,
)
from rmjudge.results import ScorerResult
from rmjudge.runfiles import clear_for_several, folders_for, slug, write_result
from rmjudge.scorer import Scorer
from rmjudge.scorers import Chosen, choose
from rmjudge.store import key_fields
from rmjudge.version import __version__

Notice: TypeAlias = Callable[[str], None]
Watch: TypeAlias = Callable[[Sequence[Job]], AbstractAsyncContextManager[object]]
Started: TypeAlias = Callable[[Orchestrator], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has been checked and planned; nothing was sent yet."""

    options: RunOptions
    data: DataSet
    jobs: tuple[Job, ...]
    out: Path

    @property
    def cache_folder(self) -> Path:
        """Where answers are kept."""
        return self.options.cache_dir or default_folder()


@dataclass(frozen=True, slots=True)
class Run:
    """A finished or stopped run: one result per scorer, and where their files lie."""

    results: tuple[ScorerResult, ...]
    folder: Path
    stopped: StopRun | None = None

    def __iter__(self) -> Iterator[ScorerResult]:
        """The results, in the order of the scorers."""
        return iter(self.results)

    def __len__(self) -> int:
        """How many scorers there are."""
        return len(self.results)

    def __getitem__(self, scorer: str) -> ScorerResult:
        """The result of a scorer by its name.

        Raises:
            KeyError: the run has no such scorer.
        """
        for result in self.results:
            if result.metrics.scorer == scorer:
                return result
        raise KeyError(scorer)

    @property
    def exit_code(self) -> int:
        """0 all scored, 1 some calls could not be scored, 3 or 130 stopped."""
        if self.stopped is not None:
            return self.stopped.exit_code
        return int(any(result.metrics.unscored_cells for result in self.results))

    def __rich__(self) -> object:
        """The tables of `rmjudge report`."""
        from rmjudge.render.tables import report_renderable  # noqa: PLC0415 - only when shown

        return report_renderable(self.results)


def prepare(
    models: Sequence[str | Scorer],
    options: RunOptions,
    notice: Notice | None = None,
    *,
    need_keys: bool = True,
) -> Prepared:
    """Check everything that can be wrong, and plan. Keys are needed unless nothing is called.

    Raises:
        UsageError: something is; nothing was called.
    """
    tell = notice or (lambda _line: None)
    chosen = choose(models, options, need_keys=need_keys)
    scorers = [item.scorer for item in chosen]
    data = load(options.data, notice=tell).select(options.domains, options.limit)
    if not len(data):
        raise DataError(["no tuple is left: the data has none of the domains asked for"])
    for scorer in scorers:
        url = str(scorer.identity.get("url", ""))
        if sends_in_clear(url):
            tell(
                f"warning: {scorer.name} is reached over plain http ({url}): "
                "texts and keys cross the network unencrypted"
            )
    return Prepared(
        options=options,
        data=data,
        jobs=tuple(_job(item, data, options) for item in chosen),
        out=options.out or Path("runs") / _folder_name(scorers, data, options),
    )


def _job(chosen: Chosen, data: DataSet, options: RunOptions) -> Job:
    scorer = chosen.scorer
    plans = plan_data(
        data,
        scorer.method,
        options.order,
        options.seed,
        votes=scorer.votes,
        lead_characters=scorer.lead_characters,
    )
    return Job(scorer, plans, _key_of, chosen.price)


def _key_of(call: Call) -> str:
    return call_key(key_fields(call))


def _folder_name(scorers: Sequence[Scorer], data: DataSet, options: RunOptions) -> str:
    who = slug(scorers[0].name) if len(scorers) == 1 else f"{len(scorers)}-scorers"
    what: dict[str, Json] = {
        "scorers": [scorer_key(scorer.identity) for scorer in scorers],
        "data": data.digest,
        **_asking(scorers, options),
        "votes": [scorer.votes for scorer in scorers],
    }
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
    return f"{who}-{slug(data.label)}-{digest}"


def _asking(scorers: Sequence[Scorer], options: RunOptions) -> dict[str, Json]:
    """The order in which judges are asked; rewards have none."""
    if all(scorer.method == "pointwise" for scorer in scorers):
        return {}
    return {"order": options.order, "seed": options.seed}


async def execute(
    prepared: Prepared,
    *,
    watch: Watch | None = None,
    started: Started | None = None,
    resume: str = "",
) -> Run:
    """Score, then write the files, complete or not.

    `watch` shows progress; `started` is given the orchestrator, to stop it on a signal;
    `resume` is the command that goes on with the run.

    Raises:
        StorageStopped: the cache or the results folder cannot be used.
    """
    begun = time.monotonic()
    # Opened on a thread: another process may hold the lock, and Ctrl-C must work meanwhile.
    with await asyncio.to_thread(AnswerCache, prepared.cache_folder) as cache:
        orchestrator = Orchestrator(cache)
        async with (
            started(orchestrator) if started else nullcontext(),
            watch(prepared.jobs) if watch else nullcontext(),
        ):
            await orchestrator.run(prepared.jobs)
        for job in prepared.jobs:
            if damaged := cache.damaged_of(scorer_key(job.scorer.identity)):
                job.notes.append(f"{damaged} damaged rows in the cache were bought again")
    run = Run(
        results=tuple(map(result_of, prepared.jobs)),
        folder=prepared.out,
        stopped=_worst_stop(prepared.jobs),
    )
    _write(prepared, run, time.monotonic() - begun, resume)
    return run


def _worst_stop(jobs: Sequence[Job]) -> StopRun | None:
    reasons = [job.stopped for job in jobs if job.stopped is not None]
    return max(reasons, key=lambda reason: reason.exit_code, default=None)


def _write(prepared: Prepared, run: Run, wall_s: float, resume: str) -> None:
    folders = folders_for(run.folder, [result.metrics.scorer for result in run.results])
    if len(folders) > 1:
        clear_for_several(run.folder)
    data = prepared.data
    about: dict[str, Json] = {
        "options": prepared.options.recorded(),
        "versions": {"rmjudge": __version__, "python": platform.python_version()},
        "data": {"label": data.label, "digest": data.digest, "tuples": len(data)},
        "cache": str(prepared.cache_folder.absolute()),
        "started": round(time.time() - wall_s, 3),
        "wall_s": round(wall_s, 3),
        "resume": resume,
    }
    rows = zip(folders, prepared.jobs, run.results, strict=True)
    for index, (folder, job, result) in enumerate(rows):
        own: dict[str, Json] = {
            "index": index,
            "identity": dict(job.scorer.identity),
            "votes": job.scorer.votes,
        }
        write_result(folder, result, {**own, **about})
