"""A panel of finished runs: what their majority says, how they agree, what each of them adds.

A panel costs no call: it takes the credits that its judges have given. Verga et al., Replacing
Judges with Juries (2404.18796), is the idea.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rmjudge.errors import UsageError
from rmjudge.metrics.accuracy import Accuracies, accuracies_of, macro
from rmjudge.metrics.intervals import difference_interval
from rmjudge.metrics.report import Interval, Intervals, Reading
from rmjudge.metrics.tallies import TIE, Credits
from rmjudge.metrics.uncertainty import intervals_of
from rmjudge.statistics.alpha import Alpha, alpha_of
from rmjudge.statistics.pairing import Shared, sample_of, share
from rmjudge.statistics.scored import READERS, Scored
from rmjudge.vocabulary import CELLS, CELLS_OF, DIFFICULTIES, Difficulty, Domain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Votes: TypeAlias = Mapping[Domain, NDArray[np.float64]]
    """For each domain the credits of judges x tuples x 9 cells."""

FEWEST: Final = 3
"""The majority of two judges is what both say, and a tie wherever they differ."""
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge, or a panel, on the tuples that every judge scored: macro averages, fractions."""

    name: str
    accuracies: Accuracies
    intervals: Intervals


@dataclass(frozen=True, slots=True)
class Without:
    """The panel without one judge.

    `adds` is what the judge adds to the majority's average, with its paired interval; `agrees` the
    share of cells in which it says what the majority of the others says.
    """

    name: str
    rest: Seat
    adds: float
    interval: Interval | None
    agrees: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The judges, their majority and their mean, and Krippendorff's alpha of all and by difficulty.

    `incomplete` and `elsewhere` count the tuples that are left out, as in `pairing.Shared`.
    """

    tuples: int
    domains: tuple[Domain, ...]
    reading: Reading
    incomplete: int
    elsewhere: int
    judges: tuple[Seat, ...]
    majority: Seat
    mean: Seat
    alpha: Alpha
    alphas: Mapping[Difficulty, Alpha]
    without: tuple[Without, ...]


def seat(scored: Sequence[Scored], reading: Reading = "half_credit") -> Panel:
    """Seat judges as a panel.

    Raises:
        UsageError: there are fewer than three, or no tuple was scored by all.
    """
    if len(scored) < FEWEST:
        names = ", ".join(item.name for item in scored)
        raise UsageError(f"a panel has {FEWEST} judges or more; there are {len(scored)}: {names}")
    shared = share(scored, "half_credit")
    votes = shared.values
    whole = decided(votes, majority)
    return Panel(
        tuples=len(shared),
        domains=tuple(votes),
        reading=reading,
        incomplete=shared.incomplete,
        elsewhere=shared.elsewhere,
        judges=tuple(
            _seat(name, {domain: own[place] for domain, own in votes.items()}, reading)
            for place, name in enumerate(shared.scorers)
        ),
        majority=_seat("majority", whole, reading),
        mean=_seat("mean", decided(votes, mean_vote), reading),
        alpha=_alpha(shared, range(len(CELLS))),
        alphas={
            name: _alpha(shared, [CELLS.index(cell) for cell in CELLS_OF[name]])
            for name in DIFFICULTIES
        },
        without=tuple(
            _without(place, name, votes, whole, reading)
            for place, name in enumerate(shared.scorers)
        ),
    )


def majority(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The commonest of won, tied and lost, judges along the first axis; a tie of two is a tie."""
    import numpy as np

    won, lost, tied = ((np.sign(votes - TIE) == side).sum(axis=0) for side in (1, -1, 0))
    said = np.where(
        (won > lost) & (won > tied), 1.0, np.where((lost > won) & (lost > tied), 0.0, TIE)
    )
    return np.where(np.isnan(votes[0]), np.nan, said)


def mean_vote(votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Won or lost by the mean of the credits: a judge's doubt counts, where it gave one."""
    import numpy as np

    lead = votes.mean(axis=0) - TIE
    said = np.where(np.abs(lead) < _SAME, TIE, (lead > 0).astype(np.float64))
    return np.where(np.isnan(lead), np.nan, said)


def decided(
    votes: Votes, rule: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> dict[Domain, NDArray[np.float64]]:
    """What a rule makes of each domain's votes: tuples x 9 cells, NaN where not all were asked."""
    return {domain: rule(own) for domain, own in votes.items()}


def _seat(name: str, cells: Mapping[Domain, NDArray[np.float64]], reading: Reading) -> Seat:
    read = READERS[reading]
    credits = {domain: [_credits(one) for one in own] for domain, own in cells.items()}
    _, intervals = intervals_of(credits, read)
    domains = {
        domain: accuracies_of(
            tuple(tuple(_mean([c[i][j] for c in own], read) for j in range(3)) for i in range(3))
        )
        for domain, own in credits.items()
    }
    return Seat(name, macro({str(domain): part for domain, part in domains.items()}), intervals)


def _mean(credits: Sequence[float | None], read: Callable[[float], float]) -> float:
    known = [read(credit) for credit in credits if credit is not None]
    return sum(known) / len(known)


def _credits(nine: NDArray[np.float64]) -> Credits:
    values = [None if math.isnan(value) else value for value in nine.tolist()]
    return tuple(tuple(values[3 * i : 3 * i + 3]) for i in range(3))


def _without(
    place: int,
    name: str,
    votes: Votes,
    whole: Mapping[Domain, NDArray[np.float64]],
    reading: Reading,
) -> Without:
    import numpy as np

    reader = READERS[reading]
    read = np.vectorize(lambda v: v if math.isnan(v) else reader(v), otypes=[np.float64])
    rest = decided(
        {domain: np.delete(own, place, axis=0) for domain, own in votes.items()}, majority
    )
    gains = [read(whole[domain]) - read(rest[domain]) for domain in votes]
    agree = [
        (np.sign(own[place] - TIE) == np.sign(rest[domain] - TIE))[~np.isnan(rest[domain])]
        for domain, own in votes.items()
    ]
    return Without(
        name=name,
        rest=_seat(f"without {name}", rest, reading),
        adds=float(np.mean([np.nanmean(gain, axis=0).mean() for gain in gains])),
        interval=difference_interval(list(map(sample_of, gains))),
        agrees=float(np.concatenate(agree).mean()),
    )


def _alpha(shared: Shared, cells: Sequence[int]) -> Alpha:
    """Alpha over the cells of all tuples; values are won, tied, lost."""
    import numpy as np

    signs = [np.sign(own[:, :, list(cells)] - TIE) for own in shared.values.values()]
    counts = np.concatenate(
        [
            np.stack([(own == side).sum(axis=0) for side in (1, 0, -1)], axis=-1).reshape(-1, 3)
            for own in signs
        ]
    )
    return alpha_of(counts.astype(np.float64), np.repeat(np.arange(len(shared)), len(cells)))
