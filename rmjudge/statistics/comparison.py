"""Two or more scorers held against each other, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

from rmjudge.metrics.intervals import difference_interval
from rmjudge.metrics.report import Interval, Reading
from rmjudge.metrics.tallies import Matrix
from rmjudge.statistics.agreement import Kappa, kappa_of
from rmjudge.statistics.pairing import Shared, sample_of, share, summed
from rmjudge.statistics.power import ALPHA, detectable
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.testing import gatekept, mcnemar
from rmjudge.vocabulary import CELLS, CELLS_OF, DIFFICULTIES, PARTS, Domain, Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS: Final[dict[Part, tuple[int, ...]]] = {
    **{name: tuple(CELLS.index(cell) for cell in CELLS_OF[name]) for name in DIFFICULTIES},
    "average": tuple(range(len(CELLS))),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of the table: one part of a domain, or of all (`domain` None, macro average).

    Accuracies are fractions; `difference` is the first's less the second's, `interval` the paired
    one, which holds 0 if and only if `p_value` allows it. `only_first` and `only_second` are
    McNemar's b and c over the cells, `discordant` counts the tuples whose sums differ. `p_holm` is
    the p-value after the correction (`testing.gatekept`). `detectable` is the true difference that
    the corrected test would have found with 80 % power; of a row that shares its level with
    others, at the smallest level it may get. None where it is not known.
    """

    domain: Domain | None
    part: Part
    tuples: int
    first: float
    second: float
    difference: float
    interval: Interval | None
    only_first: float
    only_second: float
    discordant: int
    p_value: float
    exact: bool
    p_holm: float
    detectable: float | None

    @property
    def evident(self) -> bool:
        """Whether the corrected test finds a difference at the 5 % level."""
        return self.p_holm < ALPHA


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa on one part of a domain, or of all tuples pooled (`domain` None)."""

    domain: Domain | None
    part: Part
    kappa: Kappa


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scorers: a row for each part of each domain and of all, and where they agree.

    `cells` holds kappa per cell (3x3) over all shared tuples.
    """

    first: str
    second: str
    differences: tuple[Difference, ...]
    agreements: tuple[Agreement, ...]
    cells: Matrix

    @property
    def headline(self) -> Difference:
        """The average over all domains, or over the one there is."""
        return self.differences[-1]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A tuple and how far the scorers are apart on it.

    `spread` is the mean over the cells of the widest difference between two scorers, in
    [0, 1]; `accuracies` the mean credit of each scorer, in their order; `apart` names the two whose
    cells differ most, on average.
    """

    domain: Domain
    id: int | str
    spread: float
    accuracies: tuple[float, ...]
    apart: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs of the scorers, on the tuples that all of them scored.

    `tests` counts the tests that were corrected together. `disagreements` is sorted, the
    widest first, and holds every tuple on which any two differ.
    """

    scorers: tuple[str, ...]
    reading: Reading
    tuples: dict[Domain, int]
    incomplete: int
    elsewhere: int
    tests: int
    pairs: tuple[Pair, ...]
    disagreements: tuple[Disagreement, ...]


def compare(scored: Sequence[Scored], reading: Reading) -> Comparison:
    """Compare every two of the scorers.

    Of each pair the overall average is tested first, and alone (`testing.gatekept`).

    Raises:
        UsageError: no tuple was scored by all.
    """
    shared = share(scored, reading)
    between = list(combinations(range(len(scored)), 2))
    pairs = [_pair(shared, one, two, len(between)) for one, two in between]
    return Comparison(
        scorers=shared.scorers,
        reading=reading,
        tuples={domain: len(keys) for domain, keys in shared.tuples.items()},
        incomplete=shared.incomplete,
        elsewhere=shared.elsewhere,
        tests=sum(len(pair.differences) for pair in pairs),
        pairs=tuple(pairs),
        disagreements=tuple(
            sorted(_disagreements(shared), key=lambda item: item.spread, reverse=True)
        ),
    )


