"""From a tuple to the calls of a reward model and back: six texts, every cell."""

from __future__ import annotations

from planned import ALL_TIES, CHOSEN, REJECTED, UNPARSED, bench, pointwise, rewarded

from rmjudge.calls import Answer, Reward, RewardCall


def test_a_reward_model_is_asked_six_times() -> None:
    plan = pointwise(bench())
    assert plan.calls == tuple(RewardCall("the prompt", text) for text in (*CHOSEN, *REJECTED))


def test_equal_responses_are_one_call() -> None:
    plan = pointwise(bench(("c0", "c1", "c1"), ("r0", "r0", "r2")))
    assert [call.response for call in plan.calls] == ["c0", "c1", "r0", "r2"]


def test_every_cell_counts_where_responses_are_equal() -> None:
    plan = pointwise(bench(("c0", "c1", "c1"), ("r0", "r0", "r2")))
    assert rewarded(plan, {"c0": 1.0, "c1": 3.0, "r0": 2.0, "r2": 4.0}) == (
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0),
        (1.0, 1.0, 0.0),
    )


def test_a_rewards_place_in_the_matrix_is_row_chosen_column_rejected() -> None:
    plan = pointwise(bench())
    rewards = {"c0": 1.0, "c1": 3.0, "c2": 5.0, "r0": 0.0, "r1": 2.0, "r2": 4.0}
    assert rewarded(plan, rewards) == ((1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 1.0))


def test_equal_rewards_are_half_a_credit() -> None:
    assert rewarded(pointwise(bench()), dict.fromkeys((*CHOSEN, *REJECTED), 0.0)) == ALL_TIES


def test_the_smallest_difference_is_no_tie() -> None:
    plan = pointwise(bench())
    rewards = dict.fromkeys(CHOSEN, 1.0 + 2**-52) | dict.fromkeys(REJECTED, 1.0)
    assert rewarded(plan, rewards) == ((1.0, 1.0, 1.0),) * 3


def test_a_response_without_a_reward_leaves_its_row_or_column_absent() -> None:
    plan = pointwise(bench())
    answers: list[Answer | None] = [
        Reward(1.0),
        UNPARSED,
        Reward(1.0),
        Reward(0.0),
        Reward(0.0),
        None,
    ]
    assert plan.credits(answers) == ((1.0, 1.0, None), (None, None, None), (1.0, 1.0, None))


def test_scores_stand_style_by_style_even_where_one_call_serves_two() -> None:
    plan = pointwise(bench(("c0", "c1", "c1"), ("r0", "c0", "r2")))
    answers = [Reward(float(number)) for number in range(len(plan.calls))]
    assert plan.scores(answers) == ((0.0, 1.0, 1.0), (2.0, 0.0, 3.0))


def test_no_reward_waits_for_another() -> None:
    assert [pointwise(bench()).after(number) for number in range(6)] == [None] * 6
