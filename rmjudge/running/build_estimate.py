"""What a build would buy: its recipes driven with made-up replies in place of those not yet bought.

Likely: each first reply is a good one. At most: each step is tried as often as it may be, and each
reply is as long as its limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from rmjudge.building.answer import Rehearsal
from rmjudge.building.asking import WRITER, Ask
from rmjudge.building.cases import Case
from rmjudge.building.sampling import ROUND, ROUNDS
from rmjudge.building.writing import SAMPLES
from rmjudge.calls import CHARACTERS_PER_TOKEN, Reply, Spent, Text, Usage, estimate_tokens
from rmjudge.grading.grader import Grading
from rmjudge.running.building import PreparedBuild, Progress, opened
from rmjudge.running.choosing import Chosen
from rmjudge.running.estimate import Estimate, Most
from rmjudge.running.preparation import key_of
from rmjudge.running.pricing import FREE, cost_of, most_cost

Rehearsed: TypeAlias = Mapping[int, Mapping[str, tuple[Ask, Reply | None]]]
"""By model and key: a call, and its kept answer."""
_SAMPLED: Final = frozenset(("code", "answer"))
"""Recipes whose `answer` is asked for in rounds of samples."""
_SHOWN: Final[Mapping[str, int]] = {
    "answer": 0,
    "markdown": 0,
    "refuse": 0,
    "concise": 1,
    "edit": 2,  # both versions; the concise one has at most a third of the other
    "claims": 1,  # both claims are of one reply
}
"""How many replies of the writer a step's request holds at most, in replies of full length."""
_MOST_SHOWN: Final = 8
"""The six texts, of which two are concise, and an edit's words in three of them."""


async def rehearse(
    prepared: PreparedBuild, grader: Grading | None = None, *, worst: bool = False
) -> Rehearsed:
    """Every call of a build, likely or at most; kept answers are taken. Nothing is called."""
    progress = Progress(prepared, grader=Rehearsal(grader) if grader else None)
    found: dict[int, dict[str, tuple[Ask, Reply | None]]] = {
        k: {} for k in range(len(prepared.models))
    }
    with opened(prepared) as cache:
        while lacking := progress.missing():
            for model, of in lacking.items():
                scorer = prepared.models[model].scorer
                asks = {
                    key_of(ask.call): (ask, prepared.cases[index])
                    for index, some in of.items()
                    for ask in some
                }
                kept = await cache.lookup(cache.key_of(scorer.identity), list(asks))
                for key, (ask, case) in asks.items():
                    reply = kept.get(key)
                    reply = None if reply is None or reply.open else reply
                    found[model][key] = ask, reply
                    if worst and _in_vain(ask, case, kept=reply is not None):
                        progress.known[model, key] = Text("")
                    else:
                        progress.known[model, key] = reply.answer if reply else Text(ask.example)
    return found


def _in_vain(ask: Ask, case: Case, *, kept: bool) -> bool:
    """Whether another sample may be asked for after this one.

    Kept samples of code are not run here, so that more of them may be needed.
    """
    sampled = ask.step == "answer" and case.recipe in _SAMPLED
    last = (ROUNDS - 1) * ROUND if sampled else SAMPLES - 1
    decided = kept and not (sampled and case.recipe == "code")
    return ask.model == WRITER and ask.call.vote < last and not decided


def expected(prepared: PreparedBuild, likely: Rehearsed, worst: Rehearsed) -> list[Estimate]:
    """Add up what a build would buy, model by model. Tokens are estimates."""
    found: list[Estimate] = []
    for model, item in enumerate(prepared.models):
        asks = list(likely[model].values())
        to_buy = [ask for ask, kept in asks if kept is None]
        inputs = sum(estimate_tokens(ask.call) for ask in to_buy)
        outputs = sum(int(len(ask.example) / CHARACTERS_PER_TOKEN) + 1 for ask in to_buy)
        spent = Spent(inputs, outputs, replies=len(to_buy))
        free = item.price == FREE
        cost = 0.0 if not to_buy or free else cost_of(spent, item.price)
        found.append(
            Estimate(
                scorer=item.scorer.name,
                planned=len(asks),
                from_cache=len(asks) - len(to_buy),
                to_buy=len(to_buy),
                input_tokens=inputs,
                output_tokens=outputs,
                cost=cost,
                cost_known=cost is not None,
                most=_most(prepared, item, worst[model]),
                spent=_spent(item, likely[model]),
                free=free,
            )
        )
    return found


def _most(
    prepared: PreparedBuild, item: Chosen, asks: Mapping[str, tuple[Ask, Reply | None]]
) -> Most:
    """The most that one model's calls can take; a reply counts as many tokens where it is shown."""
    writer = prepared.models[WRITER].scorer
    to_buy = [ask for ask, kept in asks.values() if kept is None]
    usage = Usage(0, 0)
    for ask in to_buy:
        own, written = item.scorer.most_tokens(ask.call), writer.most_tokens(ask.call)
        if own is None or written is None:
            return Most(calls=len(to_buy), cost=0.0 if item.price == FREE else None)
        shown = _SHOWN.get(ask.step, _MOST_SHOWN) * (written.output_tokens or 0)
        usage = usage.plus(own).plus(Usage(shown, 0))
    cost = None if item.price is None else most_cost(usage, item.price)
    return Most(usage.input_tokens, usage.output_tokens, cost if to_buy else 0.0, len(to_buy))


def _spent(item: Chosen, asks: Mapping[str, tuple[Ask, Reply | None]]) -> float | None:
    """The dollars that kept answers have cost; None where one does not tell."""
    spent = Spent()
    for _, kept in asks.values():
        if kept is not None:
            spent.add(kept.usage)
    return cost_of(spent, item.price)
