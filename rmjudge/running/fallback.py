"""Whole tuples for another scorer: what a hosted model leaves, and how the two are shown.

A tuple is never half remote, half local. Both scorers keep their own row; a third, combined row
takes each tuple from the one that scored it and carries the shares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rmjudge.errors import BudgetReached, ProviderStopped
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Shares
from rmjudge.metrics.tallies import Asked, Credits
from rmjudge.running.assembly import order_of, result_of, splits_of, tuple_result
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.vocabulary import Domain


def needs_fallback(job: TupleJob) -> bool:
    """Whether a job could not be asked at all, or was stopped for good."""
    return bool(job.barred) or isinstance(job.stopped, (ProviderStopped, BudgetReached))


def left_by(jobs: Sequence[TupleJob]) -> tuple[int, ...]:
    """The tuples, by their place in the data, that at least one such job left unfinished."""
    left = {
        index
        for job in jobs
        if needs_fallback(job)
        for index in range(len(job.plans))
        if job.lacks(index)
    }
    return tuple(sorted(left))


@dataclass(frozen=True, slots=True)
class Relief:
    """The fallback's job; `left[k]` is the place in the data of its tuple k, of `tuples` in all."""

    job: TupleJob
    left: tuple[int, ...]
    tuples: int

    @property
    def complete(self) -> bool:
        """Whether everything that was left has been asked."""
        return self.job.finished and not self.job.barred

    def own(self) -> ScorerResult:
        """The fallback's numbers on the tuples that it scored."""
        result = result_of(self.job)
        shares = Shares({self.job.scorer.name: len(self.left)}, self.tuples)
        return replace(result, metrics=replace(result.metrics, shares=shares))

    def combined(self, jobs: Sequence[TupleJob]) -> list[ScorerResult]:
        """A result for each job that was helped: each tuple from the one that scored it."""
        filled = {index: k for k, index in enumerate(self.left) if not self.job.lacks(k)}
        return [
            self._combined(job, filled)
            for job in jobs
            if needs_fallback(job) and any(map(job.lacks, filled))
        ]

    def _combined(self, job: TupleJob, filled: Mapping[int, int]) -> ScorerResult:
        credits: dict[Domain, list[Credits]] = defaultdict(list)
        splits: dict[Domain, list[Credits]] = defaultdict(list)
        asked: dict[Domain, list[Asked]] = defaultdict(list)
        tuples: list[TupleResult] = []
        helper = self._name_beside(job)
        shares = {job.scorer.name: 0, helper: 0}
        for index in range(len(job.plans)):
            helped = index in filled and job.lacks(index)
            source, place = (self.job, filled[index]) if helped else (job, index)
            giver = helper if helped else job.scorer.name
            plan, cells = source.plans[place], source.credits(place)
            credits[plan.item.domain].append(cells)
            asked[plan.item.domain].append(plan.asked)
            splits[plan.item.domain].append(splits_of(plan, source.answers[place]))
            shares[giver] += not source.lacks(place)
            tuples.append(replace(tuple_result(plan, source.answers[place], cells), scorer=giver))
        name = f"{job.scorer.name} + {helper}"
        metrics = compute_metrics(
            name,
            job.scorer.method,
            order_of(job),
            credits,
            splits=splits,
            asked=asked,
            design=job.design,
        )
        return ScorerResult(
            metrics=replace(metrics, shares=Shares(shares, self.tuples)),
            tuples=tuple(tuples),
            calls=CallCounts(),
            tokens=Tokens(),
            cost=None,
            cost_known=True,
            statuses={},
            models={},
            notes=self._notes(job),
        )

    def _name_beside(self, job: TupleJob) -> str:
        """What the fallback is called beside a job's scorer, which may be its namesake."""
        scorer = self.job.scorer
        if scorer.name != job.scorer.name:
            return scorer.name
        return f"{scorer.name} at {scorer.identity.get('url', 'another place')}"

    def _notes(self, job: TupleJob) -> tuple[str, ...]:
        if job.scorer.method == self.job.scorer.method:
            return ()
        whose = (
            "a reward's, strict" if job.scorer.method == "pointwise" else "a judge's, half credit"
        )
        return (f"its headline reading is {whose}, also where {self._name_beside(job)} scored",)
