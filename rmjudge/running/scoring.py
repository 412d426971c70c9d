"""A prompt and responses of the user's own, scored: checked, asked and kept like a run's calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.cache import AnswerCache, default_folder
from rmjudge.errors import ModelRefused, StopRun, UsageError
from rmjudge.options import RunOptions
from rmjudge.planning.texts import Comparison, TextsPlan, plan_texts
from rmjudge.running.batches.limits import Limits
from rmjudge.running.batches.whole_run import Batches
from rmjudge.running.budget import Budget
from rmjudge.running.choosing import Chosen, choose
from rmjudge.running.job import Job
from rmjudge.running.orchestrator import Orchestrator
from rmjudge.running.preparation import Notice, check_bounded, equipped, key_of, tell_notices
from rmjudge.running.pricing import FREE, cost_of
from rmjudge.scorer import Scorer
from rmjudge.vocabulary import Method

Watch: TypeAlias = Callable[[Sequence[Job]], AbstractAsyncContextManager[object]]
Started: TypeAlias = Callable[[Orchestrator], AbstractAsyncContextManager[object]]
LEAST: Final = {"pointwise": 1, "pairwise": 2}
"""How many responses a scorer needs."""


@dataclass(frozen=True, slots=True)
class TextScores:
    """What one scorer says of the responses, each figure in their order.

    `rewards` are of a reward model, higher is better; `wins` (the mean credit against all others,
    in [0, 1]) and `comparisons` are of a judge, and the others' are empty. A figure is None where
    a call brought no score. `cost` is in US dollars, None where it is not known; 0 is free.
    """

    scorer: str
    method: Method
    rewards: tuple[float | None, ...]
    wins: tuple[float | None, ...]
    comparisons: tuple[Comparison, ...]
    from_cache: int
    sent: int
    cost: float | None
    notes: tuple[str, ...]
    stopped: StopRun | None

    @property
    def complete(self) -> bool:
        """Whether every call brought a score."""
        return None not in self.rewards and None not in self.wins


async def score_texts(
    models: Sequence[str | Scorer],
    options: RunOptions,
    prompt: str,
    responses: Sequence[str],
    *,
    notice: Notice | None = None,
    watch: Watch | None = None,
    started: Started | None = None,
) -> list[TextScores]:
    """Score the responses with every model, from the cache where it knows them.

    Raises:
        UsageError: a model, an option or a text is wrong; nothing was called.
        ModelRefused: no model can be used. StorageStopped: the cache cannot be used.
    """
    _check_texts(prompt, responses)
    chosen = choose(models, options)
    for item in chosen:
        if item.scorer.method not in LEAST:
            raise UsageError(
                f"{item.scorer.name}: --method {item.scorer.method} is for `rmjudge run` over sets "
                "of right against wrong responses"
            )
        if len(responses) < LEAST[item.scorer.method]:
            raise UsageError(f"{item.scorer.name} compares responses: give --response twice")
    tell_notices(chosen, notice or (lambda _line: None))
    asked = [_job(item, prompt, responses, options) for item in chosen]
    jobs = [job for job, _ in asked]
    if ceiling := options.cost_ceiling:
        check_bounded(jobs, ceiling)
    budget = Budget(options.max_cost, options.max_calls, options.max_cost_total)
    with await asyncio.to_thread(AnswerCache, options.cache_dir or default_folder()) as cache:
        batches = Batches(cache, Limits(budget))
        orchestrator = Orchestrator(cache, budget=budget, batches=batches)
        async with (
            started(orchestrator) if started else nullcontext(),
            watch(jobs) if watch else nullcontext(),
        ):
            await orchestrator.run(jobs)
    refused = [job.stopped for job in jobs if isinstance(job.stopped, ModelRefused)]
    if len(refused) == len(jobs):
        raise refused[0]
    return [_scores(job, plan) for job, plan in asked]


def _check_texts(prompt: str, responses: Sequence[str]) -> None:
    """An empty text is an empty variable of a shell more often than a response.

    Raises:
        UsageError: a text is empty or no Unicode.
    """
    if not responses:
        raise UsageError("give at least one --response")
    named = [("the prompt", prompt)]
    named += [(f"response {number}", text) for number, text in enumerate(responses, 1)]
    for name, text in named:
        if not text:
            raise UsageError(f"{name} is empty")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{name} is no text in UTF-8") from None


def _job(
    chosen: Chosen, prompt: str, responses: Sequence[str], options: RunOptions
) -> tuple[Job, TextsPlan]:
    scorer = chosen.scorer
    lead = scorer.lead_characters is not None and len(prompt) >= scorer.lead_characters
    plan = plan_texts(prompt, responses, scorer.method, votes=scorer.votes, lead=lead)
    job = Job(scorer, [plan], key_of, chosen.price, chosen.barred)
    return equipped(job, chosen, options), plan


def _scores(job: Job, plan: TextsPlan) -> TextScores:
    (answers,) = job.answers
    cost = cost_of(job.spent, job.price)
    details = (
        f"{count} of {job.counts.planned} calls {status}: {job.failure_details.get(status, '')}"
        for status, count in job.statuses.most_common()
    )
    return TextScores(
        scorer=job.scorer.name,
        method=job.scorer.method,
        rewards=plan.rewards(answers),
        wins=plan.wins(answers),
        comparisons=plan.comparisons(answers),
        from_cache=job.counts.from_cache,
        sent=job.counts.sent,
        cost=0.0 if job.price == FREE or not job.counts.answered else cost,
        notes=(*job.notes, *job.scorer.activity.remarks, *details),
        stopped=job.stopped,
    )
