"""Both readings of an item, the averages, and RewardBench 2's Ties against numpy."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from rmjudge.benchmarks.descriptors import Descriptor, shipped
from rmjudge.benchmarks.fields import Fields
from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import NO_VERDICT, ItemOutcome, Vote, score_of


def rules(**about: Any) -> Descriptor:
    return Descriptor("own", "Own", Fields(prompt="p", chosen="c", rejected="r"), **about)


def judged(*votes: Vote) -> ItemOutcome:
    return ItemOutcome(0, "", (1.0, 0.0), None, ((0, 1, votes),))


@pytest.mark.parametrize(
    ("order", "votes", "strict", "half"),
    [
        ("both-net", (1.0, 0.5), 1.0, 1.0),
        ("both-net", (1.0, 0.0), 0.0, 0.5),
        ("both-net", (0.0, 0.5), 0.0, 0.0),
        ("both-net", (1.0, NO_VERDICT), 1.0, 1.0),
        ("both-mean", (1.0, 0.0), 0.5, 0.5),
        ("both-mean", (1.0, 0.5), 0.5, 0.75),
        ("both-agree", (1.0, 0.5), 0.0, 0.5),
        ("both-agree", (1.0, 1.0), 1.0, 1.0),
        ("seeded", (0.5,), 0.0, 0.5),
    ],
)
def test_orders_make_a_score_by_the_benchmarks_protocol(
    order: str, votes: tuple[Vote, ...], strict: float, half: float
) -> None:
    score = score_of(judged(*votes), rules(order=order, failure="no-vote"))
    assert (score.strict, score.half_credit) == (strict, half)


def test_a_question_without_a_reply_leaves_the_item_unscored_whatever_the_rule() -> None:
    outcome = judged(1.0, None)
    for failure in ("absent", "no-vote", "half", "wrong"):
        assert score_of(outcome, rules(order="both-net", failure=failure)).strict is None
    metrics = measure("s", "pairwise", "both-net", [judged(1.0, 1.0), outcome], rules())
    assert (metrics.headline, metrics.low, metrics.high) == (1.0, 0.5, 1.0)
    assert metrics.absent == 1


@pytest.mark.parametrize(
    ("rewards", "strict", "half"),
    [
        ((2.0, 1.0, 1.0, 0.0), 1.0, 1.0),
        ((2.0, 2.0, 1.0, 0.0), 0.0, 0.5),
        ((2.0, 2.0, 2.0, 2.0), 0.0, 0.25),
        ((1.0, 2.0, 0.0, 0.0), 0.0, 0.0),
    ],
)
def test_the_best_of_four_shares_its_credit_with_those_that_tie(
    rewards: tuple[float, ...], strict: float, half: float
) -> None:
    outcome = ItemOutcome(0, "", (1.0, 0.0, 0.0, 0.0), rewards)
    score = score_of(outcome, rules(kind="best"))
    assert (score.strict, score.half_credit) == (strict, half)
    pairs = tuple(
        (0, worse, (0.5 if rewards[0] == rewards[worse] else float(rewards[0] > rewards[worse]),))
        for worse in (1, 2, 3)
    )
    by_pairs = score_of(ItemOutcome(0, "", outcome.grades, None, pairs), rules(kind="best"))
    assert by_pairs == score


def numpy_ties(rows: list[tuple[str, int, list[float]]]) -> float:
    """The formula of reward-bench's v2, written anew with numpy."""
    stats: dict[str, tuple[float, float]] = {}
    for id, right, scores in rows:
        worst, best = min(scores[:right]), max(scores[:right])
        stats[id] = (worst - max(scores[right:]), best - worst)
    ref = {k[4:]: v for k, v in stats.items() if k.startswith("ref:")}
    tied = {k[5:]: v for k, v in stats.items() if k.startswith("tied:")}
    both = sorted(ref.keys() & tied.keys())
    spread = np.array([tied[n][1] for n in both])
    gap_tied = np.array([tied[n][0] for n in both])
    gap = np.minimum(np.array([ref[n][0] for n in both]), gap_tied)
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = np.nan_to_num(np.tanh(gap / spread - 1), nan=0)
    return float(
        0.3 * np.mean([v[0] > 0 for v in tied.values()])
        + 0.3 * np.mean([v[0] > 0 for v in ref.values()])
        + 0.2 * np.mean(gap_tied > spread)
        + 0.2 * np.mean(gap > spread)
        + 0.01 * np.mean(margin)
    )


@pytest.mark.parametrize("seed", range(20))
def test_rewardbench_2_is_the_mean_of_six_subsets_of_which_ties_has_its_own_formula(
    seed: int,
) -> None:
    draw = random.Random(seed)
    grain = draw.choice([1, 4, 1000])  # coarse rewards tie often

    def reward(low: float) -> float:
        return round(grain * (draw.gauss(0, 1) + low)) / grain

    rows = [
        (
            f"{kind}:{n}",
            right := 1 if kind == "ref" else draw.randint(2, 5),
            [reward(2.0) for _ in range(right)] + [reward(0.0) for _ in range(6)],
        )
        for n in range(12)
        for kind in (("ref", "tied") if n < 10 else ("ref",))
    ]
    outcomes = [
        ItemOutcome(id, "Ties", (1.0,) * right + (0.0,) * 6, tuple(scores))
        for id, right, scores in rows
    ]
    expected = [numpy_ties(rows)]
    for subset in ("Factuality", "Focus", "Math", "Precise IF", "Safety"):
        found = []
        for number in range(draw.randint(3, 9)):
            scores = [reward(0.7), reward(0), reward(0), reward(0)]
            top = np.flatnonzero(np.array(scores) == max(scores))
            found.append(1 / len(top) if 0 in top else 0.0)
            outcomes.append(ItemOutcome(number, subset, (1.0, 0, 0, 0), tuple(scores)))
        expected.append(float(np.mean(found)))
    metrics = measure("rm", "pointwise", None, outcomes, shipped()["rewardbench-2"])
    assert metrics.subsets["Ties"].strict == pytest.approx(expected[0], abs=1e-12)
    assert metrics.headline == pytest.approx(np.mean(expected), abs=1e-12)


def test_ties_without_all_rewards_are_not_scored_and_nor_is_the_whole() -> None:
    outcomes = [
        ItemOutcome("ref:0", "Ties", (1.0, 0.0), (1.0, None)),
        ItemOutcome("tied:0", "Ties", (1.0, 1.0, 0.0), (1.0, 2.0, 0.0)),
        ItemOutcome(0, "Math", (1.0, 0.0), (1.0, 0.0)),
    ]
    metrics = measure("rm", "pointwise", None, outcomes, shipped()["rewardbench-2"])
    assert metrics.subsets["Ties"].strict is None
    assert metrics.headline is None
