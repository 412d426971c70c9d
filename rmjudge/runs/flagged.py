"""A run's numbers without the tuples that are known not to be what they claim.

Those are RM-Bench's own (`dataset.flagged`), and those that people took out of a built set since.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rmjudge.dataset import withdrawn
from rmjudge.dataset.flagged import REASONS, flagged, texts_digest
from rmjudge.metrics.compute import compute_metrics
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.runs.stored import StoredRun

if TYPE_CHECKING:
    from rmjudge.metrics.tallies import Asked, Credits
    from rmjudge.vocabulary import Domain


def without_flagged(run: StoredRun) -> Iterator[ScorerResult]:
    """The run's result from its other tuples; nothing where it has no flagged one.

    It has no calls and no cost of its own. Where both orders were asked, ties and contradictions
    are not told apart, since a run keeps their mean.

    Raises:
        UsageError: the run's texts are not found; a tuple is known by its texts alone.
    """
    texts, taken = run.texts, run.withdrawn
    by_people = {item.key: why for item in texts if (why := taken.get(texts_digest(item), ""))}
    reasons = {
        **{key: withdrawn.REASONS.get(why, why) for key, why in by_people.items()},
        **{key: REASONS[why] for key, why in flagged(texts).items()},
    }
    kept = [item for item in run.result.tuples if item.key not in reasons]
    if len(kept) == len(run.result.tuples):
        return
    metrics = run.result.metrics
    credits: dict[Domain, list[Credits]] = defaultdict(list)
    asked: dict[Domain, list[Asked]] = defaultdict(list)
    masks = {plan.item.key: plan.asked for plan in run.plan(texts)}
    for item in kept:
        credits[item.domain].append(item.credits)
        asked[item.domain].append(masks[item.key])
    name = f"{metrics.scorer} without flagged"
    made = compute_metrics(
        name, metrics.method, metrics.order, credits, asked=asked, design=metrics.design
    )
    counts = Counter(reasons[item.key] for item in run.result.tuples if item.key in reasons)
    left = "; ".join(f"{count:,}: {reason}" for reason, count in counts.items())
    yield replace(
        run.result,
        metrics=made,
        tuples=tuple(kept),
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        hosts={},
        in_all=None,
        notes=(f"{sum(counts.values()):,} tuples that are known to be bad are left out ({left})",),
        folder=None,
    )
