"""The guard against swapped answers, on comparisons of which the tokens are known."""

from __future__ import annotations

from itertools import product

import pytest

from rmjudge.calls import Call, CompareCall
from rmjudge.running.batches.cutting import queue_limit
from rmjudge.running.batches.guard import contradiction

PARTS = {"c0": 31, "c1": 57, "c2": 90, "r0": 28, "r1": 64, "r2": 77}


def tuple_of(number: int, words: int = 40, seam: int = 0) -> list[tuple[Call, int]]:
    """Nine comparisons of a tuple; every second one is `seam` tokens longer than its parts."""
    prompt = f"{number} " + "word " * words
    pairs = product(("c0", "c1", "c2"), ("r0", "r1", "r2"))
    return [
        (
            CompareCall(prompt, first=c if n % 2 else r, second=r if n % 2 else c),
            400 + words + PARTS[c] + PARTS[r] + seam * (n % 2),
        )
        for n, (c, r) in enumerate(pairs)
    ]


def swapped(counted: list[tuple[Call, int]], one: int, other: int) -> list[tuple[Call, int]]:
    """The same, two answers under each other's keys."""
    found = list(counted)
    found[one] = (counted[one][0], counted[other][1])
    found[other] = (counted[other][0], counted[one][1])
    return found


def test_sums_of_parts_are_no_contradiction() -> None:
    assert contradiction(tuple_of(1)) == ""


@pytest.mark.parametrize(("one", "other"), [(0, 4), (1, 8), (2, 6), (3, 5)])
def test_two_swapped_answers_of_a_tuple_show(one: int, other: int) -> None:
    assert "do not add up" in contradiction(swapped(tuple_of(1), one, other))


def test_a_tuple_with_a_missing_answer_is_none() -> None:
    assert contradiction(tuple_of(1)[:-1]) == ""


def test_whole_tuples_under_wrong_keys_show_from_270_rows_on() -> None:
    tuples = [tuple_of(number, words=20 * number) for number in range(1, 41)]
    right = [pair for one in tuples for pair in one]
    shifted = [
        (call, tokens)
        for one, other in zip(tuples, [*tuples[20:], *tuples[:20]], strict=True)
        for (call, _), (_, tokens) in zip(one, other, strict=True)
    ]
    assert contradiction(right) == ""
    assert "do not grow with the texts" in contradiction(shifted)
    assert contradiction(shifted[:261]) == ""  # too few to tell


def test_a_refusal_tells_the_limit_of_the_queue() -> None:
    words = "Enqueued token limit reached for gpt-4.1. Limit: 900,000 enqueued tokens."
    assert queue_limit(words) == 720_000
    assert queue_limit("Rate limit reached") is None
