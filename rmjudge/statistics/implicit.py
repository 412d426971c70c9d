"""Implicit rewards against classifiers, one preference set a row: RM-Bench's second table.

A preference set trained a classifier and a policy (DPO); the policy's reward is read with its
reference and without. Each set is compared on the tuples that all of its scorers scored, and the
differences of all sets are corrected together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rmjudge.metrics.intervals import share_interval, weighted
from rmjudge.metrics.report import Interval, Reading
from rmjudge.statistics.comparison import COLUMNS, compare
from rmjudge.statistics.pairing import Shared, share
from rmjudge.statistics.power import ALPHA
from rmjudge.statistics.testing import holm
from rmjudge.vocabulary import CELLS, PARTS, REWARD_KINDS, Domain, Part, RewardKind

if TYPE_CHECKING:
    from rmjudge.statistics.scored import Scored


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A fraction, the mean over the domains, and its 95 % interval; None where none is known."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """The average accuracy of `first` less that of `second`, paired by tuple.

    `p_value` is McNemar's (`testing.mcnemar`), `p_holm` corrected for the contrasts of all sets.
    `interval` is of this contrast alone, as `p_value`.
    """

    first: RewardKind
    second: RewardKind
    difference: float
    interval: Interval | None
    p_value: float
    p_holm: float

    @property
    def evident(self) -> bool:
        """Whether the corrected test finds a difference at the 5 % level."""
        return self.p_holm < ALPHA


@dataclass(frozen=True, slots=True)
class SetRow:
    """One preference set. `left_out` counts tuples that not all of its scorers scored."""

    name: str
    reading: Reading
    tuples: Mapping[Domain, int]
    left_out: int
    accuracies: Mapping[RewardKind, Mapping[Part, Accuracy]]
    contrasts: tuple[Contrast, ...]


def compare_sets(
    sets: Sequence[tuple[str, Sequence[Scored]]], readings: Sequence[Reading]
) -> tuple[SetRow, ...]:
    """Compare the scorers of each set; each `Scored` is named by its kind, two or more a set.

    Raises:
        UsageError: no tuple of a set was scored by all.
    """
    rows = [
        _row(name, scored, reading) for (name, scored), reading in zip(sets, readings, strict=True)
    ]
    corrected = iter(holm([item.p_value for row in rows for item in row.contrasts]))
    return tuple(
        replace(
            row,
            contrasts=tuple(replace(item, p_holm=next(corrected)) for item in row.contrasts),
        )
        for row in rows
    )


def _row(name: str, scored: Sequence[Scored], reading: Reading) -> SetRow:
    shared = share(scored, reading)
    kinds = [kind for kind in REWARD_KINDS if kind in shared.scorers]
    return SetRow(
        name=name,
        reading=reading,
        tuples={domain: len(keys) for domain, keys in shared.tuples.items()},
        left_out=shared.incomplete + shared.elsewhere,
        accuracies={
            kind: {part: _accuracy(shared, shared.scorers.index(kind), part) for part in PARTS}
            for kind in kinds
        },
        contrasts=tuple(_contrasts(scored, reading, kinds)),
    )


def _contrasts(
    scored: Sequence[Scored], reading: Reading, kinds: Sequence[RewardKind]
) -> list[Contrast]:
    named: dict[str, RewardKind] = {kind: kind for kind in kinds}
    found = []
    for pair in compare(scored, reading).pairs:
        row = pair.headline
        found.append(
            Contrast(
                named[pair.first],
                named[pair.second],
                row.difference,
                row.interval,
                row.p_value,
                p_holm=1.0,
            )
        )
    return found


def _accuracy(shared: Shared, scorer: int, part: Part) -> Accuracy:
    columns = COLUMNS[part]
    weights = [1 / len(columns) if cell in columns else 0.0 for cell in range(len(CELLS))]
    values = [domain[scorer] for domain in shared.values.values()]
    means = [float(domain[:, list(columns)].mean()) for domain in values]
    samples = [weighted(domain.tolist(), weights) for domain in values]
    return Accuracy(sum(means) / len(means), share_interval(samples))
