"""From a tuple to its calls, and from their answers back to the nine cells.

A plan is pure: the same tuple, order and seed give the same calls in the same sequence,
whatever else runs. Equal texts in one tuple are one call, and every cell still counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rmjudge.calls import Answer, CompareCall, Reward, RewardCall, Verdict
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.tallies import TIE, Credits
from rmjudge.ordering import chosen_first
from rmjudge.vocabulary import CELLS, Method, Order

Answers: TypeAlias = Sequence[Answer | None]
"""One answer for each call of a plan; None where there is none (yet)."""
Scores: TypeAlias = tuple[float | None, float | None, float | None]
"""Rewards, style by style."""


@dataclass(frozen=True, slots=True)
class PointwisePlan:
    """At most six rewards; `chosen` and `rejected` index `calls`, style by style."""

    item: BenchTuple
    calls: tuple[RewardCall, ...]
    chosen: tuple[int, int, int]
    rejected: tuple[int, int, int]

    def after(self, call: int) -> int | None:
        """No reward waits for another."""
        return None

    def scores(self, answers: Answers) -> tuple[Scores, Scores]:
        """Rewards of the three chosen and of the three rejected."""
        rewards = [answer.value if isinstance(answer, Reward) else None for answer in answers]
        chosen, rejected = (
            (rewards[one], rewards[two], rewards[three])
            for one, two, three in (self.chosen, self.rejected)
        )
        return chosen, rejected

    def credits(self, answers: Answers) -> Credits:
        """1, 0.5 (equal rewards) or 0 per cell."""
        chosen, rejected = self.scores(answers)
        return tuple(tuple(_beats(c, r) for r in rejected) for c in chosen)


def _beats(chosen: float | None, rejected: float | None) -> float | None:
    if chosen is None or rejected is None:
        return None
    return TIE if chosen == rejected else float(chosen > rejected)


@dataclass(frozen=True, slots=True)
class Question:
    """One order of one cell: which call asks it, and who is shown first there."""

    call: int
    chosen_first: bool


@dataclass(frozen=True, slots=True)
class PairwisePlan:
    """Nine cells, each asked in one order or in both.

    A cell whose two texts are equal has no question: no judge can tell them apart, it is a tie.
    """

    item: BenchTuple
    calls: tuple[CompareCall, ...]
    questions: tuple[tuple[tuple[Question, ...], ...], ...]
    order: Order

    def after(self, call: int) -> int | None:
        """Tell which call must be scored before this one is worth asking; None: ask at once.

        With `adaptive`, the second order of a cell whose first order could not be scored
        cannot change the cell: it stays unscored. Every metric equals that of `both`.
        """
        if self.order != "adaptive":
            return None
        half = len(self.calls) // 2
        return call - half if call >= half else None

    def credits(self, answers: Answers) -> Credits:
        """Mean credit of the chosen over the orders asked; None unless all are scored."""
        return tuple(
            tuple(_mean_credit(answers, questions) for questions in row) for row in self.questions
        )

    def swap_matrix(self, answers: Answers) -> Credits:
        """1 where both orders agree on the winner (or on a tie), 0 where not, None if unknown."""
        return tuple(
            tuple(_survives_swap(answers, questions) for questions in row) for row in self.questions
        )


def _credit(answers: Answers, question: Question) -> float | None:
    answer = answers[question.call]
    if not isinstance(answer, Verdict):
        return None
    return answer.first if question.chosen_first else 1.0 - answer.first


def _mean_credit(answers: Answers, questions: Sequence[Question]) -> float | None:
    if not questions:
        return TIE
    total = 0.0
    for question in questions:
        credit = _credit(answers, question)
        if credit is None:
            return None
        total += credit
    return total / len(questions)


def _survives_swap(answers: Answers, questions: Sequence[Question]) -> float | None:
    if len(questions) < 2:
        return None
    one, other = (_credit(answers, question) for question in questions)
    if one is None or other is None:
        return None
    return float(_sign(one) == _sign(other))


def _sign(credit: float) -> int:
    return (credit > TIE) - (credit < TIE)


Plan: TypeAlias = PointwisePlan | PairwisePlan


def plan_tuple(item: BenchTuple, method: Method, order: Order = "seeded", seed: int = 0) -> Plan:
    """Turn one tuple into its calls."""
    return _pointwise(item) if method == "pointwise" else _pairwise(item, order, seed)


def _pointwise(item: BenchTuple) -> PointwisePlan:
    index: dict[RewardCall, int] = {}

    def ask(text: str) -> int:
        return index.setdefault(RewardCall(item.prompt, text), len(index))

    one, two, three = (ask(text) for text in item.chosen)
    four, five, six = (ask(text) for text in item.rejected)
    return PointwisePlan(item, tuple(index), (one, two, three), (four, five, six))


def _pairwise(item: BenchTuple, order: Order, seed: int) -> PairwisePlan:
    # Cells with the same two texts share their calls, so one of them decides the order.
    leader: dict[frozenset[str], tuple[int, int]] = {}
    for i, j in CELLS:
        texts = frozenset((item.chosen[i], item.rejected[j]))
        if len(texts) == 2:
            leader.setdefault(texts, (i, j))
    first_of: dict[frozenset[str], str] = {}
    flags = chosen_first(item, tuple(leader.values()), seed)
    for texts, (i, j) in leader.items():
        first_of[texts] = item.chosen[i] if flags[i, j] else item.rejected[j]

    seeded = [_compare(item.prompt, texts, first_of[texts]) for texts in leader]
    swapped = [CompareCall(call.prompt, call.second, call.first) for call in seeded]
    calls = seeded if order == "seeded" else seeded + swapped
    number = {texts: k for k, texts in enumerate(leader)}

    def questions(i: int, j: int) -> tuple[Question, ...]:
        texts = frozenset((item.chosen[i], item.rejected[j]))
        if len(texts) == 1:
            return ()
        k, first = number[texts], item.chosen[i] == first_of[texts]
        one = Question(k, first)
        return (one,) if order == "seeded" else (one, Question(k + len(seeded), not first))

    grid = tuple(tuple(questions(i, j) for j in range(3)) for i in range(3))
    return PairwisePlan(item, tuple(calls), grid, order)


def _compare(prompt: str, texts: frozenset[str], first: str) -> CompareCall:
    (second,) = texts - {first}
    return CompareCall(prompt, first, second)
