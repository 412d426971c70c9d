"""Correctness and verbosity of responses: which attributes they are, and their means."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rmjudge.errors import UsageError
from rmjudge.runs.attributes import Described
from rmjudge.statistics.responses import attribute_called, responses_of

TWO = {"correctness": 1.0, "verbosity": 2.0}


def described(*answers: Mapping[str, float], chosen: bool = True, style: int = 0) -> Described:
    return Described("chat", chosen, style, answers)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["helpfulness", "correctness"], "correctness"),
        (["helpsteer-correctness", "verbosity"], "helpsteer-correctness"),
        (["HelpSteer/Correctness"], "HelpSteer/Correctness"),
        (["helpsteer-correctness", "correctness"], "correctness"),
        (["a-correctness", "b-correctness"], None),
        (["incorrectness"], None),
        ([], None),
    ],
)
def test_an_attribute_is_found_by_its_name_or_by_its_end(
    names: list[str], found: str | None
) -> None:
    assert attribute_called("correctness", names) == found


def test_votes_on_a_response_are_averaged_and_incomplete_ones_counted() -> None:
    found = responses_of(
        "m",
        [
            described(TWO, {"correctness": 3.0, "verbosity": 6.0}),
            described({"correctness": 9.0}, style=1),
            described(chosen=False),
        ],
    )
    assert found is not None
    (point,) = found.points
    assert (point.correctness, point.verbosity, found.lacking) == (2.0, 4.0, 2)


def test_without_such_names_there_are_no_responses_but_with_names_there_are() -> None:
    only = [described({"objective_1": 1.0, "objective_4": 2.0})]
    assert responses_of("m", only) is None
    found = responses_of("m", only, {"correctness": "objective_1", "verbosity": "objective_4"})
    assert found is not None
    assert (found.points[0].correctness, found.points[0].verbosity) == (1.0, 2.0)


def test_a_name_that_no_answer_has_is_told_with_those_there_are() -> None:
    names = {"correctness": "right", "verbosity": "verbosity"}
    with pytest.raises(UsageError, match=r"no attribute is called right; there are correctness, v"):
        responses_of("m", [described(TWO)], names)
