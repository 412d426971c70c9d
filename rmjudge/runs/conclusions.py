"""The sentence about each scorer of some results: the first thing that a report says."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.conclusion import Conclusion, conclude
from rmjudge.metrics.report import Metrics, Reading
from rmjudge.runs.comparable import BASELINE
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult

LENGTH = "baseline/length"


def conclusions(results: Sequence[ScorerResult]) -> list[tuple[str, Conclusion]]:
    """Conclude for each scorer by its name; baselines only where there is nothing else.

    A result of several scorers, or of the tuples that others left, says nothing of one scorer.
    """
    named = [
        (name, result)
        for name, result in zip(labels(results), results, strict=True)
        if result.metrics.shares is None
    ]
    models = [pair for pair in named if not pair[1].metrics.scorer.startswith(BASELINE)]
    return [(name, _of(result, results)) for name, result in models or named]


def conclusion_lines(results: Sequence[ScorerResult]) -> list[str]:
    """A line for each; with its name unless it is the only scorer."""
    if len(results) == 1:
        return [conclusion.text for _, conclusion in conclusions(results)]
    return [conclusion.text_of(name) for name, conclusion in conclusions(results)]


def _of(result: ScorerResult, results: Sequence[ScorerResult]) -> Conclusion:
    if result.metrics.scorer == LENGTH:
        return conclude(result.metrics)
    return conclude(result.metrics, result.length_counter or _beside(result, results))


def _beside(result: ScorerResult, results: Sequence[ScorerResult]) -> Accuracies | None:
    """A length counter's numbers where it is among the results, with the same tuples."""
    keys = {item.key for item in result.tuples}
    for other in results:
        if keys and other.metrics.scorer == LENGTH and {item.key for item in other.tuples} == keys:
            return _read(other.metrics, result.metrics.reading)
    return None


def _read(metrics: Metrics, reading: Reading) -> Accuracies:
    return metrics.strict if reading == "strict" else metrics.half_credit
