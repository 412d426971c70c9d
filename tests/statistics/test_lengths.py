"""How winning goes with length, against counts made by hand."""

from __future__ import annotations

from rmjudge.dataset import BenchTuple
from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.lengths import FEWEST, RATIOS, length_curve

WON: Credits = ((1.0,) * 3,) * 3
EVEN: Credits = ((0.5,) * 3,) * 3


def scored(chosen: int, rejected: int, credits: Credits = WON) -> tuple[BenchTuple, Credits]:
    """A tuple whose nine pairs all have these two lengths."""
    one, other = "c" * chosen, "r" * rejected
    return BenchTuple(1, "chat", None, "p", (one, one, one), (other, other, other)), credits


def shares(*tuples: tuple[BenchTuple, Credits]) -> list[float | None]:
    return [found.credit for found in length_curve(tuples)]


def counts(*tuples: tuple[BenchTuple, Credits]) -> list[int]:
    return [found.cells for found in length_curve(tuples)]


def test_pairs_are_sorted_by_the_ratio_of_their_lengths() -> None:
    lengths = [(10, 100), (30, 100), (60, 100), (100, 100), (150, 100), (300, 100), (900, 100)]
    assert [counts(scored(*pair)) for pair in lengths] == [
        [9 * (place == k) for place in range(len(RATIOS) + 1)] for k in range(7)
    ]


def test_a_ratio_on_an_edge_counts_above_it() -> None:
    assert counts(scored(25, 100)) == [0, 9, 0, 0, 0, 0, 0]
    assert counts(scored(400, 100)) == [0, 0, 0, 0, 0, 0, 9]


def test_the_mean_is_over_the_cells_of_the_bin() -> None:
    lost: Credits = ((0.0,) * 3,) * 3
    assert shares(scored(5, 5), scored(5, 5), scored(5, 5, lost), scored(5, 5, EVEN))[3] == (
        (9 + 9 + 0 + 4.5) / 36
    )


def test_a_bin_with_too_few_cells_has_no_value() -> None:
    assert FEWEST == 10
    assert shares(scored(5, 5)) == [None] * 7
    assert counts(scored(5, 5))[3] == 9


def test_cells_without_a_score_are_left_out() -> None:
    half: Credits = ((1.0, None, None),) * 3
    assert counts(scored(5, 5, half))[3] == 3


def test_an_empty_response_has_a_length_too() -> None:
    assert counts(scored(0, 100))[0] == 9
    assert counts(scored(100, 0))[6] == 9
