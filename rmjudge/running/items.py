"""A job over the items of one preference set, and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rmjudge.benchmarks.items import ItemSet
from rmjudge.calls import Call, Verdict
from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import scores_of
from rmjudge.metrics.tallies import TIE
from rmjudge.planning.items import ItemPlan
from rmjudge.running.assembly import bill_of, tokens_of
from rmjudge.running.job import Job
from rmjudge.running.pricing import FREE, Price, cost_of
from rmjudge.running.remarks import models_of, notes_of
from rmjudge.runs.items import ItemResult
from rmjudge.runs.results import CallCounts
from rmjudge.scorer import Scorer

FIRST_SHARE: Final = "% of its verdicts are for the response shown first"


class ItemJob(Job):
    """A scorer over the items of one set; `order` is how pairs are shown, None for rewards."""

    plans: tuple[ItemPlan, ...]

    def __init__(
        self,
        scorer: Scorer,
        plans: Sequence[ItemPlan],
        key_of: Callable[[Call], str],
        price: Price | None = FREE,
        barred: str = "",
        *,
        items: ItemSet,
        order: str | None = None,
    ) -> None:
        super().__init__(scorer, plans, key_of, price, barred)
        self.items = items
        self.order = order
        self.notes.extend(items.notes)
        self.retried_before = 0
        """Requests that its scorer had tried again before this job, about other data."""
        self.billed_before = 0

    def begin(self) -> None:
        """Say that its scorer asks for this job from now on."""
        self.retried_before = self.scorer.activity.retried
        self.billed_before = self.scorer.activity.maybe_billed


def items_result(job: ItemJob) -> ItemResult:
    """Compute a job's result from the answers it has, complete or not."""
    scorer, counts, price = job.scorer, job.counts, job.price
    outcomes = tuple(
        plan.outcome(answers) for plan, answers in zip(job.plans, job.answers, strict=True)
    )
    cost = cost_of(job.spent, price)
    free = None if price == FREE else 0.0
    rules = job.items.descriptor
    notes = list(notes_of(job))
    if shown := first_share(job):
        notes.append(shown)
    return ItemResult(
        metrics=measure(scorer.name, scorer.method, job.order, outcomes, rules),
        outcomes=outcomes,
        scores=scores_of(outcomes, rules),
        calls=CallCounts(
            planned=counts.planned,
            from_cache=counts.from_cache,
            sent=counts.sent,
            retried=scorer.activity.retried - job.retried_before,
            failed=counts.failed,
            unscored=counts.unscored,
            maybe_billed=scorer.activity.maybe_billed - job.billed_before,
        ),
        tokens=tokens_of(job.spent),
        cost=cost if counts.answered else free,
        cost_known=not counts.answered or price == FREE or cost is not None,
        statuses=dict(sorted(job.statuses.items())),
        models=dict(sorted(models_of(job).items())),
        notes=tuple(notes),
        stopped=str(job.stopped) if job.stopped else None,
        in_all=bill_of(job),
        hosts=dict(sorted(job.hosts.items())),
        digest=job.items.digest,
    )


def first_share(job: ItemJob) -> str:
    """How often a judge preferred the response that it was shown first."""
    verdicts = [work.answer for work in job.work.values() if isinstance(work.answer, Verdict)]
    decided = [verdict for verdict in verdicts if verdict.first != TIE]
    if not decided:
        return ""
    first = sum(verdict.first > TIE for verdict in decided)
    return f"{100 * first / len(decided):.1f} {FIRST_SHARE}"
