"""What becomes of a call that a server always answers alike: kept, failed, or the run's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rmjudge.calls import CompareCall, Failure, Reply, RewardCall
from rmjudge.errors import ProviderStopped
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.sending.policy import Policy

if TYPE_CHECKING:
    from served import ModelServer

    from rmjudge.providers.base import Provider

CALL: Final = CompareCall("Which is right?", "The first.", "The second.")
SINGLE: Final = RewardCall("Which is right?", "The only one.")
TRANSIENT: Final = 3
OVERLOADED: Final = 4
UNREADABLE: Final = 5
"""How many requests a call is worth, by what is wrong; all different, to be told apart."""
QUICK: Final = Policy(
    backoff_first_s=0.001,
    backoff_most_s=0.002,
    attempts_transient=TRANSIENT,
    attempts_rate_limited=OVERLOADED,
    attempts_malformed=UNREADABLE,
)
SCORED: Final = "scored"
STOPPED: Final = "the run stops"


@dataclass(frozen=True, slots=True)
class Became:
    """`status` is SCORED, STOPPED, or that of an answer without a score or of a failure."""

    status: str
    requests: int
    detail: str = ""

    @property
    def counted(self) -> tuple[str, int]:
        """The status, and after how many requests."""
        return self.status, self.requests


async def becomes(
    server: ModelServer,
    provider: Provider,
    status: int,
    body: Any,
    headers: dict[str, str] | None = None,
) -> Became:
    """Ask `provider`, whose address is the server's, about CALL."""
    server.control(always={"status": status, "body": body, "headers": headers or {}})
    scorer = HostedScorer(provider, policy=QUICK)
    try:
        (outcome,) = await scorer.answer([CALL])
    except ProviderStopped as reason:
        return Became(STOPPED, server.stats["received"], str(reason))
    finally:
        await scorer.aclose()
    if isinstance(outcome, Failure):
        return Became(outcome.status, server.stats["received"], outcome.detail)
    assert isinstance(outcome, Reply)
    answer = outcome.answer
    return Became(
        getattr(answer, "status", SCORED), server.stats["received"], getattr(answer, "detail", "")
    )
