"""Scores out of token probabilities, against numbers worked out by hand."""

from __future__ import annotations

import math
from typing import Final

import pytest

from rmjudge.calls import Answer, Reward, Unscored, Verdict
from rmjudge.judging.logprobs import read_expected_rating, read_first_token_verdict
from rmjudge.judging.replies import Alternatives, ChatReply

MASKED: Final = -9999.0


def place(probabilities: dict[str, float]) -> Alternatives:
    return {token: math.log(value) for token, value in probabilities.items()}


def reply(*places: dict[str, float]) -> ChatReply:
    return ChatReply("visible", tokens=tuple(map(place, places)))


def first_of(answer: Answer) -> float:
    assert isinstance(answer, Verdict), answer
    return answer.first


def reward_of(answer: Answer) -> float:
    assert isinstance(answer, Reward), answer
    return answer.value


def why(answer: Answer) -> str:
    assert isinstance(answer, Unscored), answer
    assert answer.status == "unparsed"
    return answer.detail


BLANK: Final = {"\n": 0.9, "A": 0.06, "B": 0.04}
VERDICTS: Final[dict[str, tuple[list[dict[str, float]], float]]] = {
    "the two letters share what is theirs": ([{"A": 0.6, "B": 0.2, "C": 0.2}], 0.75),
    "B alone": ([{"B": 1.0}], 0.0),
    "a letter with a blank before it counts": ([{"A": 0.3, " A": 0.3, "B": 0.2}], 0.75),
    "a lower-case letter is another word": ([{"A": 0.4, "B": 0.4, "a": 0.2}], 0.5),
    "half of the probability is enough": ([{"A": 0.125, "B": 0.375, "I": 0.5}], 0.25),
    "a blank before the letter": ([BLANK, {"A": 0.8, "B": 0.2}], 0.8),
    "several blanks before the letter": ([BLANK, {" ": 0.9}, {"A": 0.8, "B": 0.2}], 0.8),
    "what follows the letter is not looked at": ([{"A": 0.8, "B": 0.2}, {"B": 1.0}], 0.8),
}


@pytest.mark.parametrize(("places", "first"), VERDICTS.values(), ids=list(VERDICTS))
def test_the_credit_is_the_first_letters_share(
    places: list[dict[str, float]], first: float
) -> None:
    assert first_of(read_first_token_verdict(reply(*places))) == pytest.approx(first, abs=1e-12)


def test_a_masked_letter_has_no_share() -> None:
    tokens: Alternatives = {"A": math.log(0.75), "B": MASKED, "C": MASKED}
    assert first_of(read_first_token_verdict(ChatReply("A", tokens=(tokens,)))) == 1.0


def test_rounding_beyond_certainty_is_certainty() -> None:
    tokens: Alternatives = {"A": 0.0, " A": math.log(0.5), "B": math.log(0.25)}
    assert first_of(read_first_token_verdict(ChatReply("A", tokens=(tokens,)))) == 0.8


def test_letters_with_too_little_probability_are_no_verdict() -> None:
    found = why(read_first_token_verdict(reply({"The": 0.51, "A": 0.3, "B": 0.19})))
    assert found == "A and B have 0.49 of the probability"


@pytest.mark.parametrize("tokens", [(), ({},), ({}, {})], ids=["none", "an empty place", "two"])
def test_a_reply_without_token_probabilities_is_no_verdict(
    tokens: tuple[Alternatives, ...],
) -> None:
    answer = read_first_token_verdict(ChatReply("A", tokens=tokens))
    assert why(answer) == "no token probabilities in the reply"


def test_a_reply_of_blanks_alone_is_no_verdict() -> None:
    assert "no token probabilities" in why(read_first_token_verdict(reply(BLANK)))


RATINGS: Final[dict[str, tuple[list[dict[str, float]], float]]] = {
    "the mean": ([{"8": 0.5, "9": 0.3, "7": 0.2}], 8.1),
    "the mean over what is a rating": ([{"8": 0.4, "6": 0.4, "I": 0.2}], 7.0),
    "a rating with a blank before it counts": ([{"8": 0.25, " 8": 0.25, "4": 0.5}], 6.0),
    "10 as one token": ([{"10": 0.5, "9": 0.5}], 9.5),
    # P(10) = 0.8 * 0.75 = 0.6, P(1) = 0.2: 6 + 0.2 + 9 * 0.2 = 8.
    "10 as two tokens": ([{"1": 0.8, "9": 0.2}, {"0": 0.75, "\n": 0.25}], 8.0),
    "1 that ends there": ([{"1": 0.8, "9": 0.2}], 2.6),
    "1 that another digit than nought follows": ([{"1": 0.8, "9": 0.2}, {"5": 1.0}], 2.6),
    "what follows is not known of a 1 that was not said": (
        [{"9": 0.6, "1": 0.4}, {"0": 1.0}],
        5.8,
    ),
    "a tokenizer that has 10 does not split it": ([{"1": 0.6, "10": 0.4}, {"0": 1.0}], 4.6),
    "a blank before the number": ([{" ": 0.9, "2": 0.1}, {"8": 1.0}], 8.0),
    "a blank before 10 as two tokens": ([{"\n": 1.0}, {"1": 1.0}, {"0": 1.0}], 10.0),
    "0 and 11 are no ratings": ([{"8": 0.5, "0": 0.25, "11": 0.25}], 8.0),
}


@pytest.mark.parametrize(("places", "rating"), RATINGS.values(), ids=list(RATINGS))
def test_the_rating_is_the_expected_one(places: list[dict[str, float]], rating: float) -> None:
    assert reward_of(read_expected_rating(reply(*places))) == pytest.approx(rating, abs=1e-12)


def test_a_masked_rating_has_no_weight() -> None:
    tokens: Alternatives = {"8": math.log(0.75), "1": MASKED, "10": MASKED}
    assert reward_of(read_expected_rating(ChatReply("8", tokens=(tokens,)))) == 8.0


def test_ratings_with_too_little_probability_are_none() -> None:
    found = why(read_expected_rating(reply({"I": 0.6, "8": 0.3, "9": 0.1})))
    assert found == "ratings have 0.40 of the probability"


def test_a_reply_without_token_probabilities_is_no_rating() -> None:
    assert why(read_expected_rating(ChatReply("8"))) == "no token probabilities in the reply"
