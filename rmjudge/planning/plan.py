"""From a tuple to its calls, and from their answers back to the nine cells.

A plan is pure: the same tuple, order and seed give the same calls in the same sequence,
whatever else runs. Equal texts in one tuple are one call, and every cell still counts.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias

from rmjudge.calls import Answer, Call, CompareCall, Reward, RewardCall, Verdict
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.report import NINE_CELLS, Design
from rmjudge.metrics.tallies import ALL_ASKED, TIE, Asked, Credits, credits_of_rewards
from rmjudge.planning.ordering import chosen_first, chosen_first_by_id
from rmjudge.planning.sampling import asked_cells, audited
from rmjudge.vocabulary import CELLS, Method, Order

Answers: TypeAlias = Sequence[Answer | None]
"""One answer for each call of a plan; None where there is none (yet)."""
Scores: TypeAlias = tuple[float | None, float | None, float | None]
"""Rewards, style by style."""


class CallPlan(Protocol):
    """What is to be asked about one thing: a tuple, or texts of the user's own."""

    @property
    def calls(self) -> Sequence[Call]:
        """The calls, each once."""
        ...

    @property
    def lead(self) -> bool:
        """Whether the first call goes ahead, to fill a prompt cache."""
        ...

    def after(self, call: int) -> int | None:
        """Tell which call it waits for; None: ask at once."""
        ...


@dataclass(frozen=True, slots=True)
class PointwisePlan:
    """At most six rewards a vote; `chosen` and `rejected` hold their calls, style by style."""

    item: BenchTuple
    calls: tuple[RewardCall, ...]
    chosen: tuple[tuple[int, ...], ...]
    rejected: tuple[tuple[int, ...], ...]
    lead: bool = False

    @property
    def asked(self) -> Asked:
        """Which cells are asked (3x3): rewards of six responses fill all nine."""
        return ALL_ASKED

    def after(self, call: int) -> int | None:
        """Tell what a call waits for: nothing, or the leading call that fills a prompt cache."""
        return 0 if self.lead and call else None

    def scores(self, answers: Answers) -> tuple[Scores, Scores]:
        """Rewards of the three chosen and of the three rejected, averaged over votes."""
        chosen, rejected = (
            (mean_reward(answers, one), mean_reward(answers, two), mean_reward(answers, three))
            for one, two, three in (self.chosen, self.rejected)
        )
        return chosen, rejected

    def credits(self, answers: Answers) -> Credits:
        """1, 0.5 (equal rewards) or 0 per cell."""
        return credits_of_rewards(*self.scores(answers))


def mean_reward(answers: Answers, votes: Sequence[int]) -> float | None:
    """The mean over the votes that gave a reward; None where none did."""
    scored = [answer.value for k in votes if isinstance(answer := answers[k], Reward)]
    return math.fsum(scored) / len(scored) if scored else None


@dataclass(frozen=True, slots=True)
class Question:
    """One order of one cell: the calls that ask it (one a vote), and who is shown first."""

    calls: tuple[int, ...]
    chosen_first: bool


