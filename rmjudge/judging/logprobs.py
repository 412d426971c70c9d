"""Scores read from token probabilities: no text to parse, no sampling noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Answer, Reward, Unscored, Verdict
from rmjudge.judging.replies import Alternatives, ChatReply

VERDICT_PARSER: Final = "first-token-verdict/1"
RATING_PARSER: Final = "expected-rating/1"
LOWEST, HIGHEST = 1, 10
LEAST_MASS: Final = 0.5
"""Answers hold less than half the probability: the model did not do as it was asked."""


def read_first_token_verdict(reply: ChatReply) -> Answer:
    """P(A) / (P(A) + P(B)) at the first visible token that is no blank."""
    if reply.withheld and not _merely_cut(reply):
        return reply.withheld
    place = next(_visible(reply.tokens), None)
    if place is None:
        return Unscored("unparsed", "no token probabilities in the reply")
    first, second = _mass(place, "A"), _mass(place, "B")
    if first + second < LEAST_MASS:
        return Unscored("unparsed", f"A and B have {first + second:.2f} of the probability")
    return Verdict(first / (first + second))


def read_expected_rating(reply: ChatReply) -> Answer:
    """The mean of the ratings 1 to 10 under the probabilities of the first visible token.

    Where a tokenizer splits "10" into two tokens, the mass of "1" is divided by what follows
    it, which is known if "1" is what was generated.
    """
    if reply.withheld and not _merely_cut(reply):
        return reply.withheld
    places = list(_visible(reply.tokens))
    if not places:
        return Unscored("unparsed", "no token probabilities in the reply")
    weights = {rating: _mass(places[0], str(rating)) for rating in range(LOWEST, HIGHEST + 1)}
    if not weights[HIGHEST] and len(places) > 1 and _likeliest(places[0]) == "1":
        tenth = _mass(places[1], "0")
        weights[HIGHEST] = weights[1] * tenth
        weights[1] *= 1 - tenth
    total = math.fsum(weights.values())
    if total < LEAST_MASS:
        return Unscored("unparsed", f"ratings have {total:.2f} of the probability")
    return Reward(math.fsum(rating * weight for rating, weight in weights.items()) / total)


def _merely_cut(reply: ChatReply) -> bool:
    """A model that goes on talking is cut, but what counts is how it began."""
    cut = reply.withheld is not None and reply.withheld.status == "truncated"
    return cut and bool(reply.tokens)


def _visible(tokens: Sequence[Alternatives]) -> Iterator[Alternatives]:
    """Skip places where a blank is the likeliest token."""
    started = False
    for place in tokens:
        started = started or bool(place and _likeliest(place))
        if started:
            yield place


def _likeliest(place: Alternatives) -> str:
    return max(place, key=lambda token: place[token]).strip() if place else ""


def _mass(place: Alternatives, answer: str) -> float:
    return min(
        1.0, math.fsum(math.exp(lp) for token, lp in place.items() if token.strip() == answer)
    )
