"""The attributes that a run's reward model gave beside its rewards, found in the answer cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmjudge.cache import inspect
from rmjudge.errors import StorageStopped, UsageError
from rmjudge.planning.plan import PointwisePlan
from rmjudge.providers.attributes import attributes_of
from rmjudge.runs.statements import ADVICE
from rmjudge.runs.stored import StoredRun, call_keys
from rmjudge.vocabulary import Domain

PROBED: Final = 120
"""Calls that are looked up before all are."""


@dataclass(frozen=True, slots=True)
class Described:
    """A response, and the attributes in each answer about it (several with `--votes`)."""

    domain: Domain
    chosen: bool
    style: int
    answers: tuple[Mapping[str, float], ...]


def described(run: StoredRun) -> list[Described]:
    """Find what the answers say of each response beside its reward.

    Raises:
        UsageError: they are not found, or say nothing beside it.
    """
    try:
        found = _found(run)
    except (UsageError, StorageStopped) as error:
        raise UsageError(f"{run.folder}: no attributes: {error}") from error
    return [
        Described(
            plan.item.domain,
            chosen,
            style,
            tuple(found[key] for call in calls if found.get(key := keys[call])),
        )
        for plan in run.asked.plans
        if isinstance(plan, PointwisePlan)
        for keys in [call_keys(plan)]
        for chosen, sides in ((True, plan.chosen), (False, plan.rejected))
        for style, calls in enumerate(sides)
    ]


def _found(run: StoredRun) -> dict[str, dict[str, float]]:
    """The attributes in the answer to each call. A few are looked up first: most runs hold none."""
    if run.result.metrics.method != "pointwise" or run.record.combined:
        raise UsageError("only a reward model's own run has them")
    asked = run.asked
    folder = inspect.require(asked.cache_folder)
    for calls in (asked.calls[:PROBED], asked.calls):
        replies = inspect.replies(folder, asked.identity, calls)
        found = {key: attributes_of(asked.identity, reply.raw) for key, reply in replies.items()}
        if replies and not any(found.values()):
            raise UsageError("its answers hold none")
    if not replies:
        raise UsageError(f"{asked.cache_folder} does not hold its answers; {ADVICE}")
    return found
