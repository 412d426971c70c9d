"""OpenRLHF's remote reward server: what is asked, and what is made of its replies."""

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
from rmjudge.providers.openrlhf import OpenRLHF
from rmjudge.providers.spec import HOSTED

if TYPE_CHECKING:
    from served import StubServer


def provider(url: str = "http://h:1", **params: Json) -> OpenRLHF:
    return OpenRLHF(Target("my-rm", url, params, TEMPLATE))


def rewarded(numbers: list[Any]) -> dict[str, Any]:
    """What `openrlhf.cli.serve_rm` answers."""
    return {"rewards": numbers, "scores": numbers, "extra_logs": {"dummy_scores": numbers}}


def test_it_is_registered() -> None:
    module, attribute = HOSTED["openrlhf"]
    assert getattr(import_module(module), attribute) is OpenRLHF


def test_whole_texts_and_their_prompts_are_sent() -> None:
    request = provider().build([CALL, RewardCall("hi", "hello")])
    assert (request.path, dict(request.headers)) == ("/get_reward", {})
    assert request.body == {
        "query": ["U:2+2?|A:4", "U:hi|A:hello"],
        "prompts": ["2+2?", "hi"],
    }


def test_parameters_are_laid_over_the_body() -> None:
    body = provider(prompts=None, labels=["4"]).build([CALL]).body
    assert body == {"query": ["U:2+2?|A:4"], "labels": ["4"]}


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


def test_there_is_no_key() -> None:
    assert OpenRLHF.key_variables == ()


def test_that_the_server_cuts_texts_silently_is_written_where_people_look() -> None:
    module = import_module(HOSTED["openrlhf"][0])
    assert "cuts long text silently" in str(module.__doc__)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (rewarded([-3.65, 1.5]), [-3.65, 1.5]),
        ({"rewards": [9.0, 9.0], "scores": [-3.65, 1.5]}, [-3.65, 1.5]),
        ({"rewards": [-3.65, 1.5]}, [-3.65, 1.5]),
        ({"rewards": [-3.65, 1.5], "scores": None}, [-3.65, 1.5]),
        ({"scores": []}, []),
    ],
)
def test_scores_are_preferred_then_rewards(body: Json, numbers: list[float]) -> None:
    parts = provider().split(body)
    assert [provider().read(part, CALL) for part in parts] == [
        (Reward(number), Usage(), None) for number in numbers
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rewards": None},
        {"rewards": 1.0},
        {"scores": {"0": 1.0}, "rewards": [1.0]},
        [1.0],
        None,
        "text",
    ],
)
def test_a_reply_without_a_list_of_numbers_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError, match=r"`scores` or `rewards`|is a list"):
        provider().split(body)


@pytest.mark.parametrize("part", [[1.0], [], {"score": 1.0}])
def test_nested_numbers_are_malformed(part: Json) -> None:
    with pytest.raises(MalformedBodyError, match="nests them"):
        provider().read(part, CALL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    answer = provider().read(value, CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


@pytest.mark.parametrize("value", [0.25, -3, float("nan")])
def test_a_stored_part_reads_as_it_did(value: float) -> None:
    reply = provider().reply(provider().split(rewarded([value]))[0], CALL)
    assert HostedScorer(provider()).parse(CALL, reply.raw) == reply.answer


async def test_over_a_socket_each_answer_of_a_batch_comes_back_in_order(
    stub_server: type[StubServer],
) -> None:
    with stub_server(lambda body: rewarded([length(text) for text in body["query"]])) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert answers_of(outcomes) == REWARDS
    assert [path for path, _ in server.asked] == ["/get_reward"]


async def test_over_a_socket_a_wrong_count_is_asked_again_and_then_fails(
    stub_server: type[StubServer],
) -> None:
    with stub_server(lambda body: rewarded([length(text) for text in body["query"][1:]])) as server:
        outcomes = await outcomes_of(provider(server.url))
    assert failures_of(outcomes) == ["malformed"] * len(CALLS)
    assert len(server.asked) == ATTEMPTS
