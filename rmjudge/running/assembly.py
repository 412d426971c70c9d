"""From a job's answers, complete or not, to its result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from rmjudge.calls import Spent, Verdict
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.position import position_of
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Asked, Credits
from rmjudge.planning.plan import Answers, PairwisePlan, Plan, PointwisePlan
from rmjudge.running.job import Job
from rmjudge.running.pricing import FREE, Price, cost_of
from rmjudge.running.remarks import models_of, notes_of
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.results import Bill, CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.statistics.baselines import length_counter
from rmjudge.vocabulary import Domain, Order

UNASKED: Final[Credits] = ((None, None, None),) * 3


def result_of(job: TupleJob) -> ScorerResult:
    """Compute a job's result from the answers it has, complete or not."""
    scorer, counts, price = job.scorer, job.counts, job.price
    credits: dict[Domain, list[Credits]] = defaultdict(list)
    splits: dict[Domain, list[Credits]] = defaultdict(list)
    asked: dict[Domain, list[Asked]] = defaultdict(list)
    for index in job.reached:
        plan = job.plans[index]
        credits[plan.item.domain].append(job.credits(index))
        asked[plan.item.domain].append(plan.asked)
        splits[plan.item.domain].append(splits_of(plan, job.answers[index]))
    cost = cost_of(job.spent, price)
    metrics = compute_metrics(
        scorer.name,
        scorer.method,
        order_of(job),
        credits,
        _position(job),
        splits=splits,
        asked=asked,
        design=job.design,
    )
    return ScorerResult(
        metrics=metrics,
        tuples=tuple(_tuple_results(job)),
        calls=CallCounts(
            planned=counts.planned,
            from_cache=counts.from_cache,
            sent=counts.sent,
            retried=scorer.activity.retried,
            failed=counts.failed,
            unscored=counts.unscored,
            maybe_billed=scorer.activity.maybe_billed,
        ),
        tokens=tokens_of(job.spent),
        cost=cost if counts.answered else _nothing(price),
        cost_known=not counts.answered or price == FREE or cost is not None,
        statuses=dict(sorted(job.statuses.items())),
        in_all=bill_of(job),
        length_counter=length_counter(
            (job.plans[index].item for index in job.reached), metrics.reading
        ),
        models=dict(sorted(models_of(job).items())),
        hosts=dict(sorted(job.hosts.items())),
        notes=tuple(notes_of(job)),
        stopped=str(job.stopped) if job.stopped else None,
    )


def bill_of(job: Job) -> Bill:
    """What all answers of a job took: those bought now, and those found in the cache."""
    spent = job.spent.plus(job.found)
    cost = cost_of(spent, job.price) if spent.replies else _nothing(job.price)
    known = not spent.replies or job.price == FREE or cost is not None
    return Bill(spent.replies, tokens_of(spent), cost, known)


def tokens_of(spent: Spent) -> Tokens:
    """The tokens of replies, for a result."""
    return Tokens(spent.input_tokens, spent.output_tokens, spent.cached_tokens)


def _nothing(price: Price | None) -> float | None:
    """The cost of a run that bought nothing, whatever the price."""
    return None if price == FREE else 0.0


def order_of(job: TupleJob) -> Order | None:
    """The order in which pairs are shown; None for rewards."""
    return next((plan.order for plan in job.plans if isinstance(plan, PairwisePlan)), None)


def splits_of(plan: Plan, answers: Answers) -> Credits:
    """In which cells a judge's orders contradict each other (3x3, see `split_matrix`)."""
    if isinstance(plan, PointwisePlan):
        return UNASKED
    return plan.split_matrix(answers)


def _position(job: TupleJob) -> Position | None:
    if job.scorer.method == "pointwise":
        return None
    verdicts = [work.answer for work in job.work.values() if isinstance(work.answer, Verdict)]
    judged = [
        (plan, job.answers[index])
        for index in job.reached
        if isinstance(plan := job.plans[index], PairwisePlan)
    ]
    return position_of(
        verdicts,
        # asked in one order alone, nothing can be swapped
        [plan.swap_matrix(answers) for plan, answers in judged if plan.order != "seeded"],
        [plan.first_matrix(answers) for plan, answers in judged],
    )


def _tuple_results(job: TupleJob) -> Iterator[TupleResult]:
    for index in job.reached:
        yield tuple_result(job.plans[index], job.answers[index], job.credits(index))


def tuple_result(plan: Plan, answers: Answers, credits: Credits) -> TupleResult:
    """A tuple's line of `results.jsonl`."""
    item = plan.item
    if isinstance(plan, PointwisePlan):
        chosen, rejected = plan.scores(answers)
        return TupleResult(item.id, item.domain, item.subset, chosen, rejected)
    return TupleResult(item.id, item.domain, item.subset, matrix=credits)
