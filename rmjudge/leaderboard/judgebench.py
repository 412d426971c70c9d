"""A run on JudgeBench as the rows of its own `run_judge.py`, which its leaderboard is made of.

A row is the pair as published, `judge_name`, and `judgments`: for a judge one about each order, the
second with A and B swapped; for a reward model one. Source: `run_judge.py`, `utils/metrics.py` of
JudgeBench.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from rmjudge.benchmarks.descriptors import shipped
from rmjudge.benchmarks.items import Item, ItemSet
from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.metrics.outcomes import ItemOutcome, Vote
from rmjudge.metrics.tallies import TIE
from rmjudge.planning.items import plan_items
from rmjudge.runs.items import ItemResult

NAME = "judgebench"


def check(result: ItemResult) -> None:
    """Refuse a run that has no such rows.

    Raises:
        UsageError: the run is of another benchmark, or not every pair is answered.
    """
    metrics = result.metrics
    if metrics.benchmark != NAME:
        raise UsageError(
            f"--emit-file writes JudgeBench's or RM-Bench's own files, and {metrics.scorer} is on "
            f"{metrics.benchmark}; --emit prints its row"
        )
    if metrics.absent:
        raise UsageError(
            f"{metrics.scorer}: {metrics.absent} questions are without a reply, and a leaderboard "
            "takes complete runs"
        )


def output_rows(result: ItemResult, items: ItemSet, name: str | None, seed: int) -> Iterator[str]:
    """A line for each pair. `items` are those that the run scored, asked in the order of `seed`."""
    outcomes = {outcome.name: outcome for outcome in result.outcomes}
    for item in items:
        a_first = item.responses[0].grade > item.responses[1].grade
        row: dict[str, Json] = {
            "pair_id": item.id,
            "source": item.raw_subset,
            "question": item.turns[-1].content,
            "response_A": item.responses[0].text,
            "response_B": item.responses[1].text,
            "label": "A>B" if a_first else "B>A",
            "judge_name": name or result.metrics.scorer,
            "judgments": [_judgment(one) for one in _decided(outcomes[item.name], item, seed)],
        }
        yield json.dumps(row, ensure_ascii=False)


def _judgment(decision: str | None) -> Json:
    return {"decision": decision}


def _decided(outcome: ItemOutcome, item: Item, seed: int) -> list[str | None]:
    """What is decided of A and B as they are shown: first as in the data, then swapped."""
    a_better = item.responses[0].grade > item.responses[1].grade
    if outcome.rewards is not None:
        a, b = (float(reward or 0.0) for reward in outcome.rewards)
        return [_decision(TIE if a == b else float(a > b))]
    ((_better, _worse, votes),) = outcome.votes or ()
    (plan,) = plan_items([item], shipped()[NAME], "pairwise", seed=seed)
    (questions,) = plan.asked
    if not questions:  # equal texts: nobody was asked
        return ["A=B", "A=B"]
    shown_first = {q.chosen_first: vote for q, vote in zip(questions, votes, strict=True)}
    # In the first order A is the data's A, in the second the data's B.
    return [
        _decision(_for_first(shown_first[a_better], better_first=a_better)),
        _decision(_for_first(shown_first[not a_better], better_first=not a_better)),
    ]


def _for_first(vote: Vote, *, better_first: bool) -> Vote:
    """P(the response shown first is preferred), of P(the better one is)."""
    return 1.0 - vote if isinstance(vote, float | int) and not better_first else vote


def _decision(first: Vote) -> str | None:
    if not isinstance(first, float | int):
        return None
    return "A=B" if first == TIE else "A>B" if first > TIE else "B>A"
