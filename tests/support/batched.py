"""Five calls to a server of rewards that takes a batch, and what came back of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rmjudge.calls import Answer, Failure, Outcome, Reply, Reward, RewardCall
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.rendering import ChatTemplate
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from rmjudge.providers.base import Provider

TEMPLATE: Final = ChatTemplate(
    "T", lambda turns: f"U:{turns[0]['content']}|A:{turns[1]['content']}"
)
CALL: Final = RewardCall("2+2?", "4")
ATTEMPTS: Final = 3
"""How often a reply that is none is asked for."""


def length(text: str) -> float:
    """The reward of a text; exact in every floating-point format."""
    return len(text) / 8


CALLS: Final = [RewardCall(f"prompt {number}", "x" * number) for number in range(5)]
REWARDS: Final = [Reward(length(f"U:{call.prompt}|A:{call.response}")) for call in CALLS]


async def outcomes_of(provider: Provider) -> Sequence[Outcome]:
    """Ask about all of CALLS at once."""
    policy = Policy(backoff_first_s=0.001, attempts_malformed=ATTEMPTS)
    scorer = HostedScorer(provider, policy=policy)
    try:
        return await scorer.answer(CALLS)
    finally:
        await scorer.aclose()


def answers_of(outcomes: Sequence[Outcome]) -> list[Answer]:
    return [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)]


def failures_of(outcomes: Sequence[Outcome]) -> list[str]:
    """The statuses of the calls that failed."""
    return [outcome.status for outcome in outcomes if isinstance(outcome, Failure)]
