"""From a job's answers, complete or not, to its result."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from rmjudge.calls import Reward, Verdict
from rmjudge.judging.tokens import carries_verdict_token
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.position import position_of
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Credits
from rmjudge.planning.plan import Answers, PairwisePlan, Plan, PointwisePlan
from rmjudge.running.job import TupleJob
from rmjudge.running.pricing import FREE, Price, cost_of, saved_by_cache
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.vocabulary import DOMAINS, Domain, Order

FLAGGED_SHOWN: Final = 3
UNASKED: Final[Credits] = ((None, None, None),) * 3


def result_of(job: TupleJob) -> ScorerResult:
    """Compute a job's result from the answers it has, complete or not."""
    scorer, counts, price = job.scorer, job.counts, job.price
    credits: dict[Domain, list[Credits]] = {domain: [] for domain in DOMAINS}
    splits: dict[Domain, list[Credits]] = {domain: [] for domain in DOMAINS}
    for index, plan in enumerate(job.plans):
        credits[plan.item.domain].append(job.credits(index))
        splits[plan.item.domain].append(splits_of(plan, job.answers[index]))
    cost = cost_of(job.spent, price)
    metrics = compute_metrics(
        scorer.name, scorer.method, order_of(job), credits, _position(job), splits=splits
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
        tokens=Tokens(job.spent.input_tokens, job.spent.output_tokens, job.spent.cached_tokens),
        cost=cost if counts.answered else _nothing(price),
        cost_known=not counts.answered or price == FREE or cost is not None,
        statuses=dict(sorted(job.statuses.items())),
        models=dict(sorted(job.models.items())),
        notes=tuple(_notes(job)),
        stopped=str(job.stopped) if job.stopped else None,
    )


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
        (plan, answers)
        for plan, answers in zip(job.plans, job.answers, strict=True)
        if isinstance(plan, PairwisePlan)
    ]
    return position_of(
        verdicts,
        # asked in one order alone, nothing can be swapped
        [plan.swap_matrix(answers) for plan, answers in judged if plan.order != "seeded"],
        [plan.first_matrix(answers) for plan, answers in judged],
    )


def _tuple_results(job: TupleJob) -> Iterator[TupleResult]:
    for index, plan in enumerate(job.plans):
        yield tuple_result(plan, job.answers[index], job.credits(index))


def tuple_result(plan: Plan, answers: Answers, credits: Credits) -> TupleResult:
    """A tuple's line of `results.jsonl`."""
    item = plan.item
    if isinstance(plan, PointwisePlan):
        chosen, rejected = plan.scores(answers)
        return TupleResult(item.id, item.domain, item.subset, chosen, rejected)
    return TupleResult(item.id, item.domain, item.subset, matrix=credits)


def _notes(job: TupleJob) -> Iterator[str]:
    yield from job.notes
    yield from job.scorer.activity.remarks
    if cut := _cut(job):
        yield cut
    if flagged := _flagged(job):
        yield flagged
    if saved := _saving(job):
        yield saved
    for parameters, count in sorted(job.asked.items()):
        yield f"{count} answers were asked again with {parameters}"
    if job.more_room and not {"truncated", "empty"}.isdisjoint(job.statuses):
        yield (
            f"--retry-unscored --retry-with {shlex.quote(job.more_room)} asks what is truncated or "
            "empty again, with more room"
        )
    if len(job.models) > 1:
        named = ", ".join(f"{model} ({count})" for model, count in job.models.most_common(3))
        yield f"answers come from {len(job.models)} models behind one name: {named}"
    for status, count in job.statuses.most_common():
        detail = job.failure_details.get(status, "")
        yield f"{count} calls {status}" + (f" (first: {detail})" if detail else "")


def _cut(job: TupleJob) -> str:
    """Count the rewards of texts that did not fit; cut responses may have become equal."""
    rewards = [work.answer for work in job.work.values() if isinstance(work.answer, Reward)]
    cut = sum(reward.truncated for reward in rewards)
    if not cut:
        return ""
    return f"{cut} of {len(rewards)} texts were cut to the longest that the model takes"


def _flagged(job: TupleJob) -> str:
    """Name the compared tuples whose texts hold something that reads like a verdict."""
    names = [
        plan.item.name
        for plan in job.plans
        if isinstance(plan, PairwisePlan)
        and any(
            map(carries_verdict_token, (plan.item.prompt, *plan.item.chosen, *plan.item.rejected))
        )
    ]
    if not names:
        return ""
    shown = ", ".join(names[:FLAGGED_SHOWN]) + (", ..." if len(names) > FLAGGED_SHOWN else "")
    return f"texts that read like verdicts in {len(names)} of the tuples: {shown}"


def _saving(job: TupleJob) -> str:
    """What the vendor's prompt cache was worth."""
    spent, price = job.spent, job.price
    if not spent.cached_tokens:
        return ""
    share = 100 * spent.cached_tokens / max(spent.input_tokens, 1)
    text = f"{share:.0f} % of the input tokens came from the vendor's prompt cache"
    if price is None or price.cached_input is None:
        return text
    dollars = saved_by_cache(spent, price)
    if dollars < 0:
        return f"{text}; writing to it cost ${-dollars:.4f} more than that saved"
    return f"{text}, which saved ${dollars:.4f}"
