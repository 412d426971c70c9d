"""The style baselines on texts: what a scorer of pure style gets of them."""

from __future__ import annotations

from typing import Final

from rmjudge.dataset import DataSet
from rmjudge.metrics.tallies import credits_of_rewards
from rmjudge.providers.baseline import REWARDS
from rmjudge.statistics.scored import Scored

BASELINES: Final = ("length", "markdown")


def baseline_of(kind: str, data: DataSet) -> Scored:
    """Score the texts with a baseline: what a scorer of pure style gets of these tuples."""
    reward = REWARDS[kind]
    return Scored(
        f"baseline/{kind}",
        "pointwise",
        {
            (item.domain, item.id): credits_of_rewards(
                [reward(item.prompt, text) for text in item.chosen],
                [reward(item.prompt, text) for text in item.rejected],
            )
            for item in data
        },
    )
