"""Scorers of one's own from Python: what they may return, and what becomes of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from own_scorers import Politeness, Shorter

import rmjudge
from rmjudge.metrics.accuracy import Accuracies


def test_a_reward_model_of_ones_own_takes_a_dozen_lines() -> None:
    run = rmjudge.evaluate(Politeness(), data="sample", out="o")
    assert run["mine/politeness"].metrics.reading == "strict"
    assert run["mine/politeness"].metrics.unscored_cells == 0


def test_a_judge_of_ones_own_takes_a_dozen_lines() -> None:
    run = rmjudge.evaluate(Shorter(), data="sample", out="o")
    metrics = run["mine/shorter"].metrics
    assert (metrics.method, metrics.order, metrics.reading) == ("pairwise", "seeded", "half_credit")


def test_a_judge_and_the_same_rewards_agree() -> None:
    class Short(rmjudge.PointwiseScorer):
        name, version = "mine/short", "1"

        def reward(self, prompt: str, response: str) -> float:
            return -float(len(response))

    run = rmjudge.evaluate([Shorter(), Short()], out="o")
    assert run["mine/shorter"].metrics.half_credit == run["mine/short"].metrics.half_credit
    assert run["mine/shorter"].metrics.strict == run["mine/short"].metrics.strict


@pytest.mark.parametrize("order", ["both", "adaptive"])
def test_a_judge_without_position_bias_scores_alike_in_every_order(order: Any) -> None:
    seeded = rmjudge.evaluate(Shorter(), out="o")["mine/shorter"].metrics
    other = rmjudge.evaluate(Shorter(), out="p", order=order)["mine/shorter"].metrics
    assert other.headline == seeded.headline
    assert other.position is not None
    assert other.position.swap_consistency == 1.0


@pytest.mark.parametrize("missing", ["name", "version"])
def test_a_scorer_without_a_name_or_version_is_told_what_to_do(missing: str) -> None:
    members = {"name": "mine/x", "version": "1", "reward": lambda *_texts: 0.0}
    del members[missing]
    kind = type("Nameless", (rmjudge.PointwiseScorer,), members)
    with pytest.raises(ValueError, match=r"^Nameless needs `name` and `version` class attributes"):
        kind()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "3", None, True, [1.0]])
def test_what_is_no_reward_is_counted_as_unscored_and_never_a_number(value: Any) -> None:
    class Wrong(rmjudge.PointwiseScorer):
        name, version = "mine/wrong", "1"

        def reward(self, prompt: str, response: str) -> float:
            return value  # type: ignore[no-any-return]

    run = rmjudge.evaluate(Wrong(), limit=1, domains=["chat"], out="o")
    result = run["mine/wrong"]
    assert result.statuses == {"not-a-number": 6}
    assert result.metrics.headline == Accuracies(None, None, None, None)
    assert run.exit_code == 1


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1, "A", None])
def test_what_is_no_credit_is_counted_as_unscored_and_never_a_number(value: Any) -> None:
    class Wrong(rmjudge.PairwiseScorer):
        name, version = "mine/wrong", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return value  # type: ignore[no-any-return]

    run = rmjudge.evaluate(Wrong(), limit=1, domains=["chat"], out="o")
    assert run["mine/wrong"].statuses == {"not-a-number": 9}
    assert run["mine/wrong"].metrics.headline == Accuracies(None, None, None, None)


def test_true_and_false_are_verdicts() -> None:
    class Longer(rmjudge.PairwiseScorer):
        name, version = "mine/longer", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return len(first) > len(second)

    run = rmjudge.evaluate(Longer(), limit=1, domains=["chat"], out="o")
    assert run["mine/longer"].metrics.headline.easy == 1.0


def test_a_whole_number_is_a_reward() -> None:
    class Whole(rmjudge.PointwiseScorer):
        name, version = "mine/whole", "1"

        def reward(self, prompt: str, response: str) -> float:
            return len(response)

    run = rmjudge.evaluate([Whole(), "baseline/length"], out="o")
    assert run["mine/whole"].metrics.strict == run["baseline/length"].metrics.strict
