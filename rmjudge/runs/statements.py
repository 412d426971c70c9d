"""What a judge said, found in the answer cache: the stored replies, cell by cell, as words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.cache import inspect
from rmjudge.calls import Answer, Json, Reply
from rmjudge.dataset import BenchTuple
from rmjudge.errors import StorageStopped, UsageError
from rmjudge.planning.plan import PairwisePlan, Plan, PointwisePlan
from rmjudge.providers.words import words_of
from rmjudge.runs.stored import StoredRun, call_keys
from rmjudge.vocabulary import CELLS, TupleKey

ADVICE: Final = "say where the answers are now with --cache-dir DIR"


@dataclass(frozen=True, slots=True)
class Statement:
    """A stored reply, and what it was about.

    A comparison is about the `chosen` and the `rejected` of a style each (their indexes in
    `STYLES`) and says who was shown first; a rating is about one of the two.
    """

    chosen: int | None
    rejected: int | None
    chosen_first: bool | None
    vote: int
    text: str
    answer: Answer
    model: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """A run's statements by tuple, or why they cannot be had."""

    statements: Mapping[TupleKey, tuple[Statement, ...]]
    lacking: str = ""


Place: TypeAlias = tuple[int | None, int | None, bool | None, int]
"""Style of the chosen, style of the rejected, whether the chosen is first, and the call."""


def statements_of(run: StoredRun, items: Sequence[BenchTuple]) -> Said:
    """Look up what the run's scorer replied about these tuples.

    A scorer that keeps no words (a reward model, a baseline) has no statements, and nothing is
    lacking; nor is it where a judge was stopped before these tuples.
    """
    record, folder = run.record, run.cache_folder
    if record.identity is None or folder is None or not items:
        return Said({})
    plans = run.plan(items)
    keys = [call_keys(plan) for plan in plans]
    wanted = list(dict.fromkeys(key for own in keys for key in own))
    try:
        replies = inspect.replies(inspect.require(folder), record.identity, wanted)
    except (UsageError, StorageStopped) as error:
        # Who never gives words misses none, wherever the cache is.
        return Said({}, f"no words: {error}; {ADVICE}" if _speaks(run) else "")
    if not replies and _speaks(run) and _scored(run, items):
        return Said({}, f"no words: {folder} holds none of this scorer's answers; {ADVICE}")
    words = {key: words_of(record.identity, reply.raw) for key, reply in replies.items()}
    return Said(
        {
            plan.item.key: tuple(_statements(plan, own, replies, words))
            for plan, own in zip(plans, keys, strict=True)
        }
    )


def _speaks(run: StoredRun) -> bool:
    identity: Mapping[str, Json] = run.record.identity or {}
    return run.result.metrics.method == "pairwise" or "judging" in identity


def _scored(run: StoredRun, items: Sequence[BenchTuple]) -> bool:
    """Whether any cell of these tuples has a credit, for which a reply must have come."""
    wanted = {item.key for item in items}
    return any(
        credit is not None
        for result in run.result.tuples
        if result.key in wanted
        for row in result.credits
        for credit in row
    )


def _statements(
    plan: Plan, keys: Sequence[str], replies: Mapping[str, Reply], words: Mapping[str, str]
) -> Iterator[Statement]:
    for chosen, rejected, chosen_first, call in places_of(plan):
        key = keys[call]
        if text := words.get(key, ""):
            reply, vote = replies[key], plan.calls[call].vote
            yield Statement(chosen, rejected, chosen_first, vote, text, reply.answer, reply.model)


def places_of(plan: Plan) -> Iterator[Place]:
    """What each call of a plan is about; a call that serves several cells has a place for each."""
    return _compared(plan) if isinstance(plan, PairwisePlan) else _rated(plan)


def _compared(plan: PairwisePlan) -> Iterator[Place]:
    for i, j in CELLS:
        for question in plan.questions[i][j] or ():
            for call in question.calls:
                yield i, j, question.chosen_first, call


def _rated(plan: PointwisePlan) -> Iterator[Place]:
    for style, calls in enumerate(plan.chosen):
        for call in calls:
            yield style, None, None, call
    for style, calls in enumerate(plan.rejected):
        for call in calls:
            yield None, style, None, call
