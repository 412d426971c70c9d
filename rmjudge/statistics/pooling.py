"""All downstream tasks together: RM-Bench's one number for how accuracies tell of policies.

Source: RM-Bench (ICLR 2025), section 5. Accuracies are standardised over the reward models, since
Hard in math and Normal in code lie in different ranges; a policy's score is the mean over a
domain's tasks of its ratio to the SFT model's. Each reward model then has a point in each domain.
The article's p-value takes these points as independent. The points of one model are not: what
makes a policy good in math helps it in code. `permuted_p` deals whole models out anew instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import TYPE_CHECKING, Final

from rmjudge.statistics.correlation import EXACT, FEWEST, Correlation
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POOLED: Final[tuple[Domain, ...]] = ("math", "code", "safety")
"""The domains whose policies are tried in downstream tasks."""
DRAWN: Final = 99_999
"""Orders that are drawn where there are too many to count."""
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PooledPoint:
    """A reward model in one domain: its accuracy in standard deviations, its policy's ratio."""

    scorer: str
    domain: Domain
    accuracy: float
    score: float


@dataclass(frozen=True, slots=True)
class Pool:
    """Pearson's r over the points of all domains; None, with the reason in `doubt`, without one.

    `naive_p` takes the points as independent. `permuted_p` is the share of the orders of whole
    models whose r is as far from 0: all `orders` of up to eight models, else so many drawn.
    """

    domains: tuple[Domain, ...]
    scorers: tuple[str, ...]
    points: tuple[PooledPoint, ...]
    value: float | None = None
    naive_p: float | None = None
    permuted_p: float | None = None
    orders: int = 0
    doubt: str = ""


def pool(found: Sequence[Correlation]) -> Pool | None:
    """Pool the domains of POOLED, each by the mean of its tasks; None where there are not two.

    Takes the reward models that have a point in every domain, so that models can be exchanged.
    """
    rows = {domain: row for domain in POOLED if (row := _row(found, domain)) is not None}
    if len(rows) < 2:
        return None
    by_domain = [{point.scorer: point for point in row.points} for row in rows.values()]
    scorers = tuple(name for name in by_domain[0] if all(name in points for points in by_domain))
    if len(scorers) < FEWEST:
        doubt = f"needs {FEWEST} reward models with a policy's score in each of {', '.join(rows)}"
        return Pool(tuple(rows), scorers, (), doubt=doubt)
    accuracies = _array([[points[name].accuracy for points in by_domain] for name in scorers])
    scores = _array([[points[name].score for points in by_domain] for name in scorers])
    spread = accuracies.std(axis=0, ddof=1)
    for domain, one in zip(rows, spread, strict=True):
        if one <= _SAME:
            return Pool(tuple(rows), scorers, (), doubt=f"the accuracy in {domain} is one for all")
    if float(scores.std()) <= _SAME:
        return Pool(tuple(rows), scorers, (), doubt="the score is the same for all")
    standardised = (accuracies - accuracies.mean(axis=0)) / spread
    points = tuple(
        PooledPoint(name, domain, float(standardised[m, d]), float(scores[m, d]))
        for d, domain in enumerate(rows)
        for m, name in enumerate(scorers)
    )
    return _correlated(tuple(rows), scorers, points, standardised, scores)


def _correlated(
    domains: tuple[Domain, ...],
    scorers: tuple[str, ...],
    points: tuple[PooledPoint, ...],
    accuracies: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> Pool:
    from scipy import stats

    found = stats.pearsonr(accuracies.ravel(), scores.ravel())
    p_value, orders = permuted(accuracies, scores)
    return Pool(
        domains=domains,
        scorers=scorers,
        points=points,
        value=float(found.statistic),
        naive_p=float(found.pvalue),
        permuted_p=p_value,
        orders=orders,
    )


def permuted(accuracies: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[float, int]:
    """The p-value of no relation, models x domains each, and how many orders it rests on.

    A permutation test (Fisher, 1935) whose unit is the model: under the null hypothesis every
    model's accuracies are as likely to come with any policy's scores. Means and spreads do not
    change by it, so the orders are ranked by the sum of products. Drawn orders count the one that
    was found too (Phipson and Smyth, 2010).
    """
    import numpy as np

    models = len(accuracies)
    # Accuracies have mean 0 in each domain, so that r is 0 where the sum of products is.
    products = accuracies @ scores.T
    places = np.arange(models)
    limit = abs(float(products.trace()))
    limit -= _SAME * float(np.abs(products).sum())
    exact = models <= EXACT
    extreme = orders = 0
    source = permutations(range(models)) if exact else _drawn(models)
    while chunk := list(islice(source, 10_000)):
        sums = products[np.array(chunk), places].sum(axis=1)
        extreme += int((np.abs(sums) >= limit).sum())
        orders += len(chunk)
    return (extreme / orders if exact else (extreme + 1) / (orders + 1)), orders


def _drawn(models: int) -> Iterator[Sequence[int]]:
    import numpy as np

    random = np.random.default_rng(0)
    for _ in range(DRAWN):
        yield random.permutation(models).tolist()


def _row(found: Sequence[Correlation], domain: Domain) -> Correlation | None:
    """The domain's row of ratios: the mean of its tasks, or the only task there is."""
    rows = [item for item in found if item.domain == domain and item.scale == "ratio"]
    return next((item for item in rows if item.task is None), rows[0] if rows else None)


def _array(values: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    import numpy as np

    return np.array(values, dtype=np.float64)
