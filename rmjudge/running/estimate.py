"""What a run would call and buy: a plan held against the cache. Nothing is called."""

from __future__ import annotations

from dataclasses import dataclass

from rmjudge.cache import AnswerCache
from rmjudge.calls import Json, estimate_tokens
from rmjudge.running.orchestrator import settle_from_cache
from rmjudge.running.preparation import Prepared
from rmjudge.running.pricing import Spent, cost_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """One scorer's share. Tokens are estimates; `cost` is None when unknown or free.

    `at_most` says that some calls depend on answers, so that fewer may be asked.
    """

    scorer: str
    planned: int
    from_cache: int
    to_buy: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    cost_known: bool
    at_most: bool = False

    def to_json(self) -> dict[str, Json]:
        """For `--json`."""
        return {
            "scorer": self.scorer,
            "planned": self.planned,
            "from_cache": self.from_cache,
            "to_buy": self.to_buy,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "at_most": self.at_most,
            "cost": {"usd": self.cost, "known": self.cost_known},
        }


async def estimate(prepared: Prepared) -> list[Estimate]:
    """Look every call up and add up what is missing.

    With follow-up questions (`--order adaptive`) the most that may be asked is counted.
    """
    estimates: list[Estimate] = []
    with AnswerCache(prepared.cache_folder) as cache:
        for job in prepared.jobs:
            key = cache.key_of(job.scorer.identity)
            pending = await settle_from_cache(job, cache, key, job.all_questions())
            inputs = sum(estimate_tokens(work.call) for work in pending)
            outputs = job.scorer.output_tokens_estimate * len(pending)
            estimates.append(
                Estimate(
                    scorer=job.scorer.name,
                    planned=len(job.work),
                    from_cache=len(job.work) - len(pending),
                    to_buy=len(pending),
                    input_tokens=inputs,
                    output_tokens=outputs,
                    cost=cost_of(Spent(inputs, outputs), job.price) if pending else 0.0,
                    cost_known=job.price is not None or not pending,
                    at_most=any(plan.conditional for plan in job.plans),
                )
            )
    return estimates
