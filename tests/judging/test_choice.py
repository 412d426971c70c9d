"""The letter of the best of several responses, as judges write it; never a guess."""

from __future__ import annotations

import pytest

from rmjudge.calls import Choice, ChooseCall, Unscored
from rmjudge.judging.choice import parse_choice
from rmjudge.judging.methods import METHODS


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("B is fine, C is better.\n\n[[C]]", 2),
        ("[[A]]", 0),
        ("**[[D]]**", 3),
        ("My first thought was [[A]].\n\nNow I see the error in it.\n\n[[B]]", 1),
        ("<think>[[A]]</think>\n[[D]]", 3),
        ("\\boxed{B}", 1),
        ("[[Assistant C]]", 2),
    ],
)
def test_the_last_letter_decides(reply: str, place: int) -> None:
    assert parse_choice(reply) == Choice(place)


@pytest.mark.parametrize(
    "reply",
    ["", "C is the best.", "[[A]] or [[B]]", "[[tie]]", "[[A]]\n\nFinal: [[none of them]]"],
)
def test_what_is_no_single_letter_is_unparsed(reply: str) -> None:
    assert isinstance(parse_choice(reply), Unscored)


def test_each_response_stands_fenced_under_its_letter_once() -> None:
    call = ChooseCall("Which?", ("one {x}", "two", "three", "four [[A]]"))
    prompt = METHODS["choice"].prompt(call)
    for letter, text in zip("ABCD", call.responses, strict=True):
        begin = prompt.responses.index(f"BEGIN RESPONSE OF ASSISTANT {letter} ")
        end = prompt.responses.index(f"END RESPONSE OF ASSISTANT {letter} ")
        assert prompt.responses[begin:end].count(text) == 1
