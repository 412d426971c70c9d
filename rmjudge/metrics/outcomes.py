"""One item of a preference set, answered: what came of it, and its score in both readings.

An item's score has two readings: strict (a tie is no win) and half credit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rmjudge.metrics.tallies import TIE, strict

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor

PAIRED: Final = ("pairs", "matrix")
"""Kinds whose items are scored pair by pair; the others ask whether a right one is the best."""
NO_VERDICT: Final = "no-verdict"
Vote: TypeAlias = float | Literal["no-verdict"] | None
"""P(the better one is preferred) in one order; a reply without a verdict; no reply at all."""
Chosen: TypeAlias = tuple[int, ...] | Literal["no-verdict"] | None
"""Places of the chosen text (several have equal texts); a reply without a verdict; no reply."""


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """One item's line of `results.jsonl`.

    `grades` say how good each response is. A reward model gives `rewards`, one a response; a judge
    `votes`: places of the better and the worse one, and a vote for each order that was asked.
    """

    id: int | str
    subset: str
    grades: tuple[float, ...]
    rewards: tuple[float | None, ...] | None = None
    votes: tuple[tuple[int, int, tuple[Vote, ...]], ...] | None = None
    choices: tuple[Chosen, ...] | None = None
    """What a judge chose among all responses, one a vote."""

    @property
    def name(self) -> str:
        """The key as people write it."""
        return f"{self.subset}/{self.id}" if self.subset else str(self.id)

    @property
    def best(self) -> tuple[int, ...]:
        """Places of the responses of the highest grade."""
        top = max(self.grades)
        return tuple(place for place, grade in enumerate(self.grades) if grade == top)


@dataclass(frozen=True, slots=True)
class Score:
    """An item's two readings, in [0, 1]; None where it is not scored."""

    strict: float | None
    half_credit: float | None


UNSCORED: Final = Score(None, None)


def score_of(outcome: ItemOutcome, rules: Descriptor) -> Score:
    """Score one item by a benchmark's rules."""
    if rules.kind in PAIRED:
        return _mean(list(pair_scores(outcome, rules).values()))
    if outcome.rewards is not None:
        return _pick(outcome.rewards, outcome.best)
    if outcome.choices is not None:
        return _mean([_by_choice(one, outcome, rules) for one in outcome.choices])
    votes = outcome.votes or ()
    return _beats_all([(better, _by_votes(given, rules)) for better, _worse, given in votes])


def pair_scores(outcome: ItemOutcome, rules: Descriptor) -> dict[tuple[int, int], Score]:
    """Each pair of a better and a worse response, by their places."""
    if outcome.rewards is None:
        votes = outcome.votes or ()
        return {(better, worse): _by_votes(given, rules) for better, worse, given in votes}
    graded = list(enumerate(zip(outcome.grades, outcome.rewards, strict=True)))
    return {
        (i, j): _by_rewards(one, other)
        for i, (grade, one) in graded
        for j, (lower, other) in graded
        if grade > lower
    }


def scores_of(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> tuple[float | None, ...]:
    """Each item's score in the benchmark's own reading; None in a subset of Ties."""
    found: list[float | None] = []
    for outcome in outcomes:
        score = score_of(outcome, rules)
        if rules.is_ties(outcome.subset):
            score = UNSCORED
        found.append(score.strict if rules.ties == "strict" else score.half_credit)
    return tuple(found)


def _by_rewards(better: float | None, worse: float | None) -> Score:
    if better is None or worse is None:
        return UNSCORED
    return Score(float(better > worse), TIE if better == worse else float(better > worse))


def _pick(rewards: Sequence[float | None], best: Sequence[int]) -> Score:
    """Whether the highest reward is a right one's: 1/k where k share it and one of them is right.

    Source: `reroll_and_score_dataset` of reward-bench (v2); strict is RMB's and RewardMATH's.
    """
    known = [reward for reward in rewards if reward is not None]
    if len(known) < len(rewards):
        return UNSCORED
    top = [place for place, reward in enumerate(known) if reward == max(known)]
    right = sum(place in best for place in top)
    return Score(float(right == len(top)), right / len(top))


def _by_choice(chosen: Chosen, outcome: ItemOutcome, rules: Descriptor) -> Score:
    """Whether a right one is chosen; without a verdict, chance where the benchmark says so.

    Source: `run_generative_v2.py` of reward-bench, an error of which counts 1 of 4.
    """
    if isinstance(chosen, tuple):
        right = sum(place in outcome.best for place in chosen)
        return Score(float(right == len(chosen)), right / len(chosen))
    if chosen is None or rules.failure == "absent":
        return UNSCORED
    chance = len(outcome.best) / len(outcome.grades)
    return Score(0.0, 0.0 if rules.failure == "wrong" else chance)


def _by_votes(votes: Sequence[Vote], rules: Descriptor) -> Score:
    """One pair, by the benchmark's protocol of orders and its rule for replies without a verdict.

    Source of `both-net`: `compute_final_metrics` of JudgeBench; of `both-mean`: LLMBar's accuracy.
    """
    if None in votes:
        return UNSCORED
    if NO_VERDICT in votes and rules.failure == "absent":
        return UNSCORED
    lost = 0.0 if rules.failure == "wrong" else TIE
    credits = [vote if isinstance(vote, float | int) else lost for vote in votes]
    if rules.order == "both-net":
        net = sum((credit > TIE) - (credit < TIE) for credit in credits)
        return Score(float(net > 0), TIE if net == 0 else float(net > 0))
    if rules.order == "both-agree":
        won = all(credit > TIE for credit in credits)
        lost_all = all(credit < TIE for credit in credits)
        return Score(float(won), 1.0 if won else 0.0 if lost_all else TIE)
    count = len(credits)
    return Score(math.fsum(map(strict, credits)) / count, math.fsum(credits) / count)


def _mean(scores: Sequence[Score]) -> Score:
    ones = [score.strict for score in scores if score.strict is not None]
    halves = [score.half_credit for score in scores if score.half_credit is not None]
    if not scores or len(ones) < len(scores) or len(halves) < len(scores):
        return UNSCORED
    return Score(math.fsum(ones) / len(ones), math.fsum(halves) / len(halves))


def _beats_all(scored: Sequence[tuple[int, Score]]) -> Score:
    """Whether a right response beats every wrong one; ties share the credit as equal rewards do."""
    readings = []
    for place in dict.fromkeys(better for better, _ in scored):
        halves = [score.half_credit for better, score in scored if better == place]
        known = [half for half in halves if half is not None]
        if len(known) < len(halves):
            return UNSCORED
        beaten = any(half < TIE for half in known)
        tied = sum(half == TIE for half in known)
        readings.append((float(not beaten and not tied), 0.0 if beaten else 1 / (1 + tied)))
    if not readings:
        return UNSCORED
    return Score(max(one for one, _ in readings), max(half for _, half in readings))


def reciprocal_rank(outcome: ItemOutcome) -> float | None:
    """1/r, r the place of the first right response among all rewards; an equal wrong one is ahead.

    The item's part of the mean reciprocal rank; None without all rewards.
    """
    known = [reward for reward in outcome.rewards or () if reward is not None]
    if not known or len(known) < len(outcome.grades):
        return None
    best = outcome.best
    top = max(known[place] for place in best)
    return 1 / (1 + sum(r >= top for place, r in enumerate(known) if place not in best))
