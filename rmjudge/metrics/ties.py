"""RewardBench 2's subset Ties: questions with one right answer, and twins with several.

Source: `process_single_model` of reward-bench. An id is `ref:N` (one right answer) or `tied:N`.
Over the N that have both, with c the worst right reward less the best wrong one and d the spread
of the right ones of the tied twin::

    score = .3 mean(c_tied > 0) + .3 mean(c_ref > 0) + .2 mean(c_tied > d)
          + .2 mean(min(c_ref, c_tied) > d) + .01 mean(tanh(min(c_ref, c_tied) / d - 1))

The first two are over all tied, and all ref. Where d and c are both 0 the last term is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rmjudge.metrics.outcomes import ItemOutcome


@dataclass(frozen=True, slots=True)
class Ties:
    """The parts of the score, each a mean; `margin` may be negative."""

    tied_accuracy: float
    ref_accuracy: float
    preferred: float
    preferred_hard: float
    margin: float

    @property
    def score(self) -> float:
        """All together; up to 1.01."""
        return (
            0.3 * self.tied_accuracy
            + 0.3 * self.ref_accuracy
            + 0.2 * self.preferred
            + 0.2 * self.preferred_hard
            + 0.01 * self.margin
        )


def ties_of(outcomes: Sequence[ItemOutcome]) -> Ties | None:
    """The parts of the score; None where a reward is missing, or there are no twins."""
    gaps: dict[str, dict[str, tuple[float, float]]] = {"ref": {}, "tied": {}}
    for outcome in outcomes:
        kind, _, number = str(outcome.id).partition(":")
        rewards = [reward for reward in outcome.rewards or () if reward is not None]
        if kind not in gaps or len(rewards) < len(outcome.grades):
            return None
        right = [rewards[place] for place in outcome.best]
        wrong = [reward for place, reward in enumerate(rewards) if place not in outcome.best]
        if not wrong:
            return None
        gaps[kind][number] = (min(right) - max(wrong), max(right) - min(right))
    twins = [(gaps["ref"][n][0], *gaps["tied"][n]) for n in gaps["tied"] if n in gaps["ref"]]
    if not twins:
        return None
    return Ties(
        tied_accuracy=_mean([gap > 0 for gap, _ in gaps["tied"].values()]),
        ref_accuracy=_mean([gap > 0 for gap, _ in gaps["ref"].values()]),
        preferred=_mean([tied > spread for _, tied, spread in twins]),
        preferred_hard=_mean([min(ref, tied) > spread for ref, tied, spread in twins]),
        margin=_mean([_margin(min(ref, tied), spread) for ref, tied, spread in twins]),
    )


def _margin(gap: float, spread: float) -> float:
    if spread == 0:  # as numpy divides: to infinity, and not a number (0) of 0
        return (gap > 0) - (gap < 0)
    return math.tanh(gap / spread - 1)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
