"""Which response a judge sees first: balanced, seeded, and the same for ever and everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.planning.ordering import chosen_first, chosen_first_by_id
from rmjudge.vocabulary import CELLS, Domain

Rule = Callable[[BenchTuple, Sequence[tuple[int, int]], int], dict[tuple[int, int], bool]]


def bench(id: int | str, domain: Domain = "chat") -> BenchTuple:
    """A tuple with texts of its own."""
    return BenchTuple(id, domain, None, f"p{id}", ("c0", "c1", "c2"), ("r0", "r1", "r2"))


def bits(item: BenchTuple, seed: int = 0, rule: Rule = chosen_first) -> str:
    """The nine cells row by row: 1 where the chosen is shown first."""
    flags = rule(item, CELLS, seed)
    return "".join(str(int(flags[cell])) for cell in CELLS)


def test_four_or_five_of_nine_cells_show_the_chosen_first() -> None:
    assert {bits(bench(number)).count("1") for number in range(300)} == {4, 5}


def test_four_and_five_are_equally_frequent_over_many_tuples() -> None:
    fives = sum(bits(bench(number)).count("1") == 5 for number in range(1000))
    assert 450 < fives < 550


@pytest.mark.parametrize("position", range(9))
def test_no_cell_is_favoured_over_many_tuples(position: int) -> None:
    shown_first = sum(bits(bench(number))[position] == "1" for number in range(1000))
    assert 440 < shown_first < 560


@pytest.mark.parametrize("count", range(10))
def test_any_number_of_cells_is_split_in_halves(count: int) -> None:
    halves = {sum(chosen_first(bench(number), CELLS[:count], 0).values()) for number in range(100)}
    assert halves == {count // 2, (count + 1) // 2}


def test_the_order_of_the_cells_given_does_not_matter() -> None:
    assert chosen_first(bench(7), CELLS, 3) == chosen_first(bench(7), CELLS[::-1], 3)


def test_another_seed_gives_another_order() -> None:
    zero, one = ([bits(bench(number), seed) for number in range(50)] for seed in (0, 1))
    assert sum(a != b for a, b in zip(zero, one, strict=True)) > 45


def test_only_the_texts_count() -> None:
    item = bench(7)
    moved = replace(item, id="other", domain="code")
    assert bits(moved) == bits(item)
    assert any(bits(replace(item, prompt=f"q{n}")) != bits(item) for n in range(9))


def test_a_pair_keeps_its_order_whatever_style_it_stands_in() -> None:
    for number in range(20):
        item = bench(number)
        rotated = replace(item, rejected=(item.rejected[2], *item.rejected[:2]))
        here, there = chosen_first(item, CELLS, 0), chosen_first(rotated, CELLS, 0)
        assert all(there[i, (j + 1) % 3] == here[i, j] for i, j in CELLS)


def test_what_was_asked_before_does_not_matter() -> None:
    forwards = [bits(bench(number)) for number in range(20)]
    backwards = [bits(bench(number)) for number in reversed(range(20))]
    assert forwards == backwards[::-1]


PROGRAM = """
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.planning.ordering import chosen_first
from rmjudge.vocabulary import CELLS
for number in range(20):
    item = BenchTuple(number, "chat", None, f"p{number}", ("c0", "c1", "c2"), ("r0", "r1", "r2"))
    flags = chosen_first(item, CELLS, 0)
    print("".join(str(int(flags[cell])) for cell in CELLS))
"""


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_every_process_finds_the_same_order(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [bits(bench(number)) for number in range(20)]


@pytest.mark.parametrize(
    ("item", "seed", "expected"),
    [
        (bench(1), 0, "010111000"),
        (bench(1), 1, "001111100"),
        (bench(1, "code"), 0, "100010111"),
        (bench("b-7", "safety"), 42, "111010001"),
    ],
)
def test_the_rule_of_older_versions_is_kept_to_the_letter(
    item: BenchTuple, seed: int, expected: str
) -> None:
    assert bits(item, seed, chosen_first_by_id) == expected


@pytest.mark.parametrize("id", ["\ud800", "\udfff tail", "naïve", "模型", "a|b", "'\"", ""])
def test_any_text_can_be_an_id(id: str) -> None:
    assert bits(bench(id)).count("1") in (4, 5)
