"""Hugging Face endpoints for text classification: what is asked, what is made of the replies."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.calls import CompareCall, Json, Reply, Reward, RewardCall, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import MalformedBodyError, Target
from rmjudge.providers.hf_endpoint import HFEndpoint
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.rendering import ChatTemplate
from rmjudge.providers.sending.errors import classify
from rmjudge.providers.sending.messages import RawReply, Retryable
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.spec import HOSTED

if TYPE_CHECKING:
    from served import StubServer


TEMPLATE = ChatTemplate("T", lambda turns: f"U:{turns[0]['content']}|A:{turns[1]['content']}")
CALL = RewardCall("2+2?", "4")


def provider(url: str = "https://x.us-east-1.aws.example", **params: Json) -> HFEndpoint:
    return HFEndpoint(Target("Skywork/RM", url, params, TEMPLATE))


def test_it_is_registered() -> None:
    module, attribute = HOSTED["hf-endpoint"]
    assert getattr(import_module(module), attribute) is HFEndpoint


def test_one_text_is_asked_at_the_address_itself_for_raw_scores_of_all_labels() -> None:
    request = provider().build([CALL])
    assert request.path == ""
    assert request.body == {
        "inputs": "U:2+2?|A:4",
        "parameters": {"function_to_apply": "none", "top_k": 100},
    }


def test_the_proxy_may_hold_a_request_while_the_endpoint_wakes_but_not_past_our_deadline() -> None:
    held = float(provider().build([CALL]).headers["x-scale-up-timeout"])
    assert 300 <= held < Policy().deadline_s


def test_parameters_are_laid_over_the_body() -> None:
    body = provider(parameters={"function_to_apply": "sigmoid"}).build([CALL]).body
    assert body["parameters"] == {"function_to_apply": "sigmoid", "top_k": 100}


def test_the_label_is_not_sent_but_is_part_of_the_identity() -> None:
    named = provider(label="good")
    assert named.build([CALL]) == provider().build([CALL])
    assert identity_of(named) != identity_of(provider())


def test_a_label_that_is_no_text_is_told() -> None:
    with pytest.raises(UsageError, match="--param label"):
        provider(label=0)


def test_a_comparison_is_refused() -> None:
    with pytest.raises(TypeError, match="scores one response"):
        provider().build([CompareCall("p", "a", "b")])


@pytest.mark.parametrize("nested", [False, True])
def test_both_depths_are_read(nested: bool) -> None:
    flat: list[Json] = [{"label": "LABEL_0", "score": -3.65}]
    body: Json = [flat] if nested else flat
    assert provider().read(body, CALL) == (Reward(-3.65), Usage(), None)


@pytest.mark.parametrize("nested", [False, True])
def test_labels_are_read_by_name_though_sorted_by_score(nested: bool) -> None:
    flat: list[Json] = [{"label": "bad", "score": 2.0}, {"label": "good", "score": -1.0}]
    body: Json = [flat] if nested else flat
    assert provider(label="good").read(body, CALL)[0] == Reward(-1.0)
    with pytest.raises(MalformedBodyError, match="labels bad, good; say which"):
        provider().read(body, CALL)


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"label": "LABEL_0", "score": 1.0},
        [],
        [[]],
        [[[{"label": "LABEL_0", "score": 1.0}]]],
        [[{"label": "LABEL_0", "score": 1.0}], [{"label": "LABEL_0", "score": 2.0}]],
        [0.1, 0.2],
        [[0.1, 0.2]],
        [{"label": "LABEL_0"}],
    ],
)
def test_what_is_no_classification_of_one_text_is_malformed(body: Json) -> None:
    with pytest.raises(MalformedBodyError):
        provider().read(body, CALL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5", True, None, 10**400])
def test_what_is_no_finite_number_is_no_reward(value: Any) -> None:
    answer = provider().read([[{"label": "LABEL_0", "score": value}]], CALL)[0]
    assert isinstance(answer, Unscored)
    assert answer.status == "not-a-number"


@pytest.mark.parametrize("status", [502, 503])
def test_a_cold_endpoint_is_asked_again(status: int) -> None:
    body = b'{"error":"Model Skywork/RM is currently loading","estimated_time":20.0}'
    assert type(classify(RawReply(status, {}, body), Policy())) is Retryable


@pytest.mark.parametrize(
    ("base", "path"), [("", "/"), ("/", "/"), ("/hf-inference/models/a/b", None)]
)
async def test_over_a_socket_the_address_itself_is_asked(
    stub_server: type[StubServer], base: str, path: str | None
) -> None:
    with stub_server(lambda body: [[{"label": "L", "score": len(body["inputs"])}]]) as server:
        scorer = HostedScorer(provider(server.url + base))
        (outcome,) = await scorer.answer([CALL])
        await scorer.aclose()
    assert isinstance(outcome, Reply)
    assert outcome.answer == Reward(len("U:2+2?|A:4"))
    assert [asked for asked, _ in server.asked] == [path or base]
