"""`vllm/MODEL`: raw logits, one label, strict numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.calls import Answer, CompareCall, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.vllm import VLLM

CALL = RewardCall("What is 2 + 2?", "4")


def provider(**params: Json) -> VLLM:
    return VLLM(Target("org/rm", "http://127.0.0.1:8000", params))


def classification(probs: Any, **more: Any) -> Json:
    entry = {"index": 0, "label": "LABEL_0", "probs": probs, "num_classes": 1}
    found: Json = {"id": "classify-1", "object": "list", "model": "org/rm", "data": [entry], **more}
    return found


def answer(probs: Any) -> Answer:
    return provider().read(classification(probs), CALL)[0]


def test_the_activation_is_switched_off() -> None:
    assert provider().build([CALL]).body["use_activation"] is False


def test_a_response_is_sent_as_a_conversation_for_the_model_s_own_template() -> None:
    request = provider().build([CALL])

    assert request.path == "/classify"
    assert request.body == {
        "model": "org/rm",
        "messages": [
            {"role": "user", "content": "What is 2 + 2?"},
            {"role": "assistant", "content": "4"},
        ],
        "use_activation": False,
    }


def test_the_user_s_parameters_win_and_a_null_takes_one_away() -> None:
    built = provider(use_activation=True, model=None, truncate_prompt_tokens=9).build([CALL]).body

    assert built["use_activation"] is True
    assert "model" not in built
    assert built["truncate_prompt_tokens"] == 9


def test_a_comparison_is_no_single_response() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("prompt", "one", "two")])


@pytest.mark.parametrize("reward", [-3.657054, 0.0, 7, 1e300, -5e-324])
def test_a_reward_is_the_one_label_s_logit(reward: float) -> None:
    assert answer([reward]) == Reward(reward)


@pytest.mark.parametrize(
    "reward",
    [
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        True,
        False,
        "0.5",
        None,
        [0.5],
        {"value": 1},
    ],
    ids=["NaN", "inf", "-inf", "huge", "true", "false", "string", "null", "list", "object"],
)
def test_what_is_no_finite_number_is_no_score(reward: Any) -> None:
    found = answer([reward])

    assert isinstance(found, Unscored)
    assert found.status == "not-a-number"
    assert found.detail


@pytest.mark.parametrize("probs", [[], [0.1, 0.9], [0.1, 0.2, 0.7]])
def test_a_model_with_another_number_of_labels_is_no_reward_model(probs: Any) -> None:
    with pytest.raises(MalformedBodyError, match=f"{len(probs)} labels; a reward model has one"):
        answer(probs)


@pytest.mark.parametrize(
    "part",
    [
        None,
        [],
        {},
        {"data": None},
        {"data": []},
        {"data": [1]},
        {"data": [{}]},
        {"data": [{"probs": 0.5}]},
        {"data": [{"probs": "0.5"}]},
        {"data": [{"probs": [0.5]}, {"probs": [0.6]}]},
        {"data": {"probs": [0.5]}},
    ],
)
def test_what_is_no_classification_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="one `data` entry with `probs`"):
        provider().read(part, CALL)


def test_usage_and_model_are_the_server_s() -> None:
    usage = {"prompt_tokens": 13, "total_tokens": 13, "completion_tokens": 0}
    _, found, model = provider().read(classification([0.5], usage=usage), CALL)

    assert found == Usage(13, 0, None)
    assert model == "org/rm"


def test_a_server_that_counts_nothing_is_read_too() -> None:
    assert provider().read(classification([0.5]), CALL)[1] == Usage()


def test_what_is_stored_can_be_read_again() -> None:
    reply = provider().reply(classification([-3.657054]), CALL)

    assert provider().read(json.loads(reply.raw), CALL)[0] == reply.answer == Reward(-3.657054)
    assert reply.parser == provider().parser
