"""A panel: majority, mean, what each judge adds, against cases done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rmjudge import UsageError
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.panel import Panel, majority, mean_vote, seat
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import DOMAINS


@pytest.mark.parametrize(
    ("votes", "most", "mean"),
    [
        ((1.0, 1.0, 0.0), 1.0, 1.0),
        ((0.0, 0.0, 1.0), 0.0, 0.0),
        ((1.0, 0.5, 0.5), 0.5, 1.0),  # two say tie; the mean leans
        ((1.0, 0.5, 0.0), 0.5, 0.5),
        ((1.0, 1.0, 0.0, 0.0), 0.5, 0.5),
        ((0.6, 0.6, 0.1), 1.0, 0.0),  # two lean, one is sure
        ((0.7, 0.2, 0.6), 1.0, 0.5),
    ],
)
def test_the_commonest_verdict_decides_or_the_mean_credit(
    votes: tuple[float, ...], most: float, mean: float
) -> None:
    cells = np.array(votes).reshape(-1, 1, 1)
    assert majority(cells).item() == most
    assert mean_vote(cells).item() == mean


def judges(accuracy: float, count: int, tuples: int = 60) -> list[Scored]:
    """Judges that are right in this share of the cells, each on its own."""
    random = np.random.default_rng(8)
    found = []
    for number in range(count):
        right = (random.random((len(DOMAINS), tuples, 3, 3)) < accuracy).astype(float).tolist()
        credits: dict[tuple[object, object], Credits] = {
            (domain, id): tuple(map(tuple, right[d][id]))
            for d, domain in enumerate(DOMAINS)
            for id in range(tuples)
        }
        found.append(Scored(f"j{number}", "pairwise", credits))  # type: ignore[arg-type]
    return found


def test_independent_judges_reach_what_the_binomial_distribution_says() -> None:
    found = seat(judges(0.7, 5))
    assert found.majority.accuracies.average == pytest.approx(
        float(stats.binom.sf(2, 5, 0.7)), abs=0.02
    )
    assert found.mean.accuracies == found.majority.accuracies
    # The majority of four: a tie of two against two is half a win.
    four = float(stats.binom.sf(2, 4, 0.7) + stats.binom.pmf(2, 4, 0.7) / 2)
    for one in found.without:
        assert one.rest.accuracies.average == pytest.approx(four, abs=0.02)
        assert one.adds == pytest.approx(float(stats.binom.sf(2, 5, 0.7)) - four, abs=0.02)
        assert one.interval is not None
        assert one.interval.low <= one.adds <= one.interval.high
    assert found.alpha.value == pytest.approx(1 - 2 * 0.7 * 0.3 / (2 * 0.7 * 0.3), abs=0.03)


def test_a_judge_that_repeats_the_majority_adds_nothing() -> None:
    one, two, *_ = judges(0.7, 2)
    copy = Scored("copy", "pairwise", one.credits)
    again = Scored("again", "pairwise", one.credits)
    found = seat([one, copy, again, two])
    (odd,) = (item for item in found.without if item.name == two.name)
    assert odd.adds == 0.0
    assert odd.agrees == pytest.approx(np.mean([_same(one, two)]), abs=1e-9)


def _same(one: Scored, two: Scored) -> float:
    pairs = [
        a == b
        for key in one.credits
        for row, other in zip(one.credits[key], two.credits[key], strict=True)
        for a, b in zip(row, other, strict=True)
    ]
    return sum(pairs) / len(pairs)


def test_full_agreement_has_an_alpha_of_one() -> None:
    (one,) = judges(0.7, 1)
    found: Panel = seat([Scored(name, "pairwise", one.credits) for name in "abc"])
    assert found.alpha.value == 1.0
    assert set(found.alphas) == {"easy", "normal", "hard"}


def test_domains_weigh_alike() -> None:
    won: Credits = ((1.0,) * 3,) * 3
    lost: Credits = ((0.0,) * 3,) * 3
    credits = {("chat", 1): won, ("chat", 2): won, ("chat", 3): won, ("code", 1): lost}
    found = seat([Scored(name, "pairwise", credits) for name in "abc"])  # type: ignore[arg-type]
    assert found.majority.accuracies.average == pytest.approx(0.5)


def test_the_strict_reading_gives_nothing_for_a_tie() -> None:
    tied: Credits = ((0.5,) * 3,) * 3
    won: Credits = ((1.0,) * 3,) * 3
    three = [Scored(name, "pairwise", {("chat", 1): tied, ("chat", 2): won}) for name in "abc"]
    assert seat(three, "strict").majority.accuracies.average == 0.5
    assert seat(three).majority.accuracies.average == 0.75


def test_tuples_that_a_judge_has_not_scored_are_left_out_and_counted() -> None:
    won: Credits = ((1.0,) * 3,) * 3
    holed: Credits = ((1.0, None, 1.0), *won[1:])
    whole = {("chat", 1): won, ("chat", 2): won}
    three = [Scored(name, "pairwise", whole) for name in "ab"]  # type: ignore[arg-type]
    three.append(Scored("c", "pairwise", {("chat", 1): won, ("chat", 2): holed}))
    found = seat(three)
    assert (found.tuples, found.incomplete, found.elsewhere) == (1, 1, 0)


def test_two_judges_are_no_panel() -> None:
    with pytest.raises(UsageError, match="3 judges or more; there are 2: j0, j1"):
        seat(judges(0.7, 2))


def test_cells_that_were_not_asked_count_for_nothing() -> None:
    third = []
    for one in judges(0.7, 3, tuples=30):
        credits = {
            key: tuple(
                tuple(cells[i][j] if (i + j + int(key[1])) % 3 == 0 else None for j in range(3))
                for i in range(3)
            )
            for key, cells in one.credits.items()
        }
        third.append(Scored(one.name, "pairwise", credits, cells=3))
    found = seat(third)
    said = {
        (key, i, j): [one.credits[key][i][j] for one in third]
        for key in third[0].credits
        for i in range(3)
        for j in range(3)
        if third[0].credits[key][i][j] is not None
    }
    # Each cell of each domain is the mean over the ten tuples that have it.
    won = [float(sum(votes) >= 2) for votes in said.values()]  # type: ignore[arg-type]
    assert len(won) == 4 * 30 * 3
    assert found.majority.accuracies.average == pytest.approx(np.mean(won))
    assert found.mean.accuracies == found.majority.accuracies
    first = [votes[0] for votes in said.values()]
    assert found.judges[0].accuracies.average == pytest.approx(np.mean(np.array(first, float)))
    rest = [np.mean([float(v or 0) for v in votes[1:]]) for votes in said.values()]
    assert found.without[0].adds == pytest.approx(np.mean(won) - np.mean(rest))
    agrees = [votes[0] == mean for votes, mean in zip(said.values(), rest, strict=True)]
    assert found.without[0].agrees == pytest.approx(np.mean(agrees))
    assert found.alpha.units == len(won)
