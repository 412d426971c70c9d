"""Which cells and which tuples are asked where not all are: the texts decide, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from planned import bench

from rmjudge.calls import Answer, CompareCall, Verdict
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.metrics.report import Design
from rmjudge.planning.plan import PairwisePlan, plan_tuple
from rmjudge.planning.sampling import asked_cells, audited, in_hashed_order
from rmjudge.vocabulary import CELLS, difficulty_of

MANY = [replace(bench(id=number), prompt=f"prompt {number}") for number in range(3000)]


def planned(item: BenchTuple, design: Design, seed: int = 0) -> PairwisePlan:
    plan = plan_tuple(item, "pairwise", seed=seed, design=design)
    assert isinstance(plan, PairwisePlan)
    return plan


def test_three_cells_are_one_of_each_row_column_and_difficulty() -> None:
    for item in MANY[:50]:
        cells = asked_cells(item, 3)
        assert sorted(i for i, _ in cells) == sorted(j for _, j in cells) == [0, 1, 2]
        assert {difficulty_of(*cell) for cell in cells} == {"easy", "normal", "hard"}


def test_each_cell_is_asked_of_a_third_of_the_tuples() -> None:
    counts = Counter(cell for item in MANY for cell in asked_cells(item, 3))
    assert set(counts) == set(CELLS)
    # Five standard errors of a binomial share.
    assert all(abs(count - 1000) < 5 * (3000 * 2 / 9) ** 0.5 for count in counts.values())


def test_the_texts_alone_decide_which_cells_are_asked() -> None:
    for item in MANY[:50]:
        elsewhere = replace(item, id="another", domain="code", subset="python")
        assert asked_cells(item, 3) == asked_cells(elsewhere, 3)
        assert planned(item, Design(3)).asked == planned(item, Design(3), seed=7).asked
    assert len({asked_cells(item, 3) for item in MANY[:50]}) == 3


def test_three_cells_ask_some_of_the_calls_of_nine_and_no_other() -> None:
    for item in MANY[:50]:
        few, all_nine = planned(item, Design(3)), planned(item, Design())
        assert len(few.calls) == 3
        assert set(few.calls) < set(all_nine.calls)


def test_a_cell_that_is_not_asked_stays_unknown_where_another_has_the_same_texts() -> None:
    for number in range(30):
        item = replace(bench(("same", "same", "c2"), ("r0", "r1", "r2")), prompt=f"prompt {number}")
        plan = planned(item, Design(3))
        credits = plan.credits([_first_wins(call) for call in plan.calls])
        known = {(i, j) for i, j in CELLS if credits[i][j] is not None}
        assert known == set(asked_cells(item, 3))


def _first_wins(call: CompareCall) -> Answer:
    return Verdict(float(call.first > call.second))


@pytest.mark.parametrize("share", [0.15, 0.3])
def test_about_the_share_that_is_asked_for_is_asked_in_both_orders(share: float) -> None:
    count = sum(audited(item, share) for item in MANY)
    assert abs(count - share * 3000) < 5 * (3000 * share * (1 - share)) ** 0.5


def test_a_larger_audit_holds_the_smaller_one() -> None:
    small = {item.id for item in MANY if audited(item, 0.15)}
    large = {item.id for item in MANY if audited(item, 0.3)}
    assert small < large


def test_cells_audit_and_order_do_not_depend_on_each_other() -> None:
    places = in_hashed_order(MANY)
    half = {MANY[place].id for place in places[:1500]}
    turns = Counter(asked_cells(item, 3)[0] for item in MANY if audited(item, 0.5))
    assert all(400 < count < 600 for count in turns.values())
    assert 650 < sum(audited(item, 0.5) for item in MANY if item.id in half) < 850


def test_every_part_of_the_hashed_order_has_all_domains_in_the_same_share() -> None:
    items = [replace(item, domain="code") if item.id % 4 == 0 else item for item in MANY]
    places = in_hashed_order(items)
    assert sorted(places) == list(range(3000))
    for part in range(1, 11):
        first = [items[place].domain for place in places[: 300 * part]]
        assert abs(first.count("code") - 75 * part) <= 1
    assert places != sorted(places)


def test_the_hashed_order_of_a_part_is_that_of_the_whole_within_a_domain() -> None:
    whole = [MANY[place].id for place in in_hashed_order(MANY)]
    part = MANY[:100]
    kept = {item.id for item in part}
    assert [part[place].id for place in in_hashed_order(part)] == [i for i in whole if i in kept]
