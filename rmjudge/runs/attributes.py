"""The attributes that a run's reward model gave beside its rewards, found in the answer cache."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from rmjudge.cache import inspect
from rmjudge.errors import StorageStopped, UsageError
from rmjudge.planning.plan import PointwisePlan
from rmjudge.providers.attributes import attributes_of
from rmjudge.runs.statements import ADVICE
from rmjudge.runs.stored import StoredRun, call_keys
from rmjudge.statistics.responses import (
    CORRECTNESS,
    VERBOSITY,
    Response,
    Responses,
    attribute_called,
)
from rmjudge.text import one_line

MEANINGS: Final = (CORRECTNESS, VERBOSITY)
PROBED: Final = 120
"""Calls that are looked up before all are."""


def responses_of(
    name: str, run: StoredRun, names: Mapping[str, str] | None = None
) -> Responses | None:
    """Find how correct and verbose each response of a run is; None where its answers do not say.

    `names` says which attributes are the two; without it they are found by their names.

    Raises:
        UsageError: `names` is given, and the answers are not found or have no such attributes.
    """
    try:
        found = _kept(run)
    except (UsageError, StorageStopped) as error:
        if names:
            raise UsageError(f"{one_line(str(run.folder))}: no attributes: {error}") from error
        return None
    there = list(dict.fromkeys(key for one in found.values() for key in one))
    if names:
        _require(run, names, there)
        meant = dict(names)
    else:
        guessed = {meaning: attribute_called(meaning, there) for meaning in MEANINGS}
        meant = {meaning: one for meaning, one in guessed.items() if one is not None}
        if len(meant) < len(MEANINGS):
            return None
    return _responses(name, run, found, meant)


def _kept(run: StoredRun) -> dict[str, dict[str, float]]:
    """The attributes of each call. A few calls are looked up first: most runs hold none."""
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


def _require(run: StoredRun, names: Mapping[str, str], there: list[str]) -> None:
    for one in names.values():
        if one not in there:
            held = ", ".join(map(one_line, there))
            raise UsageError(
                f"{one_line(str(run.folder))}: its answers hold no attribute {one_line(one)}; they "
                f"hold {held}"
            )


def _responses(
    name: str,
    run: StoredRun,
    found: Mapping[str, Mapping[str, float]],
    meant: Mapping[str, str],
) -> Responses:
    points, lacking = [], 0
    for plan in run.asked.plans:
        if not isinstance(plan, PointwisePlan):
            continue
        keys = call_keys(plan)
        for chosen, sides in ((True, plan.chosen), (False, plan.rejected)):
            for style, calls in enumerate(sides):
                # With votes a response has several answers, as its reward is their mean.
                votes = [
                    [given[meant[meaning]] for meaning in MEANINGS]
                    for call in calls
                    if (given := found.get(keys[call], {})).keys() >= set(meant.values())
                ]
                if not votes:
                    lacking += 1
                    continue
                correctness, verbosity = (
                    math.fsum(values) / len(values) for values in zip(*votes, strict=True)
                )
                points.append(Response(plan.item.domain, chosen, style, correctness, verbosity))
    return Responses(name, meant, tuple(points), lacking)
