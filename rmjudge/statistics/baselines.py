"""The style baselines, scored on the texts: what a scorer of pure style gets of these tuples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rmjudge.dataset.tuples import BenchTuple, DataSet
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.compute import accuracies_over, compute_metrics
from rmjudge.metrics.report import Reading
from rmjudge.metrics.tallies import credits_of_rewards
from rmjudge.providers.baseline import REWARDS
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import Domain

BASELINES: Final = ("length", "markdown")


def longer_wins(data: DataSet) -> dict[Domain, Accuracies]:
    """What a scorer that prefers the longer response gets of each domain, read strictly."""
    return _strict("length", data)


def more_marks_win(data: DataSet) -> dict[Domain, Accuracies]:
    """What a scorer that prefers more marks of Markdown gets of each domain, read strictly."""
    return _strict("markdown", data)


def _strict(kind: str, data: DataSet) -> dict[Domain, Accuracies]:
    scored = baseline_of(kind, data)
    metrics = compute_metrics(scored.name, scored.method, None, scored.by_domain())
    return {domain: part.strict for domain, part in metrics.domains.items()}


def baseline_of(kind: str, data: DataSet) -> Scored:
    """Score the texts with a baseline, one of `BASELINES`."""
    reward = REWARDS[kind]
    return Scored(
        f"baseline/{kind}",
        "pointwise",
        {
            item.key: credits_of_rewards(
                [reward(item.prompt, text) for text in item.chosen],
                [reward(item.prompt, text) for text in item.rejected],
            )
            for item in data
        },
    )


def length_counter(items: Iterable[BenchTuple], reading: Reading) -> Accuracies:
    """What a scorer gets on these texts that prefers the longer response."""
    found = baseline_of("length", DataSet("", tuple(items)))
    return accuracies_over(found.by_domain(), reading)
