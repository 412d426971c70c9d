"""Which of two scorers is better, asked while answers come in: a group-sequential comparison.

After each fifth of the tuples the difference of the averages is tested. The bounds are O'Brien and
Fleming's (Biometrics 35, 1979): wide at first, hardly wider than a single test's at the end, so
that all five looks together find a difference that is not there in 5 % of the runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rmjudge.errors import UsageError
from rmjudge.metrics.codec import interval_to_json
from rmjudge.metrics.intervals import LEVEL, Sample, difference_interval, t_quantile
from rmjudge.metrics.report import Interval, Reading
from rmjudge.statistics.pairing import sample_of, share, summed
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.testing import mcnemar
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rmjudge.calls import Json

LOOKS: Final = 5
BOUND: Final = 2.040
"""O'Brien and Fleming's constant of five looks, 5 % in all: `crossing` checks it in a test."""
_STEP: Final = 0.02
GAPS: Final = (0.02, 0.05, 0.1, 0.15)
"""True differences for which a dry run tells what to expect."""
ASSUMED_SD: Final = 0.38
"""How much the difference of two judges varies from tuple to tuple, where nothing is known yet.

Towards the cautious end for simulated judges: 0.32 asked nine cells, 0.40 asked three
(`benchmarks/sequential.py`).
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known after a number of looks; `z` is None where it cannot be tested yet."""

    number: int
    tuples: int
    difference: float | None
    z: float | None
    samples: tuple[Sample | None, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """How a comparison ended. `difference` is the first's average less the second's.

    `better` is the scorer that was found to be, None where none was. `interval` and `p` account for
    the looks: the interval holds 0 if and only if p is 5 % or more. `looks` counts those taken,
    `share` says how much of all calls was asked.
    """

    decided: bool
    better: str | None
    first: str
    second: str
    difference: float | None
    interval: Interval | None
    p: float
    looks: int
    share: float

    def to_json(self) -> dict[str, Json]:
        """For `--json` and `decision.json`; fractions."""
        return {
            "decided": self.decided,
            "better": self.better,
            "first": self.first,
            "second": self.second,
            "difference": self.difference,
            "interval": interval_to_json(self.interval),
            "p": round(self.p, 6),
            "looks": self.looks,
            "share": self.share,
        }


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a run may expect at a true `gap` (all are fractions)."""

    gap: float
    share: float
    decided: float

    def to_json(self) -> dict[str, Json]:
        """For `--dry-run --json`."""
        return {"gap": self.gap, "share": self.share, "decided": self.decided}


def expectations(tuples: Sequence[int]) -> list[Expectation]:
    """What to expect at some true gaps, of so many tuples a domain."""
    return [Expectation(gap, *expected(gap, tuples)) for gap in GAPS]


def bound(look: int) -> float:
    """The |z| above which a look, counted from 1, decides."""
    return BOUND * math.sqrt(LOOKS / look)


def look_at(
    first: Scored, second: Scored, reading: Reading, domains: Sequence[Domain], number: int
) -> Look:
    """Test the difference on what both have scored so far, once all of `domains` are in it."""
    try:
        shared = share([first, second], reading)
    except UsageError:  # no tuple, or a cell that no tuple has
        return Look(number, 0, None, None, ())
    gaps = {domain: values[0] - values[1] for domain, values in shared.values.items()}
    samples = tuple(map(sample_of, gaps.values()))
    if set(gaps) != set(domains) or None in samples:
        return Look(number, len(shared), None, None, samples)
    strata = list(map(summed, gaps.values()))
    return Look(number, len(shared), *statistic(strata), samples)


def statistic(strata: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The difference, and the z of McNemar's test by tuple, `strata` as there.

    The first looks have few tuples in the smallest domain: z is made smaller as Student's quantile
    is larger than the normal one, with Satterthwaite's degrees of freedom.
    """
    domains = len(strata)
    difference = math.fsum(float(part.mean()) for part in strata) / domains
    sizes = [len(part) for part in strata]
    variances = [float(part.var(ddof=1)) / len(part) for part in strata]
    parts = math.fsum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
    freedom = math.fsum(variances) ** 2 / parts if parts else float(sum(sizes) - domains)
    student = t_quantile(math.inf) / t_quantile(min(max(freedom, 1.0), sum(sizes) - domains))
    return difference, math.copysign(student * mcnemar(strata).z, difference)


def crossed(look: Look) -> bool:
    """Whether a look decides."""
    return look.z is not None and abs(look.z) > bound(look.number)


def decide(looks: Sequence[Look], names: tuple[str, str], share: float) -> Decision:
    """Read the looks that were taken. No look: nothing is known."""
    last = looks[-1] if looks else Look(0, 0, None, None, ())
    reached = max(
        (abs(one.z) * math.sqrt(one.number / LOOKS) for one in looks if one.z is not None),
        default=0.0,
    )
    decided = bool(looks) and crossed(last)
    p = min(1.0, math.fsum(crossing(reached))) if reached else 1.0
    interval = None
    if last.difference is not None:
        stretch = bound(last.number) / t_quantile(math.inf)
        # p is 5 % at the bound itself: the last digit of a numerical integral decides nothing.
        agreed = min(p, 1 - LEVEL - 1e-9) if decided else max(p, 1 - LEVEL)
        interval, p = difference_interval(last.samples, agreed, stretch), agreed
    better = None
    if decided and last.difference is not None:
        better = names[0] if last.difference > 0 else names[1]
    return Decision(decided, better, *names, last.difference, interval, p, last.number, share)


def expected(
    difference: float, tuples: Sequence[int], sd: float = ASSUMED_SD
) -> tuple[float, float]:
    """The expected share of the tuples that is asked, and the chance of a decision.

    `tuples` counts each domain's; `sd` is how much a tuple's difference varies.
    """
    error = sd * math.sqrt(math.fsum(1 / count for count in tuples)) / len(tuples)
    stops = crossing(BOUND, difference / error)
    share = math.fsum(chance * (k + 1) / LOOKS for k, chance in enumerate(stops))
    return share + 1 - math.fsum(stops), math.fsum(stops)


@lru_cache(maxsize=64)
def crossing(constant: float, drift: float = 0.0) -> tuple[float, ...]:
    """The chance to cross `constant` * sqrt(5/k) first at look k, either way.

    z sqrt(k) is a walk of normal steps; `drift` is the mean of the last z. The density of the walks
    that have not crossed is carried from look to look (Armitage, McPherson and Rowe, Journal of the
    Royal Statistical Society A 132, 1969), by the trapezoidal rule.
    """
    import numpy as np
    from scipy.special import ndtr

    edge, step = constant * math.sqrt(LOOKS), drift / math.sqrt(LOOKS)
    points = np.linspace(-edge, edge, 2 * math.ceil(edge / _STEP) + 1)
    width = points[1] - points[0]
    weights = np.full(len(points), width)
    weights[[0, -1]] = width / 2
    kernel = np.exp(-((points[:, None] - points[None, :] - step) ** 2) / 2) / math.sqrt(2 * math.pi)
    stops: list[float] = []
    density = None
    for _ in range(LOOKS):
        if density is None:
            out, density = ndtr(step - edge) + ndtr(-edge - step), kernel[:, len(points) // 2]
        else:
            mass = density * weights
            out = mass @ (ndtr(points + step - edge) + ndtr(-edge - points - step))
            density = kernel @ mass
        stops.append(float(out))
    return tuple(stops)
