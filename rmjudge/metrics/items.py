"""What a scorer's answers about the items of a preference set are worth: both readings, averaged.

Which reading, and which average, is the benchmark's own is said by its descriptor; the others are
computed beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rmjudge.metrics.intervals import pooled, share_interval
from rmjudge.metrics.item_cells import cells_of
from rmjudge.metrics.outcomes import (
    NO_VERDICT,
    PAIRED,
    ItemOutcome,
    Vote,
    reciprocal_rank,
    score_of,
)
from rmjudge.metrics.report import Interval
from rmjudge.metrics.tallies import TIE
from rmjudge.metrics.ties import Ties, ties_of

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor


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
    `no_verdict` counts replies without one, `absent` questions without a reply. `mrr` is the mean
    reciprocal rank of the first right response by rewards, where one is to beat all wrong ones;
    `cells` are a matrix's, `better/worse`, with both readings.
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
    mrr: float | None = None
    cells: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

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
    whole = _share([o for o in outcomes if not rules.is_ties(o.subset)], rules)
    sections = _sections(subsets, rules)
    averages: dict[str, dict[str, float | None]] = {}
    for reading in ("strict", "half_credit"):
        of_subsets = [share.read(reading) for share in subsets.values()]
        averages.setdefault("micro", {})[reading] = whole.read(reading)
        averages.setdefault("macro", {})[reading] = _average(of_subsets)
        if rules.weights:
            averages.setdefault("weighted", {})[reading] = _weighted(subsets, rules, reading)
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
        mrr=_mean_rank(outcomes, rules),
        cells=cells_of(outcomes, rules),
    )


def _mean_rank(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> float | None:
    if rules.kind in PAIRED:
        return None
    return _average([reciprocal_rank(o) for o in outcomes if not rules.is_ties(o.subset)])


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
    if outcomes and rules.is_ties(outcomes[0].subset):
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
    if rules.average in ("sections", "weighted"):
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
    if rules.average in ("sections", "weighted") or any(map(rules.is_ties, named)):
        return None
    return share_interval([pooled([[v] for v in _read(group, rules)]) for group in groups])


def _read(outcomes: Sequence[ItemOutcome], rules: Descriptor) -> list[float]:
    scores = [score_of(outcome, rules) for outcome in outcomes]
    read = [one.strict if rules.ties == "strict" else one.half_credit for one in scores]
    return [value for value in read if value is not None]


def _sections(
    subsets: Mapping[str, Share], rules: Descriptor, reading: str | None = None
) -> dict[str, float | None]:
    """Each section: the mean of its subsets that are there, weighted where these have weights."""
    return {
        name: _weighted(
            {one: subsets[one] for one in members if one in subsets}, rules, reading or rules.ties
        )
        for name, members in rules.sections.items()
        if any(one in subsets for one in members)
    }


def _weighted(subsets: Mapping[str, Share], rules: Descriptor, reading: str) -> float | None:
    """The mean of subsets, each with its weight; one without a weight of its own weighs 1."""
    parts = [(rules.weights.get(name, 1.0), share.read(reading)) for name, share in subsets.items()]
    known = [(weight, value) for weight, value in parts if value is not None]
    if not known or len(known) < len(parts):
        return None
    total = math.fsum(weight for weight, _ in known)
    return math.fsum(weight * value for weight, value in known) / total if total else None


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None


def _rate(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
