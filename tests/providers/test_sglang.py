"""SGLang's native `/classify`: what is asked, and what is made of its replies."""

from __future__ import annotations

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
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.sglang import SGLang
from rmjudge.providers.spec import HOSTED

if TYPE_CHECKING:
    from served import StubServer


def provider(url: str = "http://h:1", **params: Json) -> SGLang:
    return SGLang(Target("Skywork/RM", url, params, TEMPLATE))


def item(reward: Any, **meta: Any) -> dict[str, Any]:
    """One classified text, as SGLang 0.5.23 sends it."""
    info = {"id": "9c", "finish_reason": None, "prompt_tokens": 13, "e2e_latency": 0.02, **meta}
    return {"embedding": [reward], "meta_info": info}


def test_it_is_registered() -> None:
    module, attribute = HOSTED["sglang"]
    assert getattr(import_module(module), attribute) is SGLang


def test_texts_are_rendered_and_sent_as_one_list() -> None:
    request = provider().build([CALL, RewardCall("hi", "hello")])
    assert (request.path, dict(request.headers)) == ("/classify", {})
    assert request.body == {"text": ["U:2+2?|A:4", "U:hi|A:hello"]}


def test_one_text_is_a_list_too_since_a_bare_string_is_answered_without_a_list() -> None:
    assert provider().build([CALL]).body == {"text": ["U:2+2?|A:4"]}


def test_parameters_are_laid_over_the_body() -> None:
    assert provider(priority=1).build([CALL]).body == {"text": ["U:2+2?|A:4"], "priority": 1}


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_without_a_template_nothing_is_sent() -> None:
    with pytest.raises(TypeError, match="needs a chat template"):
        SGLang(Target("m", "http://h:1")).build([CALL])


def test_a_batch_is_cut_in_the_order_of_the_reply() -> None:
    body: Json = [item(-3.65), item(1.5)]
    parts = provider().split(body)
    assert [provider().read(part, CALL)[0] for part in parts] == [Reward(-3.65), Reward(1.5)]


def test_tokens_are_those_of_the_text_and_no_model_is_told() -> None:
    assert provider().read(item(0.5), CALL)[1:] == (Usage(input_tokens=13), None)


@pytest.mark.parametrize("body", [item(1.0), {"error": None}, "text", None, 3])
def test_a_reply_that_is_no_list_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match="list of objects"):
        provider().split(body)


@pytest.mark.parametrize("part", [None, 1.0, [1.0], {}, {"embedding": 1.0}, {"embedding": None}])
def test_a_text_without_an_embedding_is_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="`embedding` list"):
        provider().read(part, CALL)


@pytest.mark.parametrize("embedding", [[], [0.1, 0.9], [0.1] * 1024])
def test_a_model_with_another_number_of_outputs_is_malformed(embedding: Json) -> None:
    with pytest.raises(MalformedBodyError, match=r"gives \d+ numbers"):
        provider().read({"embedding": embedding}, CALL)


def test_an_aborted_text_has_no_reward_although_it_has_an_embedding() -> None:
    aborted = item(0.0, finish_reason={"type": "abort", "message": "Input is too long"})
    with pytest.raises(MalformedBodyError, match="aborted this text: Input is too long"):
        provider().read(aborted, CALL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    answer = provider().read(item(value), CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


def test_a_stored_part_reads_as_it_did() -> None:
    part = provider().split([item(0.25)])[0]
    reply = provider().reply(part, CALL)
    assert HostedScorer(provider()).parse(CALL, reply.raw) == reply.answer == Reward(0.25)


async def test_over_a_socket_each_answer_of_a_batch_comes_back_in_order(
    stub_server: type[StubServer],
) -> None:
    with stub_server(lambda body: [item(length(text)) for text in body["text"]]) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert answers_of(outcomes) == REWARDS
    assert [path for path, _ in server.asked] == ["/classify"]


async def test_over_a_socket_a_wrong_count_is_asked_again_and_then_fails(
    stub_server: type[StubServer],
) -> None:
    with stub_server(lambda body: [item(length(text)) for text in body["text"][1:]]) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert failures_of(outcomes) == ["malformed"] * len(CALLS)
    assert len(server.asked) == ATTEMPTS


async def test_over_a_socket_a_count_that_is_right_the_second_time_is_taken(
    stub_server: type[StubServer],
) -> None:
    short = [True]

    def reply(body: Any) -> Any:
        whole = [item(length(text)) for text in body["text"]]
        return whole[: -1 if short and short.pop() else None]

    with stub_server(reply) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert answers_of(outcomes) == REWARDS
    assert len(server.asked) == 2