def _pair(shared: Shared, one: int, two: int, pairs: int) -> Pair:
    first = {domain: values[one] for domain, values in shared.values.items()}
    second = {domain: values[two] for domain, values in shared.values.items()}
    scopes: list[tuple[Domain | None, tuple[Domain, ...]]] = [(name, (name,)) for name in first]
    if len(first) > 1:
        scopes.append((None, tuple(first)))
    agreements = [
        Agreement(
            domain,
            part,
            kappa_of(_only(first, members), _only(second, members), COLUMNS[part]),
        )
        for domain, members in scopes
        for part in PARTS
    ]
    rest = len(scopes) * len(PARTS) - 1
    rows = [
        _difference(
            domain,
            part,
            _only(first, members),
            _only(second, members),
            ALPHA / pairs / (1 if (domain, part) == (scopes[-1][0], "average") else rest),
        )
        for domain, members in scopes
        for part in PARTS
    ]
    corrected = gatekept([row.p_value for row in rows], pairs)
    return Pair(
        first=shared.scorers[one],
        second=shared.scorers[two],
        differences=tuple(replace(row, p_holm=p) for row, p in zip(rows, corrected, strict=True)),
        agreements=tuple(agreements),
        cells=tuple(
            tuple(kappa_of(first, second, (3 * i + j,)).value for j in range(3)) for i in range(3)
        ),
    )


def _only(
    values: Mapping[Domain, NDArray[np.float64]], domains: Sequence[Domain]
) -> dict[Domain, NDArray[np.float64]]:
    return {domain: values[domain] for domain in domains}


def _difference(
    domain: Domain | None,
    part: Part,
    first: Mapping[Domain, NDArray[np.float64]],
    second: Mapping[Domain, NDArray[np.float64]],
    alpha: float,
) -> Difference:
    import numpy as np

    columns = list(COLUMNS[part])
    by_cell = {name: (first[name] - second[name])[:, columns] for name in first}
    strata = [summed(cells) for cells in by_cell.values()]
    samples = [sample_of(cells) for cells in by_cell.values()]
    test = mcnemar(strata)
    flat = np.concatenate([cells[~np.isnan(cells)] for cells in by_cell.values()])
    one, two = (
        float(np.mean([np.nanmean(values[name][:, columns], axis=0).mean() for name in values]))
        for values in (first, second)
    )
    return Difference(
        domain=domain,
        part=part,
        tuples=sum(map(len, strata)),
        first=one,
        second=two,
        difference=one - two,
        interval=difference_interval(samples, test.p_value),
        only_first=float(flat[flat > 0].sum()),
        only_second=float(-flat[flat < 0].sum()),
        discordant=test.discordant,
        p_value=test.p_value,
        exact=test.exact,
        p_holm=1.0,
        detectable=detectable(samples, alpha),
    )


def _disagreements(shared: Shared) -> Iterator[Disagreement]:
    import numpy as np

    for domain, values in shared.values.items():
        spreads = np.nanmean(values.max(axis=0) - values.min(axis=0), axis=1)
        means = np.nanmean(values, axis=2)
        for place, key in enumerate(shared.tuples[domain]):
            if spreads[place] > 0:
                (domain_of, id), spread = key, float(spreads[place])
                accuracies = tuple(means[:, place].tolist())
                apart = _furthest(shared.scorers, values[:, place])
                yield Disagreement(domain_of, id, spread, accuracies, apart)


def _furthest(scorers: Sequence[str], cells: NDArray[np.float64]) -> tuple[str, str]:
    """The two whose nine cells (scorers x 9) are furthest apart; the first such pair."""
    import numpy as np

    one, two = max(
        combinations(range(len(scorers)), 2),
        key=lambda pair: float(np.nansum(abs(cells[pair[0]] - cells[pair[1]]))),
    )
    return scorers[one], scorers[two]
