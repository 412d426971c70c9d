"""A prepared run executed and kept as files. The command line and Python share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rmjudge.cache import AnswerCache
from rmjudge.cache.keys import scorer_key
from rmjudge.errors import ModelRefused, StopRun
from rmjudge.render.notebook import run_html
from rmjudge.render.telling import told_in
from rmjudge.running.batches.limits import Limits
from rmjudge.running.batches.whole_run import Batches
from rmjudge.running.budget import Budget
from rmjudge.running.fallback import Relief, left_by, needs_fallback
from rmjudge.running.folder import parts_of, write_run
from rmjudge.running.items import ItemJob, items_result
from rmjudge.running.job import Job
from rmjudge.running.orchestrator import Orchestrator
from rmjudge.running.paces import keep_paces, read_paces
from rmjudge.running.preparation import Prepared, job_for
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.checks import Check, checks_of, checks_of_items, exit_code_of
from rmjudge.runs.files import write_decision
from rmjudge.runs.items import ItemResult
from rmjudge.runs.results import ScorerResult
from rmjudge.runs.underway import clear_underway
from rmjudge.runs.writing import append_report, write_report
from rmjudge.scorer import KnownPace, Scorer
from rmjudge.statistics.sequential import Decision

if TYPE_CHECKING:
    from pandas import DataFrame

    from rmjudge.runs.frames import Level

Watch: TypeAlias = Callable[[Sequence[Job]], AbstractAsyncContextManager[object]]
Started: TypeAlias = Callable[[Orchestrator], AbstractAsyncContextManager[object]]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished or stopped run: one result per scorer, and where their files lie.

    `places` are the folders of the results, where they are not all below `folder`. `decision` is
    that of a run that stops once it is decided which scorer is better. `checks` are what was asked
    of the results (`allow_unscored`, `fail_under`).
    """

    results: tuple[ScorerResult, ...]
    folder: Path
    stopped: StopRun | None = None
    places: tuple[Path, ...] = ()
    decision: Decision | None = None
    items: tuple[ItemResult, ...] = ()
    """The results on other sets than RM-Bench, scorer by scorer, set by set."""
    checks: tuple[Check, ...] = ()

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
        """0 as asked, 1 too many cells without a score, 4 under the least, 3 or 130 stopped."""
        if self.stopped is not None:
            return self.stopped.exit_code
        return exit_code_of(self.checks or [*checks_of(self.results), *checks_of_items(self.items)])

    def to_dataframe(self, level: Level = "tuples") -> DataFrame:
        """The run as a pandas data frame: a row for each of its `tuples`, `cells` or `calls`.

        Credits and accuracies are fractions; None says "no data". `calls` are read from the
        cache, with tokens and the judge's words.

        Raises:
            UsageError: pandas is not installed, or the texts or the cache are not found.
        """
        from rmjudge.runs.frames import frame_of

        return frame_of(self.results, self.places or (self.folder,), level)

    def __rich__(self) -> object:
        """The tables of `rmjudge report`."""
        from rmjudge.render.commands.report import report_renderable

        if self.items:
            from rmjudge.render.commands.benchmarks import report_of

            return report_of(self.results, self.items)
        return report_renderable(self.results)

    def _repr_html_(self) -> str:
        """The accuracy table and the matrices, for a notebook."""
        return run_html(self.results)


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
        ModelRefused: no model of the run can be used, and none has an answer; no file is written.
        StorageStopped: the cache or the results folder cannot be used.
    """
    try:
        return await _execute(prepared, told_in(prepared.out, watch), started, resume)
    finally:
        clear_underway(prepared.out)


async def _execute(prepared: Prepared, watch: Watch, started: Started | None, resume: str) -> Run:
    begun = time.monotonic()
    options = prepared.options
    # Opened on a thread: another process may hold the lock, and Ctrl-C must work meanwhile.
    with await asyncio.to_thread(AnswerCache, prepared.cache_folder) as cache:
        _remember(prepared.cache_folder, prepared.jobs or prepared.rounds[0])
        budget = Budget(options.max_cost, options.max_calls, options.max_cost_total)
        limits = Limits(budget, options.detach, options.batch_tokens)
        batches = Batches(cache, limits, wanted=options.batch)
        orchestrator = Orchestrator(cache, budget=budget, batches=batches)
        async with started(orchestrator) if started else nullcontext():
            several = bool(prepared.rounds)
            if prepared.jobs:
                async with watch(prepared.jobs):
                    await orchestrator.run(prepared.jobs, keep_open=several)
            relief = _relief(prepared) if orchestrator.going else None
            if relief is not None:
                async with watch([relief.job]):
                    await orchestrator.run([relief.job])
            jobs = [*prepared.jobs, *([relief.job] if relief else [])]
            _note_damage(cache, jobs)
            parts = parts_of(prepared.jobs, relief)  # before the scorers count for other sets
            items = await _run_rounds(prepared, orchestrator, cache, watch) if several else []
        every: list[Job] = [*jobs, *(job for jobs_of_set in prepared.rounds for job in jobs_of_set)]
        keep_paces(prepared.cache_folder, _found(every))
    if refusal := _all_refused(every):
        raise refusal
    results = tuple(part.result for part in parts)
    decision = prepared.deciding.decision if prepared.deciding else None
    found = tuple(result for result, _ in items)
    checks = (
        *checks_of(results, options.allow_unscored, options.fail_under),
        *checks_of_items(found, options.allow_unscored),
    )
    stop = _worst_stop(every, relief)
    run = Run(results, prepared.out, stop, decision=decision, checks=checks, items=found)
    if isinstance(run.stopped, ModelRefused):
        resume = ""  # it would be refused again
    write_run(prepared, parts, items, time.monotonic() - begun, resume)
    write_decision(prepared.out, decision.to_json() if decision else None)
    _write_checks(prepared, run, time.monotonic() - begun)
    return run


async def _run_rounds(
    prepared: Prepared, orchestrator: Orchestrator, cache: AnswerCache, watch: Watch
) -> list[tuple[ItemResult, ItemJob]]:
    """Score the other sets, one after the other, with the scorers of the run; then close these.

    A set after another finds the answers to the texts that both have in the cache.
    """
    found: list[tuple[ItemResult, ItemJob]] = []
    try:
        for jobs in prepared.rounds:
            for job in jobs:
                job.begin()
            async with watch(jobs):
                await orchestrator.run(jobs, keep_open=True)
            _note_damage(cache, jobs)
            found += [(items_result(job), job) for job in jobs]
    finally:
        scorers = {id(job.scorer): job.scorer for jobs in prepared.rounds for job in jobs}
        await asyncio.gather(*(scorer.aclose() for scorer in scorers.values()))
    return found


def _note_damage(cache: AnswerCache, jobs: Sequence[Job]) -> None:
    for job in jobs:
        if damaged := cache.damaged_of(scorer_key(job.scorer.identity)):
            job.notes.append(f"{damaged} damaged rows in the cache were bought again")


def _endpoint(scorer: Scorer) -> str:
    return f"{scorer.name}@{scorer.identity.get('url')}"


def _remember(folder: Path, jobs: Sequence[Job]) -> None:
    """Tell each scorer how many calls at once its endpoint took before."""
    known = read_paces(folder)
    for job in jobs:
        job.scorer.activity.known_pace = known.get(_endpoint(job.scorer))


def _found(jobs: Sequence[Job]) -> dict[str, KnownPace]:
    """What the endpoints of this run take, as far as any was asked."""
    flows = [(_endpoint(job.scorer), job.scorer.activity.flow) for job in jobs]
    return {name: found for name, flow in flows if flow and (found := flow.found())}


def _relief(prepared: Prepared) -> Relief | None:
    """The fallback's part: whole tuples that a hosted model left."""
    left = left_by(prepared.jobs) if prepared.fallback is not None else ()
    if prepared.fallback is None or not left:
        return None
    tuples = [prepared.data.tuples[index] for index in left]
    job = job_for(prepared.fallback, tuples, prepared.options)
    return Relief(job, left, len(prepared.data))


