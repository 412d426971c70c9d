"""What a report says, in words, about how a scorer's answers came to be."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from rmjudge.calls import Reward
from rmjudge.judging.tokens import carries_verdict_token
from rmjudge.planning.items import ItemPlan
from rmjudge.planning.plan import CallPlan, PairwisePlan
from rmjudge.running.job import Job
from rmjudge.running.pricing import saved_by_cache
from rmjudge.running.scales import silent_scales
from rmjudge.running.tuples import TupleJob

FLAGGED_SHOWN: Final = 3
NAMED: Final = 3
MOST_FINGERPRINTS: Final = 5
"""More system fingerprints of a model than these tell replies apart, and not its builds."""
_FINGERPRINT: Final = re.compile(r"(?P<model>.+) \([^()]+\)")
"""How the chat dialect writes a model with its system fingerprint."""


def notes_of(job: Job) -> Iterator[str]:
    """Everything that a report says about how a scorer's answers came to be."""
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
    yield from several_behind_one_name(job)
    yield from silent_scales(job)
    for status, count in job.statuses.most_common():
        detail = job.failure_details.get(status, "")
        yield f"{count} calls {status}" + (f" (first: {detail})" if detail else "")


def _cut(job: Job) -> str:
    """Count the rewards of texts that did not fit; cut responses may have become equal."""
    rewards = [work.answer for work in job.work.values() if isinstance(work.answer, Reward)]
    cut = sum(reward.truncated for reward in rewards)
    if not cut:
        return ""
    return f"{cut} of {len(rewards)} texts were cut to the longest that the model takes"


def _flagged(job: Job) -> str:
    """Name what was compared and has a text that reads like a verdict."""
    compared = [
        found for index in job.reached if (found := _compared(job.plans[index])) is not None
    ]
    names = [name for name, texts in compared if any(map(carries_verdict_token, texts))]
    if not names:
        return ""
    what = "tuples" if isinstance(job, TupleJob) else "items"
    shown = ", ".join(names[:FLAGGED_SHOWN]) + (", ..." if len(names) > FLAGGED_SHOWN else "")
    return f"texts that read like verdicts in {len(names)} of the {what}: {shown}"


def _compared(plan: CallPlan) -> tuple[str, tuple[str, ...]] | None:
    """The name and the texts of what a judge compares; None of what is rewarded."""
    if isinstance(plan, PairwisePlan):
        item = plan.item
        return item.name, (item.prompt, *item.chosen, *item.rejected)
    if isinstance(plan, ItemPlan) and not plan.rewarded:
        return plan.item.name, (plan.item.prompt, *plan.item.texts)
    return None


def _saving(job: Job) -> str:
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


def models_of(job: Job) -> Mapping[str, int]:
    """How many answers come from each model; fingerprints that are many are one line."""
    builds: dict[str, list[str]] = {}
    for name in job.models:
        if found := _FINGERPRINT.fullmatch(name):
            builds.setdefault(found["model"], []).append(name)
    counted: Counter[str] = Counter(job.models)
    for model, names in builds.items():
        if len(names) > MOST_FINGERPRINTS:
            shown = f"{model} ({len(names):,} system fingerprints)"
            counted[shown] = sum(counted.pop(name) for name in names)
    return counted


def several_behind_one_name(job: Job) -> Iterator[str]:
    """Say which models and which hosts answered, where there are several."""
    for what, found in (("models", Counter(models_of(job))), ("hosts", job.hosts)):
        if len(found) > 1:
            named = ", ".join(f"{name} ({count})" for name, count in found.most_common(NAMED))
            yield f"answers come from {len(found)} {what} behind one name: {named}"
