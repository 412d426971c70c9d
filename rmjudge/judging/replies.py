"""What a generative model answered, whatever dialect it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rmjudge.calls import Unscored

Alternatives: TypeAlias = Mapping[str, float]
"""The candidates for one token of the reply, with their log-probabilities."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A delivered reply.

    `text` is the visible answer, reasoning left out where the dialect tells it apart.
    `withheld` says why there is nothing to read (refusal, filter, cut); it wins over the text.
    `tokens` has the alternatives of each visible token, where the provider tells them.
    `odd_reason` is why the model stopped, where it is a reason that is not known here.
    """

    text: str
    withheld: Unscored | None = None
    tokens: tuple[Alternatives, ...] = ()
    odd_reason: str = ""
