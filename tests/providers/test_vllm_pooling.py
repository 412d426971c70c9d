"""vLLM's `/pooling`, for reward heads that have no `/classify`."""

from __future__ import annotations

from typing import Any

import pytest

from rmjudge.calls import CompareCall, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.registry import create
from rmjudge.providers.spec import parse_spec
from rmjudge.providers.vllm import VLLM, VLLMPooling

CALL = RewardCall("2+2?", "4")
TARGET = Target("Qwen/Qwen2.5-Math-RM-72B", "http://h:1")


def provider(**params: Json) -> VLLMPooling:
    return VLLMPooling(Target(TARGET.model, TARGET.base_url, params))


def pooled(*vectors: Any) -> dict[str, Any]:
    """A `PoolingResponse` of vLLM 0.32."""
    return {
        "id": "pool-1",
        "object": "list",
        "created": 1763769600,
        "model": TARGET.model,
        "data": [
            {"index": index, "object": "pooling", "data": vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 13, "total_tokens": 13, "completion_tokens": 0},
    }


def test_it_is_registered_beside_classify() -> None:
    scorer = create(parse_spec("vllm-pooling/Qwen/Qwen2.5-Math-RM-72B@http://127.0.0.1:8000"))
    assert scorer.name == "vllm-pooling/Qwen/Qwen2.5-Math-RM-72B"
    assert scorer.identity["url"] == "http://127.0.0.1:8000"


def test_one_conversation_is_asked_for_its_raw_class_scores() -> None:
    request = provider().build([CALL])
    assert (request.path, dict(request.headers)) == ("/pooling", {})
    assert request.body == {
        "model": "Qwen/Qwen2.5-Math-RM-72B",
        "messages": [
            {"role": "user", "content": "2+2?"},
            {"role": "assistant", "content": "4"},
        ],
        "task": "classify",
        "encoding_format": "float",
        "use_activation": False,
    }


def test_parameters_are_laid_over_the_body_and_null_removes_one() -> None:
    body = provider(task=None, priority=1).build([CALL]).body
    assert "task" not in body
    assert body["priority"] == 1


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_classify_and_pooling_are_two_scorers() -> None:
    assert identity_of(VLLMPooling(TARGET)) != identity_of(VLLM(TARGET))
    assert VLLMPooling.parser != VLLM.parser


def test_the_one_number_is_the_reward() -> None:
    read = provider().read(pooled([-3.657054]), CALL)
    assert read == (Reward(-3.657054), Usage(13, 0), TARGET.model)


@pytest.mark.parametrize("vector", [[], [0.1, 0.9], [0.0] * 8192])
def test_another_number_of_numbers_is_malformed(vector: list[float]) -> None:
    with pytest.raises(MalformedBodyError, match=f"gives {len(vector)} numbers"):
        provider().read(pooled(vector), CALL)


@pytest.mark.parametrize("vector", [[[0.1, 0.9], [0.2, 0.8]], [[0.5]], [[]]])
def test_rewards_of_steps_are_refused_by_name(vector: Json) -> None:
    with pytest.raises(MalformedBodyError, match="process reward model"):
        provider().read(pooled(vector), CALL)


@pytest.mark.parametrize("vector", ["7PZqwA==", None, -3.65, {"0": -3.65}])
def test_what_is_no_list_of_floats_is_malformed(vector: Json) -> None:
    with pytest.raises(MalformedBodyError, match="encoding_format"):
        provider().read(pooled(vector), CALL)


@pytest.mark.parametrize("body", [None, [], {}, {"data": None}, pooled(), pooled([1.0], [2.0])])
def test_another_number_of_entries_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match="one `data` entry"):
        provider().read(body, CALL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    answer = provider().read(pooled([value]), CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, 10**400])
def test_a_label_of_classify_is_as_strict(value: Any) -> None:
    body: Json = {"data": [{"index": 0, "label": "LABEL_0", "probs": [value], "num_classes": 1}]}
    answer = VLLM(TARGET).read(body, CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


def test_a_stored_reply_reads_as_it_did() -> None:
    reply = provider().reply(provider().split(pooled([0.25]))[0], CALL)
    assert HostedScorer(provider()).parse(CALL, reply.raw) == reply.answer == Reward(0.25)
