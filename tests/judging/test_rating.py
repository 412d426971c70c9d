"""A rating in words: the last well-formed number from 1 to 10, or none."""

from __future__ import annotations

from typing import Final

import pytest

from rmjudge.calls import Reward, Unscored
from rmjudge.judging.rating import parse_rating

RATINGS: Final[dict[str, float]] = {
    "\\boxed{7}": 7.0,
    "\\boxed{1}": 1.0,
    "\\boxed{10}": 10.0,
    "\\boxed {7}": 7.0,
    "\\boxed{ 7 }": 7.0,
    "\\boxed{7.5}": 7.5,
    "\\boxed{7/10}": 7.0,
    "\\boxed{8.25 / 10}": 8.25,
    "[[7]]": 7.0,
    "[[ 10 ]]": 10.0,
    "[[9/10]]": 9.0,
    "Rating: **\\boxed{7}**.": 7.0,
    "\\boxed{3} at first.\nNo: \\boxed{8}": 8.0,
    "\\boxed{8}\nThat is my rating out of 10.": 8.0,
    "\\boxed{7}, that is [[7.0]]": 7.0,
    "<think>\\boxed{2}</think>\\boxed{9}": 9.0,
    "it opened before \\boxed{2}</think>\\boxed{9}": 9.0,
}


@pytest.mark.parametrize(("answer", "rating"), RATINGS.items(), ids=list(RATINGS))
def test_a_well_formed_rating_is_read(answer: str, rating: float) -> None:
    assert parse_rating(answer) == Reward(rating)


UNPARSED: Final[dict[str, str]] = {
    "": "no visible answer",
    "7": "no rating; it ends: 7",
    "7/10": "no rating",
    "Rating: 7": "no rating",
    "[7]": "no rating",
    "\\boxed{}": "no rating",
    "\\boxed{seven}": "no rating",
    "\\boxed{-3}": "a rating of -3 is outside 1 to 10",
    "\\boxed{100}": "a rating of 100 is outside 1 to 10",
    "\\boxed{7}\n\\boxed{eight}": "no rating is understood",
    "\\boxed{7/100}": "no rating",
    "\\boxed{7} \\boxed{8}": "contradictory ratings",
    "\\boxed{0}": "a rating of 0 is outside 1 to 10",
    "\\boxed{0.5}": "outside 1 to 10",
    "\\boxed{11}": "a rating of 11 is outside 1 to 10",
    "\\boxed{10.5}": "outside 1 to 10",
    "\\boxed{5}\n\\boxed{11}": "outside 1 to 10",
    "<think>\\boxed{7}</think>": "no visible answer",
    "<think>\\boxed{7}": "no visible answer",
}


@pytest.mark.parametrize(("answer", "why"), UNPARSED.items(), ids=list(UNPARSED))
def test_what_is_no_rating_is_told_and_never_clamped(answer: str, why: str) -> None:
    found = parse_rating(answer)
    assert isinstance(found, Unscored)
    assert found.status == "unparsed"
    assert why in found.detail


def test_only_the_end_of_a_long_answer_is_told() -> None:
    found = parse_rating("no number here, " * 1000 + "the end")
    assert isinstance(found, Unscored)
    assert found.detail.endswith("the end")
    assert len(found.detail) < 200
