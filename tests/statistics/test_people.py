"""Scorers against people: accuracy, kappa and ceiling, against hands and statsmodels."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.people import WINNERS, Label, Winner, hold, people_of, winner_of
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import CELLS, Domain, TupleKey

WIDTH = 0.05


def scored(credits: dict[TupleKey, Credits]) -> Scored:
    return Scored("judge", "pairwise", credits)


def all_cells(credit: float | None) -> Credits:
    return ((credit,) * 3,) * 3


def label(
    id: int, winner: str, who: str = "ada", cell: Any = (0, 0), domain: Domain = "chat"
) -> Label:
    return Label((domain, id), cell, cast("Winner", winner), who)


def test_a_cell_is_held_against_its_label_and_a_tuple_against_most_of_its_cells() -> None:
    credits: Credits = ((1.0, 0.0, 0.5), (None, 0.0, 0.8), (0.9, 0.4, 0.0))
    assert winner_of(credits, (0, 0)) == "chosen"
    assert winner_of(credits, (0, 1)) == "rejected"
    assert winner_of(credits, (0, 2)) == "tie"
    assert winner_of(credits, (1, 0)) is None
    # Three cells for the chosen, four for the rejected, a tie, one not scored.
    assert winner_of(credits, None) == "rejected"
    assert winner_of(((1.0, 0.0, None),) + ((None,) * 3,) * 2, None) == "tie"
    assert winner_of(all_cells(None), None) is None
    assert winner_of(None, None) is None


def test_accuracy_and_kappa_are_those_of_the_table_of_labels() -> None:
    random = np.random.default_rng(4)
    credits: dict[TupleKey, Credits] = {}
    labels: list[Label] = []
    table = np.zeros((3, 3))
    for id in range(80):
        nine = random.choice([1.0, 0.5, 0.0], size=9, p=[0.6, 0.1, 0.3])
        credits["chat", id] = tuple(tuple(nine[3 * i : 3 * i + 3].tolist()) for i in range(3))
        for place in random.choice(9, size=random.integers(1, 4), replace=False):
            said = {1.0: 0, 0.0: 1, 0.5: 2}[float(nine[place])]
            winner = said if random.random() < 0.7 else int(random.integers(0, 3))
            table[said, winner] += 1
            labels.append(label(id, WINNERS[winner], cell=CELLS[place]))
    overall, *parts = hold(scored(credits), labels, WIDTH).agreements
    expected = cohens_kappa(table)
    assert overall.labels == table.sum()
    assert overall.accuracy == pytest.approx(np.trace(table) / table.sum())
    assert overall.kappa.value == pytest.approx(float(expected.kappa))
    assert overall.kappa.interval is not None
    # Labels are drawn on their own here, so that the tuples matter little.
    assert overall.kappa.interval.low == pytest.approx(float(expected.kappa_low), abs=0.03)
    assert overall.kappa.interval.high == pytest.approx(float(expected.kappa_upp), abs=0.03)
    assert [part.part for part in parts] == ["easy", "normal", "hard"]
    assert sum(part.labels for part in parts) == overall.labels


def test_labels_of_one_tuple_are_no_independent_cases() -> None:
    credits: dict[TupleKey, Credits] = {("chat", id): all_cells(1.0) for id in range(40)}
    winners = ["chosen"] * 30 + ["rejected"] * 10
    once = [label(id, winner) for id, winner in enumerate(winners)]
    nine = [label(id, winner, cell=cell) for id, winner in enumerate(winners) for cell in CELLS]
    one = hold(scored(credits), once, WIDTH).agreements[0].interval
    many = hold(scored(credits), nine, WIDTH).agreements[0].interval
    assert one is not None
    assert many is not None
    assert (many.low, many.high) == pytest.approx((one.low, one.high), abs=0.01)


def test_kappa_takes_off_the_base_rate() -> None:
    """A judge that always says chosen, where people say so in nine of ten."""
    credits: dict[TupleKey, Credits] = {("chat", id): all_cells(1.0) for id in range(50)}
    labels = [label(id, "rejected" if id % 10 == 0 else "chosen") for id in range(50)]
    found = hold(scored(credits), labels, WIDTH).agreements[0]
    assert found.accuracy == pytest.approx(0.9)
    assert found.kappa.value == pytest.approx(0.0)
    people = people_of(labels)
    assert people.base_rate == pytest.approx(0.9)
    assert people.shares == pytest.approx({"chosen": 0.9, "rejected": 0.1, "tie": 0.0})


def test_the_labels_wanted_are_those_of_a_share_of_independent_cases() -> None:
    credits: dict[TupleKey, Credits] = {("chat", id): all_cells(1.0) for id in range(100)}
    labels = [label(id, "chosen" if id % 4 else "rejected") for id in range(100)]
    found = hold(scored(credits), labels, WIDTH).agreements[0]
    # 1.96^2 p q / width^2, a little more or less for Wilson's form.
    assert found.wanted == pytest.approx(1.96**2 * 0.75 * 0.25 / WIDTH**2, rel=0.03)


def test_narrow_enough_wants_no_more_than_there_are() -> None:
    credits: dict[TupleKey, Credits] = {("chat", id): all_cells(1.0) for id in range(400)}
    labels = [label(id, "chosen" if id % 4 else "rejected") for id in range(400)]
    found = hold(scored(credits), labels, WIDTH).agreements[0]
    assert found.wanted is not None
    assert found.wanted <= found.labels


def test_the_ceiling_is_how_often_two_people_agree_on_one_thing() -> None:
    labels = [
        *(label(1, winner, who) for winner, who in (("chosen", "ada"), ("chosen", "ben"))),
        *(label(2, winner, who) for winner, who in (("chosen", "ada"), ("tie", "ben"))),
        # Three people, one pair of three agrees.
        *(label(3, w, who) for w, who in (("chosen", "ada"), ("chosen", "ben"), ("tie", "eve"))),
        label(4, "rejected"),
    ]
    found = people_of(labels)
    assert (found.annotators, found.labels, found.tuples) == (("ada", "ben", "eve"), 8, 4)
    assert found.twice == 3
    assert found.ceiling == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert found.alpha.units == 3


def test_a_scorer_is_held_against_the_ceiling_on_the_same_labels() -> None:
    labels = [label(1, "chosen"), label(1, "tie", "ben"), label(2, "rejected")]
    found = hold(scored({("chat", 1): all_cells(1.0), ("chat", 2): all_cells(1.0)}), labels, WIDTH)
    assert found.shared is not None
    assert (found.shared.labels, found.shared.accuracy) == (2, 0.5)
    assert people_of(labels[1:]).ceiling is None


def test_what_was_not_scored_is_counted_and_not_held_against_anybody() -> None:
    labels = [label(1, "chosen"), label(2, "chosen"), label(3, "chosen")]
    found = hold(scored({("chat", 1): all_cells(1.0), ("chat", 2): all_cells(None)}), labels, WIDTH)
    assert (found.unscored, found.agreements[0].labels) == (2, 1)
    assert found.agreements[0].interval is None
    nothing = hold(scored({}), labels, WIDTH)
    assert (nothing.agreements, nothing.unscored) == ((), 3)


def test_full_agreement_has_an_interval_with_width() -> None:
    credits: dict[TupleKey, Credits] = {("chat", id): all_cells(1.0) for id in range(10)}
    found = hold(scored(credits), [label(id, "chosen") for id in range(10)], WIDTH).agreements[0]
    assert found.interval is not None
    assert found.interval.high == 1.0
    assert found.interval.low < 0.75
    assert found.wanted is not None
    assert math.isfinite(found.wanted)
