"""A tuple of six texts, its plan of either kind, and the credit that comes of answers."""

from __future__ import annotations

from collections.abc import Callable

from rmjudge.calls import Answer, CompareCall, Reward, Unscored
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.metrics.tallies import Credits
from rmjudge.planning.plan import PairwisePlan, PointwisePlan, plan_tuple
from rmjudge.vocabulary import Order

CHOSEN: Triple = ("c0", "c1", "c2")
REJECTED: Triple = ("r0", "r1", "r2")
ALL_TIES = ((0.5, 0.5, 0.5),) * 3
UNPARSED = Unscored("unparsed")


def bench(chosen: Triple = CHOSEN, rejected: Triple = REJECTED, id: int = 1) -> BenchTuple:
    return BenchTuple(id, "chat", None, "the prompt", chosen, rejected)


def pointwise(item: BenchTuple) -> PointwisePlan:
    plan = plan_tuple(item, "pointwise")
    assert isinstance(plan, PointwisePlan)
    return plan


def pairwise(item: BenchTuple, order: Order = "seeded", seed: int = 0) -> PairwisePlan:
    plan = plan_tuple(item, "pairwise", order, seed)
    assert isinstance(plan, PairwisePlan)
    return plan


def rewarded(plan: PointwisePlan, rewards: dict[str, float]) -> Credits:
    return plan.credits([Reward(rewards[call.response]) for call in plan.calls])


def judged(plan: PairwisePlan, judge: Callable[[CompareCall], Answer | None]) -> Credits:
    return plan.credits([judge(call) for call in plan.calls])