@dataclass(frozen=True, slots=True)
class PairwisePlan:
    """Nine cells, each asked in one order or in both, each order by one vote or several.

    A cell whose two texts are equal has no question: no judge can tell them apart, it is a tie.
    A cell that is not asked has None. With `audit` some tuples are asked in both orders: the
    second tells what the order is worth, and only the first gives the credit. `by_id` says
    that the order is the one of older versions (`rmjudge.planning.ordering`).
    """

    item: BenchTuple
    calls: tuple[CompareCall, ...]
    questions: tuple[tuple[tuple[Question, ...] | None, ...], ...]
    order: Order
    lead: bool = False
    by_id: bool = False

    @property
    def asked(self) -> Asked:
        """Which cells are asked (3x3)."""
        return tuple(tuple(questions is not None for questions in row) for row in self.questions)

    def after(self, call: int) -> int | None:
        """Tell what a call waits for: nothing, or the leading call that fills a prompt cache."""
        return 0 if self.lead and call else None

    def credits(self, answers: Answers) -> Credits:
        """Mean credit of the chosen over the orders that count; None unless all are scored."""
        counted = 1 if self.order == "audit" else 2
        return tuple(
            [
                tuple([mean_credit(answers, cell and cell[:counted]) for cell in row])
                for row in self.questions
            ]
        )

    def first_matrix(self, answers: Answers) -> Credits:
        """Share of each cell's decided verdicts for the response shown first."""
        return tuple(
            [tuple([_first_share(answers, cell or ()) for cell in row]) for row in self.questions]
        )

    def swap_matrix(self, answers: Answers) -> Credits:
        """1 where both orders agree on the winner (or on a tie), 0 where not, None if unknown."""
        return tuple(
            tuple(_survives_swap(answers, cell or ()) for cell in row) for row in self.questions
        )

    def split_matrix(self, answers: Answers) -> Credits:
        """1 where the orders name opposite winners, 0 where not, None unless both are known."""
        return tuple(
            tuple(contradicts(answers, cell or ()) for cell in row) for row in self.questions
        )


def _first_share(answers: Answers, questions: Sequence[Question]) -> float | None:
    """The share of the cell's decided verdicts, votes and orders alike, for the first shown."""
    decided, first = 0, 0
    for question in questions:
        for k in question.calls:
            verdict = answers[k]
            if isinstance(verdict, Verdict) and verdict.first != TIE:
                decided += 1
                first += verdict.first > TIE
    return first / decided if decided else None


def credit_of(answers: Answers, question: Question) -> float | None:
    """Mean over the votes that gave a verdict."""
    votes = [answer.first for k in question.calls if isinstance(answer := answers[k], Verdict)]
    if not votes:
        return None
    first = math.fsum(votes) / len(votes)
    return first if question.chosen_first else 1.0 - first


def mean_credit(answers: Answers, questions: Sequence[Question] | None) -> float | None:
    """The mean over the orders asked, None unless all are scored; a tie where there is none.

    None, too, where the cell is not asked (no questions at all).
    """
    if questions is None:
        return None
    if not questions:
        return TIE
    total = 0.0
    for question in questions:
        credit = credit_of(answers, question)
        if credit is None:
            return None
        total += credit
    return total / len(questions)


def _survives_swap(answers: Answers, questions: Sequence[Question]) -> float | None:
    both = _both_signs(answers, questions)
    return None if both is None else float(both[0] == both[1])


def contradicts(answers: Answers, questions: Sequence[Question]) -> float | None:
    """1 where two orders name opposite winners, 0 where not, None unless both are known."""
    both = _both_signs(answers, questions)
    return None if both is None else float(both[0] * both[1] < 0)


def _both_signs(answers: Answers, questions: Sequence[Question]) -> tuple[int, int] | None:
    """Whom each order prefers; None unless both gave a verdict."""
    if len(questions) < 2:
        return None
    one, other = (credit_of(answers, question) for question in questions)
    return None if one is None or other is None else (_sign(one), _sign(other))


def _sign(credit: float) -> int:
    return (credit > TIE) - (credit < TIE)


Plan: TypeAlias = PointwisePlan | PairwisePlan


def plan_tuple(
    item: BenchTuple,
    method: Method,
    order: Order = "seeded",
    seed: int = 0,
    *,
    votes: int = 1,
    lead: bool = False,
    by_id: bool = False,
    design: Design = NINE_CELLS,
) -> Plan:
    """Turn one tuple into its calls.

    `votes` asks every question that often; `lead` sends the first call before its siblings,
    so that they find the prompt in the vendor's cache. `by_id` shows pairs in the order of older
    versions. `design` says how many cells a judge is asked, and of how many tuples in both orders.
    """
    if method == "pointwise":
        return _pointwise(item, votes, lead=lead)
    return _pairwise(item, order, seed, votes, design, lead=lead, by_id=by_id)


