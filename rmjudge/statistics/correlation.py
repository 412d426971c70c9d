"""Does the benchmark tell which reward model trains the better policy?

Source: RM-Bench (ICLR 2025), section 5. Which accuracy is held against which scores is its
choice: in chat Hard against style-control scores; in math and safety Hard, in code Normal
against scores in downstream tasks, as ratios to those of the SFT model the policies start from.
The article prints one number for all downstream tasks (`pooling`); a row for each task and
domain, Spearman's rho and the intervals are this project's own.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.intervals import LEVEL
from rmjudge.metrics.report import Interval
from rmjudge.statistics.policies import PolicyScore, Scale
from rmjudge.vocabulary import DOMAINS, Difficulty, Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HELD_AGAINST: Final[dict[Domain, Difficulty]] = {
    "chat": "hard",
    "math": "hard",
    "code": "normal",
    "safety": "hard",
}
FEWEST: Final = 3
"""Two points always lie on a line."""
EXACT: Final = 8
"""Up to so many policies Spearman's p-value counts all orders (40,320 of 8)."""
_WHOLE: Final = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Point:
    """One scorer: its accuracy (a fraction) and its policy's score."""

    scorer: str
    accuracy: float
    score: float


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A correlation, its two-sided p-value and its 95 % interval; None where there is none."""

    value: float | None = None
    p_value: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Correlation:
    """One task, or the mean of a domain's tasks (`task` None).

    `scale` says what the scores are relative to. `doubt` says why there is no number, or what to
    keep in mind.
    """

    domain: Domain
    difficulty: Difficulty
    task: str | None
    scale: Scale
    points: tuple[Point, ...]
    pearson: Coefficient
    spearman: Coefficient
    doubt: str = ""

    @property
    def normalised(self) -> bool:
        """Whether the scores are ratios to the SFT model's."""
        return self.scale == "ratio"


def correlate(
    accuracies: Mapping[str, Mapping[Domain, Accuracies]], scores: Sequence[PolicyScore]
) -> tuple[Correlation, ...]:
    """Correlate each task, and the mean of a domain's tasks where it has several.

    `accuracies` are by scorer and domain. Scorers without an accuracy or without a score take
    no part; in a mean over tasks, those without a score in each of them.
    """
    return tuple(_correlations(accuracies, scores))


def _correlations(
    accuracies: Mapping[str, Mapping[Domain, Accuracies]], scores: Sequence[PolicyScore]
) -> Iterator[Correlation]:
    for domain in DOMAINS:
        tasks: dict[str, dict[str, PolicyScore]] = {}
        for score in scores:
            if score.domain == domain:
                tasks.setdefault(score.task, {})[score.scorer] = score
        known = {
            scorer: value
            for scorer, domains in accuracies.items()
            if domain in domains
            and (value := getattr(domains[domain], HELD_AGAINST[domain])) is not None
        }
        scales = {score.scale for by_scorer in tasks.values() for score in by_scorer.values()}
        for task, by_scorer in tasks.items():
            values = {scorer: score.value for scorer, score in by_scorer.items()}
            scale = next(iter(by_scorer.values())).scale
            yield _correlation(domain, task, known, values, scale)
        # Scores in different units have no mean; what is relative to a baseline has.
        if len(tasks) > 1 and len(scales) == 1 and "score" not in scales:
            everywhere = set.intersection(*(set(by_scorer) for by_scorer in tasks.values()))
            means = {
                scorer: math.fsum(by[scorer].value for by in tasks.values()) / len(tasks)
                for scorer in everywhere
            }
            yield _correlation(domain, None, known, means, scales.pop())


def _correlation(
    domain: Domain,
    task: str | None,
    accuracies: Mapping[str, float],
    scores: Mapping[str, float],
    scale: Scale,
) -> Correlation:
    points = tuple(
        Point(scorer, accuracy, scores[scorer])
        for scorer, accuracy in accuracies.items()
        if scorer in scores
    )
    pearson, spearman, doubt = _coefficients(points)
    difficulty = HELD_AGAINST[domain]
    return Correlation(domain, difficulty, task, scale, points, pearson, spearman, doubt)


def _coefficients(points: Sequence[Point]) -> tuple[Coefficient, Coefficient, str]:
    import numpy as np

    x = np.array([point.accuracy for point in points])
    y = np.array([point.score for point in points])
    if len(points) < FEWEST:
        return Coefficient(), Coefficient(), f"needs {FEWEST} policies or more"
    for values, what in ((x, "accuracy"), (y, "score")):
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            return Coefficient(), Coefficient(), f"the {what} is the same for all"
    doubt = "" if len(points) > FEWEST else "three policies have no interval"
    return _pearson(x, y), _spearman(x, y), doubt


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> Coefficient:
    """Pearson's r; p by Student's t, interval by Fisher's z."""
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        found = stats.pearsonr(x, y)
    value = float(found.statistic)
    return Coefficient(value, float(found.pvalue), _fisher(value, len(x), lambda _: 1.0))


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> Coefficient:
    """Spearman's rho; p by counting all orders of few policies, by Student's t of many.

    The interval is Fisher's z with the variance of Bonett and Wright (Psychometrika 65, 2000).
    """
    import numpy as np
    from scipy import stats

    found = stats.spearmanr(x, y)
    value, p_value = float(found.statistic), float(found.pvalue)
    if len(x) <= EXACT:
        ranks = stats.rankdata(y)
        counted = stats.permutation_test(
            (stats.rankdata(x),),
            lambda other: np.dot(other, ranks),
            permutation_type="pairings",
            n_resamples=np.inf,
        )
        p_value = float(counted.pvalue)
    return Coefficient(value, p_value, _fisher(value, len(x), lambda r: 1 + r**2 / 2))


def _fisher(value: float, n: int, variance: Callable[[float], float]) -> Interval | None:
    from scipy import stats

    if n <= FEWEST or abs(value) > _WHOLE:
        return None
    half = float(stats.norm.ppf(0.5 + LEVEL / 2)) * math.sqrt(variance(value) / (n - 3))
    middle = math.atanh(value)
    return Interval(math.tanh(middle - half), math.tanh(middle + half))
