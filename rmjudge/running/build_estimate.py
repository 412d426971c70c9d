"""What a build would buy: its recipes driven with good replies in place of those not yet bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rmjudge.building.answer import Rehearsal
from rmjudge.building.asking import Ask
from rmjudge.calls import CHARACTERS_PER_TOKEN, Spent, Text, estimate_tokens
from rmjudge.grading.grader import Grading
from rmjudge.running.building import PreparedBuild, Progress, opened
from rmjudge.running.preparation import key_of
from rmjudge.running.pricing import FREE, cost_of


async def rehearse(
    prepared: PreparedBuild, grader: Grading | None = None
) -> dict[int, dict[str, tuple[Ask, bool]]]:
    """Every call of a build in which each reply is a good one at once; kept answers are taken.

    By model and key: the call, and whether its answer is in the cache. Nothing is called.
    """
    progress = Progress(prepared, grader=Rehearsal(grader) if grader else None)
    found: dict[int, dict[str, tuple[Ask, bool]]] = {k: {} for k in range(len(prepared.models))}
    with opened(prepared) as cache:
        while lacking := progress.missing():
            for model, of in lacking.items():
                scorer = prepared.models[model].scorer
                asks = {key_of(ask.call): ask for some in of.values() for ask in some}
                kept = await cache.lookup(cache.key_of(scorer.identity), list(asks))
                for key, ask in asks.items():
                    reply = kept.get(key)
                    known = reply is not None and not reply.open
                    found[model][key] = ask, known
                    progress.known[model, key] = (
                        reply.answer if reply is not None and known else Text(ask.example)
                    )
    return found


@dataclass(frozen=True, slots=True)
class Expected:
    """One model's share of a build in which every first reply is good; `cost` in US dollars.

    `cost` is None where the price is not known. Tokens are estimates.
    """

    model: str
    calls: int
    from_cache: int
    input_tokens: int
    output_tokens: int
    cost: float | None

    @property
    def to_buy(self) -> int:
        """Calls without a kept answer."""
        return self.calls - self.from_cache


def expected(
    prepared: PreparedBuild, rehearsed: Mapping[int, Mapping[str, tuple[Ask, bool]]]
) -> list[Expected]:
    """Add up what a build would buy, model by model."""
    found: list[Expected] = []
    for model, item in enumerate(prepared.models):
        asks = list(rehearsed[model].values())
        to_buy = [ask for ask, known in asks if not known]
        inputs = sum(estimate_tokens(ask.call) for ask in to_buy)
        outputs = sum(int(len(ask.example) / CHARACTERS_PER_TOKEN) + 1 for ask in to_buy)
        spent = Spent(inputs, outputs, replies=len(to_buy))
        cost = 0.0 if not to_buy or item.price == FREE else cost_of(spent, item.price)
        found.append(
            Expected(item.scorer.name, len(asks), len(asks) - len(to_buy), inputs, outputs, cost)
        )
    return found