def plan_data(
    data: Iterable[BenchTuple],
    method: Method,
    order: Order,
    seed: int,
    *,
    votes: int = 1,
    lead_characters: int | None = None,
    by_id: Container[str] | None = frozenset(),
    design: Design = NINE_CELLS,
) -> list[Plan]:
    """Turn a data set into plans; prompts of at least `lead_characters` send a call ahead.

    `by_id` names the tuples whose pairs are shown in the order of older versions; None: all.
    """
    return [
        plan_tuple(
            item,
            method,
            order,
            seed,
            votes=votes,
            lead=lead_characters is not None and len(item.prompt) >= lead_characters,
            by_id=by_id is None or item.name in by_id,
            design=design,
        )
        for item in data
    ]


def _pointwise(item: BenchTuple, votes: int, *, lead: bool) -> PointwisePlan:
    texts = list(dict.fromkeys((*item.chosen, *item.rejected)))
    calls = tuple(RewardCall(item.prompt, text, vote) for vote in range(votes) for text in texts)

    def votes_on(text: str) -> tuple[int, ...]:
        return tuple(vote * len(texts) + texts.index(text) for vote in range(votes))

    return PointwisePlan(
        item,
        calls,
        tuple(map(votes_on, item.chosen)),
        tuple(map(votes_on, item.rejected)),
        lead,
    )


def _pairwise(
    item: BenchTuple,
    order: Order,
    seed: int,
    votes: int,
    design: Design,
    *,
    lead: bool,
    by_id: bool,
) -> PairwisePlan:
    # Cells with the same two texts share their calls, so one of them decides the order.
    texts_of: dict[tuple[int, int], frozenset[str]] = {}
    leader: dict[frozenset[str], tuple[int, int]] = {}
    for i, j in CELLS:
        texts = texts_of[i, j] = frozenset((item.chosen[i], item.rejected[j]))
        if len(texts) == 2:
            leader.setdefault(texts, (i, j))
    rule = chosen_first_by_id if by_id else chosen_first
    # Of all nine, asked or not: a run that asks the rest shows each pair in the same order.
    flags = rule(item, tuple(leader.values()), seed)
    cells = asked_cells(item, design.cells)
    wanted = {texts_of[cell] for cell in cells}
    shown: dict[frozenset[str], tuple[str, str]] = {}
    for texts, (i, j) in leader.items():
        if texts in wanted:
            chosen, rejected = item.chosen[i], item.rejected[j]
            shown[texts] = (chosen, rejected) if flags[i, j] else (rejected, chosen)

    seeded = [
        CompareCall(item.prompt, first, second, vote)
        for vote in range(votes)
        for first, second in shown.values()
    ]
    swapped = [CompareCall(call.prompt, call.second, call.first, call.vote) for call in seeded]
    twice = _in_both_orders(item, order, design)
    number = {texts: k for k, texts in enumerate(shown)}

    def questions(i: int, j: int) -> tuple[Question, ...] | None:
        if (i, j) not in cells:
            # Nor is it counted where an asked cell has the same two texts: tuples in which a cell
            # is more likely to be known would weigh more in it.
            return None
        texts = texts_of[i, j]
        if len(texts) == 1:
            return ()
        first = item.chosen[i] == shown[texts][0]
        return _questions(number[texts], len(shown), votes, twice=twice, chosen_first=first)

    grid = tuple([tuple([questions(i, j) for j in range(3)]) for i in range(3)])
    calls = seeded + swapped if twice else seeded
    return PairwisePlan(item, tuple(calls), grid, order, lead, by_id)


def _in_both_orders(item: BenchTuple, order: Order, design: Design) -> bool:
    if order == "audit":
        return audited(item, design.audit or 0.0)
    return order == "both"


@lru_cache(maxsize=4096)
def _questions(
    number: int, pairs: int, votes: int, *, twice: bool, chosen_first: bool
) -> tuple[Question, ...]:
    """How a plan of so many pairs asks about one of them; the same few for all tuples."""
    asked = tuple(vote * pairs + number for vote in range(votes))
    one = Question(asked, chosen_first)
    if not twice:
        return (one,)
    return (one, Question(tuple(k + votes * pairs for k in asked), not chosen_first))