def _all_refused(jobs: Sequence[Job]) -> ModelRefused | None:
    """The first refusal, where every scorer was refused and there is nothing to keep or show."""
    refusals = [job.stopped for job in jobs if isinstance(job.stopped, ModelRefused)]
    answered = any(job.counts.answered or job.counts.from_cache for job in jobs)
    return refusals[0] if len(refusals) == len(jobs) and not answered else None


def _worst_stop(jobs: Sequence[Job], relief: Relief | None) -> StopRun | None:
    """Why the run has to be resumed; not because of a job whose tuples the fallback scored."""
    relieved = relief is not None and relief.complete
    reasons = [
        job.stopped
        for job in jobs
        if job.stopped is not None
        and not (relieved and isinstance(job, TupleJob) and needs_fallback(job))
    ]
    return max(reasons, key=lambda reason: reason.exit_code, default=None)


def _write_checks(prepared: Prepared, run: Run, wall_s: float) -> None:
    """Write the files that `junit` and `append` name."""
    if prepared.options.junit is None and prepared.options.append is None:
        return
    from rmjudge.render.commands.run_checks import to_junit, to_lines

    options, started = prepared.options, time.time() - wall_s
    if options.junit is not None:
        junit = to_junit(run.results, run.checks, wall_s=wall_s, started=started)
        write_report(options.junit, junit)
    if options.append is not None:
        lines = to_lines(
            run.results,
            data=prepared.data.label,
            started=started,
            exit_code=run.exit_code,
            folder=str(run.folder),
        )
        append_report(options.append, lines)
