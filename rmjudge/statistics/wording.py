"""The blind word test: do words alone, without the prompt, tell chosen from rejected?

A naive Bayes over the presence of words, marks and neighbouring pairs of them (Bernoulli, add one
half), held out by tuple in five folds. In each pair of one style the response with the higher odds
counts as the chosen, equal odds as half. Where it is right in much more than half of the pairs, the
wording of a side gives it away, and a scorer can be right without knowing what is right.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.intervals import pooled, share_interval
from rmjudge.metrics.report import Interval
from rmjudge.vocabulary import STYLES, Domain, Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rmjudge.dataset.tuples import BenchTuple, DataSet

FOLDS: Final = 5
CUTS: Final = 5
"""Ways of cutting the folds; they differ by .03 to .09 on RM-Bench, so their mean is told."""
FEWEST: Final = 20
"""Tuples of a domain below which a share says nothing."""
TELLING: Final = 0.65
"""A share above this, with an interval above a half, deserves a look."""
_SEEN: Final = 4
"""A word counts from this many texts of the other folds on."""
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|[^\s]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class WordTest:
    """How often words alone tell the side, of pairs of one style: a fraction, .5 is blind.

    The mean of `CUTS` ways of cutting the folds; `interval` is over tuples.
    """

    share: float
    interval: Interval | None

    @property
    def telling(self) -> bool:
        """Whether the wording gives the side away."""
        return self.share > TELLING and self.interval is not None and self.interval.low > 0.5


def word_tests(data: DataSet) -> dict[Domain, Mapping[Style, WordTest]]:
    """Test each domain of at least `FEWEST` tuples, style by style."""
    found: dict[Domain, Mapping[Style, WordTest]] = {}
    for domain in data.domains:
        items = [item for item in data if item.domain == domain]
        if len(items) >= FEWEST:
            found[domain] = {style: _tested(items, k) for k, style in enumerate(STYLES)}
    return found


def _tested(items: Sequence[BenchTuple], style: int) -> WordTest:
    return word_test([(item.chosen[style], item.rejected[style]) for item in items])


def word_test(pairs: Sequence[tuple[str, str]]) -> WordTest:
    """Test pairs of a better and a worse text, each of another item."""
    right = _right(pairs)
    return WordTest(math.fsum(right) / len(right), share_interval([pooled([[r] for r in right])]))


def _right(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """For each pair the share of the cuts in which words alone are right of it."""
    import numpy as np

    numbers: dict[object, int] = {}
    sides = [[_features(pair[side], numbers) for pair in pairs] for side in (0, 1)]
    apart = [
        (np.setdiff1d(one, other), np.setdiff1d(other, one))
        for one, other in zip(*sides, strict=True)
    ]
    whole = [_counted(side, len(numbers)) for side in sides]
    won = np.zeros(len(pairs))
    for seed in range(CUTS):
        order = list(range(len(pairs)))
        random.Random(seed).shuffle(order)  # noqa: S311, a reproducible cut and no secret
        for fold in range(FOLDS):
            held = order[fold::FOLDS]
            odds = _odds(
                *(
                    whole[side] - _counted([sides[side][k] for k in held], len(numbers))
                    for side in (0, 1)
                ),
                tuples=len(pairs) - len(held),
            )
            for k in held:
                one, other = (math.fsum(odds[only]) for only in apart[k])
                won[k] += 1.0 if one > other else 0.5 if one == other else 0.0
    return [float(share) for share in won / CUTS]


def _features(text: str, numbers: dict[object, int]) -> NDArray[np.int64]:
    """The numbers of a text's words and neighbouring pairs, each once."""
    import numpy as np

    words = _WORD.findall(text.lower())
    features = dict.fromkeys([*words, *pairwise(words)])
    return np.array([numbers.setdefault(one, len(numbers)) for one in features], dtype=np.int64)


def _counted(texts: Sequence[NDArray[np.int64]], features: int) -> NDArray[np.int64]:
    """In how many of the texts each feature is."""
    import numpy as np

    if not texts:
        return np.zeros(features, dtype=np.int64)
    return np.bincount(np.concatenate(texts), minlength=features)


def _odds(
    chosen: NDArray[np.int64], rejected: NDArray[np.int64], *, tuples: int
) -> NDArray[np.float64]:
    """What each feature adds to the log-odds of being the chosen."""
    import numpy as np

    odds = np.log((chosen + 0.5) / (tuples - chosen + 0.5)) - np.log(
        (rejected + 0.5) / (tuples - rejected + 0.5)
    )
    return np.where(chosen + rejected >= _SEEN, odds, 0.0)
