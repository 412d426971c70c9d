"""Asking a real server through `HostedScorer.answer`, as a run does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from rmjudge.calls import Call, CompareCall, Json, Outcome, Reply, RewardCall
from rmjudge.judging.methods import METHODS
from rmjudge.providers.anthropic import Anthropic
from rmjudge.providers.base import Provider, Target
from rmjudge.providers.chat import provider_of
from rmjudge.providers.gemini import Gemini
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.responses import OpenAIResponses
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.redaction import Secret

COMPARISON: Final = CompareCall("What is 2 + 2?", "It is 4.", "It is 5, I am quite sure of that.")
LONGER: Final = CompareCall("What is 2 + 2? " * 80, "It is 4. " * 120, "It is 5. " * 120)
RESPONSE: Final = RewardCall("What is 2 + 2?", "It is 4.")

ONCE: Final = Policy(
    attempts_transient=1,
    attempts_rate_limited=1,
    attempts_malformed=1,
    attempts_empty=1,
    outage_at_start_s=1,
    deadline_s=120,
)
"""No second attempt: a test sees the class of an error, not the patience with it."""
TWICE: Final = Policy(
    attempts_transient=2,
    attempts_rate_limited=2,
    attempts_malformed=2,
    attempts_empty=2,
    backoff_first_s=0.01,
    deadline_s=120,
)

Dialect = Callable[[str, str], JudgeProvider]
"""Makes a judge of a model's name and a server's root."""


def _judge(kind: type[JudgeProvider], prefix: str, model: str, root: str) -> JudgeProvider:
    return kind(Target(model, root + prefix))


DIALECTS: Final[Mapping[str, Dialect]] = {
    "openai": partial(_judge, provider_of("openai"), "/v1"),
    "openai-responses": partial(_judge, OpenAIResponses, "/v1"),
    "anthropic": partial(_judge, Anthropic, ""),
    "gemini": partial(_judge, Gemini, ""),
}


def chat(
    model: str, root: str, params: Mapping[str, Json] | None = None, method: str = "pairwise"
) -> JudgeProvider:
    """A judge over chat completions."""
    return provider_of("openai")(Target(model, f"{root}/v1", params or {}), METHODS[method])


async def ask(
    provider: Provider, *calls: Call, policy: Policy = ONCE, key: str | None = None
) -> list[Outcome]:
    """Send calls as one request (the usual comparison when none is given)."""
    scorer = HostedScorer(provider, policy=policy, secret=Secret(key) if key else None)
    usual: Call = COMPARISON if provider.method == "pairwise" else RESPONSE
    try:
        return list(await scorer.answer(calls or [usual]))
    finally:
        await scorer.aclose()


async def reply_of(provider: Provider, *calls: Call, key: str | None = None) -> Reply:
    """The one reply; a failure fails the test with its own words."""
    (outcome,) = await ask(provider, *calls, key=key)
    assert isinstance(outcome, Reply), outcome
    return outcome
