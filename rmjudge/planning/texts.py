"""From a prompt and responses of the user's own to calls, and from their answers to scores.

A reward model is asked once a response, a judge about every two of them, in both orders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from rmjudge.calls import Call, CompareCall, RewardCall
from rmjudge.planning.plan import (
    Answers,
    Question,
    contradicts,
    credit_of,
    mean_credit,
    mean_reward,
)
from rmjudge.vocabulary import Method


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two responses, by their places from 0. All figures are credits of `one`, in [0, 1].

    `shown_first` and `shown_second` are those of each order, `credit` is their mean; None where an
    order has no verdict. Two equal texts are a tie that nobody was asked about. `contradicted`
    says that the orders name opposite winners.
    """

    one: int
    other: int
    shown_first: float | None
    shown_second: float | None
    credit: float | None
    contradicted: bool


@dataclass(frozen=True, slots=True)
class _Pair:
    one: int
    other: int
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class TextsPlan:
    """The calls about one prompt's responses; implements `rmjudge.planning.plan.CallPlan`."""

    calls: tuple[Call, ...]
    rewarded: tuple[tuple[int, ...], ...]
    compared: tuple[_Pair, ...]
    lead: bool = False

    def after(self, call: int) -> int | None:
        """Tell what a call waits for: nothing, or the leading call that fills a prompt cache."""
        return 0 if self.lead and call else None

    def rewards(self, answers: Answers) -> tuple[float | None, ...]:
        """The reward of each response, averaged over votes; empty of a judge."""
        return tuple(mean_reward(answers, votes) for votes in self.rewarded)

    def comparisons(self, answers: Answers) -> tuple[Comparison, ...]:
        """What a judge says of every two responses; empty of a reward model."""
        return tuple(self._comparison(answers, pair) for pair in self.compared)

    def wins(self, answers: Answers) -> tuple[float | None, ...]:
        """The mean credit of each response against all others, None unless all are scored."""
        found: dict[int, list[float | None]] = {}
        for item in self.comparisons(answers):
            found.setdefault(item.one, []).append(item.credit)
            other = None if item.credit is None else 1.0 - item.credit
            found.setdefault(item.other, []).append(other)
        return tuple(_mean(credits) for _, credits in sorted(found.items()))

    def _comparison(self, answers: Answers, pair: _Pair) -> Comparison:
        orders = [credit_of(answers, question) for question in pair.questions]
        credit = mean_credit(answers, pair.questions)
        first, second = orders if orders else (credit, credit)
        split = contradicts(answers, pair.questions) == 1.0
        return Comparison(pair.one, pair.other, first, second, credit, split)


def _mean(credits: Sequence[float | None]) -> float | None:
    known = [credit for credit in credits if credit is not None]
    return math.fsum(known) / len(known) if len(known) == len(credits) else None


def plan_texts(
    prompt: str, responses: Sequence[str], method: Method, *, votes: int = 1, lead: bool = False
) -> TextsPlan:
    """Turn a prompt and its responses into calls; equal texts are asked once."""
    if method == "pointwise":
        return _rewards(prompt, responses, votes, lead=lead)
    return _comparisons(prompt, responses, votes, lead=lead)


def _rewards(prompt: str, responses: Sequence[str], votes: int, *, lead: bool) -> TextsPlan:
    texts = list(dict.fromkeys(responses))
    calls = tuple(RewardCall(prompt, text, vote) for vote in range(votes) for text in texts)
    places = [texts.index(text) for text in responses]
    rewarded = tuple(tuple(k + vote * len(texts) for vote in range(votes)) for k in places)
    return TextsPlan(calls, rewarded, (), lead)


def _comparisons(prompt: str, responses: Sequence[str], votes: int, *, lead: bool) -> TextsPlan:
    calls: dict[CompareCall, int] = {}

    def asked(first: str, second: str) -> tuple[int, ...]:
        return tuple(
            calls.setdefault(CompareCall(prompt, first, second, vote), len(calls))
            for vote in range(votes)
        )

    pairs = [
        _Pair(
            one,
            other,
            (Question(asked(a, b), chosen_first=True), Question(asked(b, a), chosen_first=False))
            if a != b
            else (),
        )
        for (one, a), (other, b) in combinations(enumerate(responses), 2)
    ]
    return TextsPlan(tuple(calls), (), tuple(pairs), lead)
