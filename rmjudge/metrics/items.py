"""What a scorer's answers about the items of a preference set are worth: both readings, averaged.

An item's score has two readings: strict (a tie is no win) and half credit. Which of them, and which
average, is the benchmark's own is said by its descriptor; the others are computed beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rmjudge.metrics.intervals import pooled, share_interval
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE, strict
from rmjudge.metrics.ties import Ties, ties_of

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor

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
    if outcome.rewards is not None:
        rewards = outcome.rewards
        if rules.kind == "pairs":
            return _mean(
                [
                    _by_rewards(rewards[i], rewards[j])
                    for i, one in enumerate(outcome.grades)
                    for j, other in enumerate(outcome.grades)
                    if one > other
                ]
            )
        return _pick(rewards, outcome.best)
    if outcome.choices is not None:
        return _mean([_by_choice(one, outcome, rules) for one in outcome.choices])
    scored = [(better, _by_votes(votes, rules)) for better, _worse, votes in outcome.votes or ()]
    if rules.kind == "pairs":
        return _mean([score for _, score in scored])
    return _beats_all(scored)


def scores_of(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> tuple[float | None, ...]:
    """Each item's score in the benchmark's own reading; None in a subset of Ties."""
    found: list[float | None] = []
    for outcome in outcomes:
        score = score_of(outcome, rules)
        if rules.ties_subset and outcome.subset == rules.ties_subset:
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


@dataclass(frozen=True, slots=True)
class Share:
    """A subset, or all items: how many, how many are scored, and what they score.

    `low` and `high` are the headline reading if all items without a score were wrong, or right;
    `interval` is that reading's 95 % interval. `ties` are the parts of RewardBench 2's Ties, where
    the subset is scored so: it is both readings then.
    """

    items: int
    scored: int
    strict: float | None
    half_credit: float | None
    low: float | None = None
    high: float | None = None
    interval: Interval | None = None
    ties: Ties | None = None

    def read(self, reading: str) -> float | None:
        """One of the two readings."""
        return self.strict if reading == "strict" else self.half_credit


@dataclass(frozen=True, slots=True)
class ItemMetrics:
    """One scorer on one benchmark. `reading` and `average` say which number is the benchmark's own.

    `averages` holds each reading of micro, macro and, where the benchmark has sections, these.
    `tie_rate` is the share of ties among a judge's verdicts, or among pairs of a better and a worse
    reward; `swap_rate` that of pairs whose winner both orders name; None where nobody knows.
    `no_verdict` counts replies without one, `absent` questions without a reply.
    """

    scorer: str
    benchmark: str
    title: str
    method: str
    order: str | None
    kind: str
    reading: str
    average: str
    headline: float | None
    low: float | None
    high: float | None
    interval: Interval | None
    averages: Mapping[str, Mapping[str, float | None]]
    whole: Share
    subsets: Mapping[str, Share]
    sections: Mapping[str, float | None] = field(default_factory=dict)
    tie_rate: float | None = None
    swap_rate: float | None = None
    no_verdict: int = 0
    absent: int = 0

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(share.items for share in self.subsets.values())

    @property
    def scored(self) -> int:
        """How many of them have a score."""
        return sum(share.scored for share in self.subsets.values())

    @property
    def complete(self) -> bool:
        """Whether every item is scored."""
        return not self.absent and self.scored == self.items


def measure(
    scorer: str,
    method: str,
    order: str | None,
    outcomes: Sequence[ItemOutcome],
    rules: Descriptor,
) -> ItemMetrics:
    """Score every item, and average as the benchmark does, and otherwise."""
    groups: dict[str, list[ItemOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.subset, []).append(outcome)
    subsets = {name: _share(group, rules) for name, group in groups.items()}
    whole = _share([o for o in outcomes if o.subset != rules.ties_subset or not o.subset], rules)
    sections = _sections(subsets, rules)
    averages: dict[str, dict[str, float | None]] = {}
    for reading in ("strict", "half_credit"):
        of_subsets = [share.read(reading) for share in subsets.values()]
        averages.setdefault("micro", {})[reading] = whole.read(reading)
        averages.setdefault("macro", {})[reading] = _average(of_subsets)
        if rules.sections:
            named = _sections(subsets, rules, reading)
            averages.setdefault("sections", {})[reading] = _average(list(named.values()))
    low, high = _bounds(rules, whole, subsets)
    pairs = [pair for outcome in outcomes for pair in outcome.votes or ()]
    votes = [vote for _, _, given in pairs for vote in given]
    absent = sum(vote is None for vote in votes)
    chosen = [one for outcome in outcomes for one in outcome.choices or ()]
    absent += sum(one is None for one in chosen)
    absent += sum(reward is None for o in outcomes for reward in o.rewards or ())
    return ItemMetrics(
        scorer=scorer,
        benchmark=rules.name,
        title=rules.title,
        method=method,
        order=order,
        kind=rules.kind,
        reading=rules.ties,
        average=rules.average,
        headline=averages[rules.average][rules.ties],
        low=low,
        high=high,
        interval=_interval(rules, whole, list(groups.values())),
        averages=averages,
        whole=whole,
        subsets=subsets,
        sections=sections,
        tie_rate=_rate(_tied(outcomes)),
        swap_rate=_rate(_survives(pairs)),
        no_verdict=sum(vote == NO_VERDICT for vote in (*votes, *chosen)),
        absent=absent,
    )


def _tied(outcomes: Sequence[ItemOutcome]) -> list[float]:
    found = []
    for outcome in outcomes:
        given = [vote for _, _, votes in outcome.votes or () for vote in votes]
        found += [float(vote == TIE) for vote in given if isinstance(vote, float | int)]
        rewards = list(zip(outcome.grades, outcome.rewards or (), strict=False))
        found += [
            float(one == other)
            for grade, one in rewards
            for lower, other in rewards
            if grade > lower and one is not None and other is not None
        ]
    return found


def _survives(pairs: Sequence[tuple[int, int, tuple[Vote, ...]]]) -> list[float]:
    """1 where both orders name one winner (or a tie), 0 where not, of pairs asked twice."""
    found = []
    for _, _, votes in pairs:
        signs = [(v > TIE) - (v < TIE) for v in votes if isinstance(v, float | int)]
        if len(signs) == 2:
            found.append(float(signs[0] == signs[1]))
    return found


def _share(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> Share:
    if rules.ties_subset and outcomes and outcomes[0].subset == rules.ties_subset:
        ties = ties_of(outcomes)
        scored = sum(None not in (outcome.rewards or (None,)) for outcome in outcomes)
        score = ties.score if ties else None
        return Share(len(outcomes), scored, score, score, score, score, ties=ties)
    scores = [score_of(outcome, rules) for outcome in outcomes]
    ones = [score.strict for score in scores if score.strict is not None]
    halves = [score.half_credit for score in scores if score.half_credit is not None]
    known = ones if rules.ties == "strict" else halves
    total, count = math.fsum(known), len(scores)
    return Share(
        items=count,
        scored=len(ones),
        strict=_average(ones),
        half_credit=_average(halves),
        low=total / count if count else None,
        high=(total + count - len(known)) / count if count else None,
        interval=share_interval([pooled([[value] for value in known])]),
    )


def _bounds(
    rules: Descriptor, whole: Share, subsets: Mapping[str, Share]
) -> tuple[float | None, float | None]:
    """The headline if all items without a score were wrong, or right; not known of sections."""
    if rules.average == "micro":
        return whole.low, whole.high
    if rules.average == "sections":
        return None, None
    low = _average([share.low for share in subsets.values()])
    return low, _average([share.high for share in subsets.values()])


def _interval(
    rules: Descriptor, whole: Share, groups: Sequence[Sequence[ItemOutcome]]
) -> Interval | None:
    """The headline's interval; none where subsets weigh differently, or Ties is one of them."""
    if rules.average == "micro":
        return whole.interval
    named = {outcome.subset for group in groups for outcome in group}
    if rules.average == "sections" or (rules.ties_subset and rules.ties_subset in named):
        return None
    return share_interval([pooled([[v] for v in _read(group, rules)]) for group in groups])


def _read(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> list[float]:
    scores = [score_of(outcome, rules) for outcome in outcomes]
    read = [one.strict if rules.ties == "strict" else one.half_credit for one in scores]
    return [value for value in read if value is not None]


def _sections(
    subsets: Mapping[str, Share], rules: Descriptor, reading: str | None = None
) -> dict[str, float | None]:
    """Each section: the mean of its subsets that are there."""
    return {
        name: _average(
            [subsets[one].read(reading or rules.ties) for one in members if one in subsets]
        )
        for name, members in rules.sections.items()
        if any(one in subsets for one in members)
    }


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def _rate(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
