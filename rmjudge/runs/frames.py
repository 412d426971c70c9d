"""A run's numbers as rows of plain values: what a data frame is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from rmjudge.cache import inspect
from rmjudge.calls import Answer, Reward, Unscored, Verdict
from rmjudge.errors import UsageError
from rmjudge.metrics.accuracy import accuracies_of
from rmjudge.metrics.report import Reading
from rmjudge.providers.words import words_of
from rmjudge.runs.results import ScorerResult, TupleResult
from rmjudge.runs.statements import places_of
from rmjudge.runs.stored import StoredRun, call_keys, read_runs
from rmjudge.vocabulary import CELLS, STYLES, difficulty_of

if TYPE_CHECKING:
    from pandas import DataFrame

Row: TypeAlias = dict[str, Any]
Level = Literal["tuples", "cells", "calls"]
LEVELS: Final = get_args(Level)


def tuple_rows(results: Sequence[ScorerResult]) -> Iterator[Row]:
    """A row for each scorer and tuple: easy, normal, hard and their mean, as fractions.

    Ties count as in the scorer's headline; a difficulty of which a cell is absent is None.
    """
    for result, item in _tuples(results):
        matrix = _matrix(item, result.metrics.reading)
        found = accuracies_of(matrix)
        yield {
            **_about(result, item),
            "easy": found.easy,
            "normal": found.normal,
            "hard": found.hard,
            "average": found.average,
        }


def cell_rows(results: Sequence[ScorerResult]) -> Iterator[Row]:
    """A row for each of a tuple's nine cells: its credit (1, 0.5, 0; None: absent), and rewards."""
    for result, item in _tuples(results):
        credits = item.credits
        for i, j in CELLS:
            yield {
                **_about(result, item),
                "chosen_style": STYLES[i],
                "rejected_style": STYLES[j],
                "difficulty": difficulty_of(i, j),
                "credit": credits[i][j],
                "reward_chosen": item.score_chosen[i] if item.score_chosen else None,
                "reward_rejected": item.score_rejected[j] if item.score_rejected else None,
            }


def call_rows(runs: Sequence[StoredRun]) -> Iterator[Row]:
    """A row for each kept answer of each call, with its tokens and words.

    `value` is the reward, or P(the response shown first is better); None where there is no
    score, and `status` says why. A comparison names both styles, a reward one of them.

    Raises:
        UsageError: the texts or the cache of a run are not found.
    """
    for run in runs:
        asked = run.asked
        keys = {plan.item.key: call_keys(plan) for plan in asked.plans}
        wanted = list(asked.calls)
        replies = inspect.replies(inspect.require(asked.cache_folder), asked.identity, wanted)
        about = {item.key: item for item in run.result.tuples}
        for plan in asked.plans:
            if plan.item.key not in about:
                continue
            for chosen, rejected, chosen_first, call in places_of(plan):
                reply = replies.get(keys[plan.item.key][call])
                if reply is None:
                    continue
                yield {
                    **_about(run.result, about[plan.item.key]),
                    "chosen_style": None if chosen is None else STYLES[chosen],
                    "rejected_style": None if rejected is None else STYLES[rejected],
                    "chosen_first": chosen_first,
                    "vote": plan.calls[call].vote,
                    "value": _value(reply.answer),
                    "status": reply.answer.status if isinstance(reply.answer, Unscored) else "ok",
                    "model": reply.model,
                    "input_tokens": reply.usage.input_tokens,
                    "output_tokens": reply.usage.output_tokens,
                    "dollars": reply.usage.dollars,
                    "text": words_of(asked.identity, reply.raw),
                }


def _tuples(results: Sequence[ScorerResult]) -> Iterator[tuple[ScorerResult, TupleResult]]:
    for result in results:
        for item in result.tuples:
            yield result, item


def _about(result: ScorerResult, item: TupleResult) -> Row:
    return {
        "scorer": result.metrics.scorer,
        "tuple": item.name,
        "domain": item.domain,
        "id": item.id,
        "subset": item.subset,
    }


def _matrix(item: TupleResult, reading: Reading) -> tuple[tuple[float | None, ...], ...]:
    def counted(credit: float | None) -> float | None:
        return credit if credit is None or reading == "half_credit" else float(credit == 1.0)

    return tuple(tuple(counted(credit) for credit in row) for row in item.credits)


def _value(answer: Answer) -> float | None:
    match answer:
        case Reward(value):
            return value
        case Verdict(first):
            return first
    return None


def frame_of(results: Sequence[ScorerResult], folders: Sequence[Path], level: Level) -> DataFrame:
    """The rows of a level as a pandas data frame; `folders` hold the run's files.

    Raises:
        UsageError: pandas is not installed, or what the level needs is not found.
    """
    if level not in LEVELS:
        raise UsageError(f"level = {level!r} is not one of {', '.join(LEVELS)}")
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise UsageError("to_dataframe needs pandas: pip install pandas") from error
    if level == "calls":
        return DataFrame(list(call_rows(read_runs(folders))))
    return DataFrame(list(tuple_rows(results) if level == "tuples" else cell_rows(results)))
