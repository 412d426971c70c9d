"""A matrix over groups of responses: rows are the groups of the better one, columns of the worse.

RM-Bench's is the one of its styles; any set whose items hold a better and a worse response of each
group has one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rmjudge.metrics.outcomes import ItemOutcome, Score, pair_scores

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor


def cells_of(
    outcomes: Sequence[ItemOutcome], rules: Descriptor
) -> dict[str, Mapping[str, float | None]]:
    """The mean of each cell, `better/worse`, over the items where it is scored; both readings.

    Empty for a set that is no matrix.
    """
    groups = rules.fields.groups
    found: dict[str, list[Score]] = {f"{one}/{other}": [] for one in groups for other in groups}
    for outcome in outcomes if groups else ():
        for (better, worse), score in pair_scores(outcome, rules).items():
            found[f"{groups[better]}/{groups[worse - len(groups)]}"].append(score)
    return {
        name: {
            "strict": _mean([score.strict for score in scores]),
            "half_credit": _mean([score.half_credit for score in scores]),
        }
        for name, scores in found.items()
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
