"""NeMo-Aligner's reward server, in KServe v2 JSON: what is asked, what is made of its replies."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from batched import (
    ATTEMPTS,
    CALL,
    CALLS,
    REWARDS,
    TEMPLATE,
    answers_of,
    failures_of,
    length,
    outcomes_of,
)

from rmjudge.calls import CompareCall, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.nemo import NeMo
from rmjudge.providers.spec import HOSTED

if TYPE_CHECKING:
    from served import StubServer

MODEL = "reward_model (version 1)"


def provider(url: str = "http://h:1", model: str = "reward_model", **params: Json) -> NeMo:
    return NeMo(Target(model, url, params, TEMPLATE))


def tensor(name: str, datatype: str, shape: list[Any], data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def inferred(*outputs: dict[str, Any]) -> dict[str, Any]:
    """A reply as PyTriton 0.7 sends it."""
    return {"model_name": "reward_model", "model_version": "1", "outputs": list(outputs)}


def rewards(data: list[Any], columns: int = 1) -> dict[str, Any]:
    return tensor("rewards", "FP32", [len(data) // columns, columns], data)


def flat(data: Any) -> list[Any]:
    return [leaf for part in data for leaf in flat(part)] if isinstance(data, list) else [data]


def sentences_as_triton_reads_them(body: Any) -> list[str]:
    """Check a request against the inference request object of KServe v2; return the texts."""
    assert set(body) <= {"id", "parameters", "inputs", "outputs"}
    (sentences,) = body["inputs"]
    assert set(sentences) <= {"name", "shape", "datatype", "parameters", "data"}
    assert (sentences["name"], sentences["datatype"]) == ("sentences", "BYTES")
    assert all(type(side) is int and side > 0 for side in sentences["shape"])
    texts = flat(sentences["data"])
    assert math.prod(sentences["shape"]) == len(texts)
    assert all(isinstance(text, str) for text in texts)
    assert sentences["shape"][1:] == [1], "a batch of one text a row, as the server declares it"
    return texts


def answers(asked: NeMo, body: Json) -> list[Any]:
    return [asked.read(part, CALL)[0] for part in asked.split(body)]


def test_it_is_registered() -> None:
    module, attribute = HOSTED["nemo"]
    assert getattr(import_module(module), attribute) is NeMo


def test_texts_are_rendered_and_sent_as_a_tensor_of_bytes() -> None:
    request = provider().build([CALL, RewardCall("hi", "hello")])
    assert (request.path, dict(request.headers)) == ("/v2/models/reward_model/infer", {})
    assert request.body == {
        "inputs": [
            {
                "name": "sentences",
                "shape": [2, 1],
                "datatype": "BYTES",
                "data": [["U:2+2?|A:4"], ["U:hi|A:hello"]],
            }
        ]
    }


@pytest.mark.parametrize("count", [1, 2, 16])
def test_the_request_is_an_inference_request_of_kserve(count: int) -> None:
    calls = [RewardCall(str(number), "r") for number in range(count)]
    read = sentences_as_triton_reads_them(provider().build(calls).body)
    assert read == [f"U:{number}|A:r" for number in range(count)]


def test_a_model_name_cannot_leave_its_place_in_the_path() -> None:
    path = provider(model="a/../b?c").build([CALL]).path
    assert path == "/v2/models/a%2F..%2Fb%3Fc/infer"


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_there_is_no_key() -> None:
    assert NeMo.key_variables == ()


def test_the_column_is_not_sent_but_is_part_of_the_identity() -> None:
    named = provider(column=4)
    assert named.build([CALL]) == provider().build([CALL])
    assert identity_of(named) != identity_of(provider())


@pytest.mark.parametrize("column", [-1, 1.5, "4", True, [4]])
def test_a_column_that_is_no_index_is_told(column: Json) -> None:
    with pytest.raises(UsageError, match="--param column counts from 0"):
        provider(column=column)


def test_flat_data_is_one_number_a_text_in_order() -> None:
    body = inferred(rewards([5.0, 2.0]))
    assert answers(provider(), body) == [Reward(5.0), Reward(2.0)]
    assert answers(provider(column=0), body) == [Reward(5.0), Reward(2.0)]


def test_a_shape_of_one_side_is_one_number_a_text() -> None:
    assert answers(provider(), inferred(tensor("rewards", "FP32", [2], [5.0, 2.0]))) == [
        Reward(5.0),
        Reward(2.0),
    ]


def test_the_model_and_its_version_are_told_and_no_tokens() -> None:
    (part,) = provider().split(inferred(rewards([5.0])))
    assert provider().read(part, CALL) == (Reward(5.0), Usage(), MODEL)


def test_columns_are_reshaped_row_by_row_and_read_by_the_one_named() -> None:
    body = inferred(rewards([0.1, 0.2, 0.3, 1.1, 1.2, 1.3], columns=3))
    assert answers(provider(column=0), body) == [Reward(0.1), Reward(1.1)]
    assert answers(provider(column=2), body) == [Reward(0.3), Reward(1.3)]


def test_several_columns_without_a_name_are_told_with_what_to_do() -> None:
    with pytest.raises(MalformedBodyError, match=r"gives 9 numbers .* --param column=N"):
        answers(provider(), inferred(rewards([0.0] * 18, columns=9)))


def test_a_column_that_is_not_there_is_told() -> None:
    with pytest.raises(MalformedBodyError, match="no column 3: a row has 3"):
        answers(provider(column=3), inferred(rewards([0.1, 0.2, 0.3], columns=3)))


@pytest.mark.parametrize("shape", [[3], [3, 1]])
def test_a_text_that_the_server_cut_has_no_reward_and_the_others_keep_theirs(
    shape: list[int],
) -> None:
    cut = tensor("exceeded", "BOOL", shape, [False, True, False])
    first, second, third = answers(provider(), inferred(cut, rewards([5.0, 9.9, 2.0])))
    assert (first, third) == (Reward(5.0), Reward(2.0))
    assert second == Unscored("truncated", "the server cut the text")


def test_flags_for_another_number_of_texts_are_malformed() -> None:
    cut = tensor("exceeded", "BOOL", [1], [True])
    with pytest.raises(MalformedBodyError, match="1 flags of `exceeded` for 2 rewards"):
        provider().split(inferred(rewards([5.0, 2.0]), cut))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"outputs": None},
        {"outputs": []},
        {"outputs": [None, 1]},
        inferred(tensor("values", "FP32", [1, 1], [5.0])),
    ],
)
def test_a_reply_without_rewards_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match="called `rewards`"):
        provider().split(body)


@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([2, 1], [5.0]),
        ([1, 1], [5.0, 2.0]),
        ([2, 1], [[5.0], [2.0], [1.0]]),
        ([0, 1], []),
        ([], [5.0]),
        ([True, 1], [5.0]),
        ([1.0, 1], [5.0]),
        ([-1, -2], [5.0, 2.0]),
        (None, [5.0]),
        ([1, 1], None),
        ([1, 1], "5"),
    ],
)
def test_a_shape_that_does_not_fit_its_data_is_malformed(shape: Any, data: Any) -> None:
    with pytest.raises(MalformedBodyError, match="disagree"):
        provider().split(inferred(tensor("rewards", "FP32", shape, data)))


@pytest.mark.parametrize("part", [None, {}, [1.0], {"rewards": 1.0}])
def test_a_part_without_a_row_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="row of `rewards`"):
        provider().read(part, CALL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, [1.0], 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    (answer,) = answers(provider(), inferred(rewards([value])))
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


@pytest.mark.parametrize("flag", [False, True])
def test_a_stored_part_reads_as_it_did(flag: bool) -> None:
    body = inferred(rewards([0.25]), tensor("exceeded", "BOOL", [1], [flag]))
    reply = provider().reply(provider().split(body)[0], CALL)
    assert reply.model == MODEL
    assert HostedScorer(provider()).parse(CALL, reply.raw) == reply.answer


async def test_over_a_socket_each_answer_of_a_batch_comes_back_in_order(
    stub_server: type[StubServer],
) -> None:
    def reply(body: Any) -> Any:
        texts = sentences_as_triton_reads_them(body)
        return inferred(rewards([number for text in texts for number in (0.0, length(text))], 2))

    with stub_server(reply) as server:
        outcomes = await outcomes_of(provider(server.url, column=1))
    assert answers_of(outcomes) == REWARDS
    assert [path for path, _ in server.asked] == ["/v2/models/reward_model/infer"]


async def test_over_a_socket_a_wrong_count_is_asked_again_and_then_fails(
    stub_server: type[StubServer],
) -> None:
    def reply(body: Any) -> Any:
        texts = sentences_as_triton_reads_them(body)
        return inferred(rewards([length(text) for text in texts[1:]]))

    with stub_server(reply) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert failures_of(outcomes) == ["malformed"] * len(CALLS)
    assert len(server.asked) == ATTEMPTS
