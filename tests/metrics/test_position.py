"""Position bias: how often the response shown first wins, and what survives the swap."""

from __future__ import annotations

from typing import Final

import pytest

from rmjudge.calls import Verdict
from rmjudge.metrics.position import position_of
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import Credits

UNKNOWN: Final[Credits] = ((None, None, None),) * 3
AGREED: Final[Credits] = ((1.0, 1.0, 1.0),) * 3
FLIPPED: Final[Credits] = ((0.0, 0.0, 0.0),) * 3


def verdicts(*credits: float) -> list[Verdict]:
    return [Verdict(credit) for credit in credits]


def test_the_first_share_is_that_of_the_decided_verdicts() -> None:
    found = position_of(verdicts(1.0, 1.0, 1.0, 0.0, 0.5, 0.5), [])
    assert (found.decided, found.first_share) == (4, 0.75)


def test_a_probability_counts_for_the_side_it_leans_to() -> None:
    found = position_of(verdicts(0.51, 0.9, 0.49), [])
    assert found.decided == 3
    assert found.first_share == pytest.approx(2 / 3)


@pytest.mark.parametrize(("credit", "share"), [(1.0, 1.0), (0.0, 0.0)])
def test_a_judge_that_looks_at_the_position_alone_is_seen(credit: float, share: float) -> None:
    assert position_of(verdicts(*[credit] * 9), []).first_share == share


def test_ties_alone_favour_no_position() -> None:
    assert position_of(verdicts(0.5, 0.5), []) == Position(0, None, None, None)


def test_no_verdict_at_all_is_no_data() -> None:
    assert position_of([], [UNKNOWN]) == Position(0, None, None, None)


def test_one_order_says_nothing_about_the_swap() -> None:
    found = position_of(verdicts(1.0), [UNKNOWN, UNKNOWN])
    assert (found.swap_consistency, found.swap_matrix) == (None, None)


def test_the_swap_consistency_is_the_share_of_pairs_that_agree() -> None:
    found = position_of([], [AGREED, AGREED, AGREED, FLIPPED])
    assert found.swap_consistency == 0.75
    assert found.swap_matrix == ((0.75, 0.75, 0.75),) * 3


def test_the_swap_matrix_tells_cells_apart() -> None:
    one: Credits = ((1.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.0, 1.0, 1.0))
    found = position_of([], [one, AGREED])
    assert found.swap_matrix == ((1.0, 0.5, 1.0), (1.0, 1.0, 1.0), (0.5, 1.0, 1.0))
    assert found.swap_consistency == pytest.approx(16 / 18)


def test_a_pair_that_was_not_asked_both_ways_is_left_out() -> None:
    partly: Credits = ((0.0, None, None), (None, None, None), (None, None, None))
    found = position_of([], [partly, AGREED])
    assert found.swap_consistency == pytest.approx(0.9)
    assert found.swap_matrix == ((0.5, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def test_a_cell_that_was_never_asked_both_ways_is_none_and_never_zero() -> None:
    partly: Credits = ((1.0, None, None), (None, None, None), (None, None, None))
    found = position_of([], [partly])
    assert found.swap_matrix == partly
    assert found.swap_consistency == 1.0


def test_the_share_for_the_first_is_told_per_cell() -> None:
    first_always = ((1.0, 0.0, None),) * 3
    first_never = ((0.0, 0.0, None),) * 3
    position = position_of(verdicts(1.0), [], [first_always, first_never])
    assert position.first_matrix == ((0.5, 0.0, None),) * 3
