"""A hosted provider as a scorer: its identity, and many calls in one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.calls import Answer, Call, Failure, Json, Reply, Reward, RewardCall, Usage
from rmjudge.errors import Interrupted
from rmjudge.providers.base import MalformedBodyError, Provider, Request, Target, count, member
from rmjudge.providers.hosted import HostedScorer, identity_of
from rmjudge.providers.registry import ScorerSettings, create
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.redaction import Secret
from rmjudge.providers.spec import parse_spec
from rmjudge.providers.vllm import VLLM
from rmjudge.scorer import Scorer

if TYPE_CHECKING:
    from served import ModelServer

LOCAL = "http://127.0.0.1:8000"


def identity(spec: str = f"openai/m@{LOCAL}", **settings: Any) -> dict[str, Json]:
    return dict(create(parse_spec(spec), ScorerSettings(**settings)).identity)


@pytest.mark.parametrize(
    ("other", "part"),
    [
        (lambda: identity(f"openai/other@{LOCAL}"), "model"),
        (lambda: identity("openai/m@http://127.0.0.1:8001"), "url"),
        (lambda: identity("openai/m@https://127.0.0.1:8000"), "url"),
        (lambda: identity(params={"seed": 1}), "params"),
        (lambda: identity(params={"temperature": None}), "params"),
        (lambda: identity(f"vllm/m@{LOCAL}"), "provider"),
    ],
)
def test_whatever_changes_answers_changes_the_identity(other: Any, part: str) -> None:
    assert other()[part] != identity()[part]


@pytest.mark.parametrize(
    "settings",
    [
        {"concurrency": 1},
        {"rpm": 60.0},
        {"tpm": 1000.0},
        {"deadline_s": 5.0},
        {"params": {}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_does_not_change_answers_does_not_change_the_identity(settings: Any) -> None:
    assert identity(**settings) == identity()


def test_a_key_does_not_change_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    without = identity()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")

    assert identity() == without
    assert "sk-not-a-real-key" not in json.dumps(without)


def test_a_last_slash_does_not_change_the_identity() -> None:
    assert identity(f"openai/m@{LOCAL}/") == identity()


class Reworded(VLLM):
    @property
    def template(self) -> str:
        return "another frame"


class Reshaped(VLLM):
    def build(self, calls: Sequence[Call]) -> Request:
        request = super().build(calls)
        return Request(request.path, {**request.body, "added": 1})


class Redirected(VLLM):
    def build(self, calls: Sequence[Call]) -> Request:
        return Request("/v2/classify", super().build(calls).body)


class Headed(VLLM):
    def build(self, calls: Sequence[Call]) -> Request:
        request = super().build(calls)
        return Request(request.path, request.body, {"x-version": "2"})


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (Reworded, "template"),
        (Reshaped, "request"),
        (Redirected, "request"),
        (Headed, "request"),
    ],
)
def test_another_way_of_asking_is_another_identity(kind: type[VLLM], part: str) -> None:
    target = Target("m", LOCAL)
    one, other = identity_of(VLLM(target)), identity_of(kind(target))

    assert one[part] != other[part]
    assert {name for name in one if one[name] != other[name]} == {part}


def test_a_hosted_scorer_is_a_scorer() -> None:
    assert isinstance(create(parse_spec(f"vllm/m@{LOCAL}")), Scorer)


class Several(Provider):
    """Scores several responses a request, by the test server's fault `reward:[...]`."""

    name = "several"
    method = "pointwise"
    parser = "several/1"
    batch = 8

    def build(self, calls: Sequence[Call]) -> Request:
        texts: list[Json] = [call.response for call in calls if isinstance(call, RewardCall)]
        return Request("/classify", {"model": self.target.model, "messages": texts})

    def split(self, body: Json) -> Sequence[Json]:
        scores = member(body, "data", 0, "probs", 0)
        if not isinstance(scores, list):
            raise MalformedBodyError("no scores")
        return scores

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        return Reward(float(str(part))), Usage(input_tokens=count(1)), None


CALLS = [RewardCall("prompt", f"response {number}") for number in range(3)]


def several(server: ModelServer) -> HostedScorer:
    policy = Policy(backoff_first_s=0.001, backoff_most_s=0.001)
    return HostedScorer(Several(Target("rm", server.root)), policy=policy)


async def test_each_call_of_a_request_has_its_own_part(server: ModelServer) -> None:
    server.control(script=["reward:[1, 2, 3]"])
    scorer = several(server)
    outcomes = await scorer.answer(CALLS)
    await scorer.aclose()

    assert [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)] == [
        Reward(1.0),
        Reward(2.0),
        Reward(3.0),
    ]
    assert [outcome.raw for outcome in outcomes if isinstance(outcome, Reply)] == ["1", "2", "3"]
    assert server.stats["received"] == 1


@pytest.mark.parametrize("scores", ["[1, 2]", "[1, 2, 3, 4]", "[]"])
async def test_fewer_or_more_scores_than_were_sent_fail_every_call_of_the_request(
    server: ModelServer, scores: str
) -> None:
    server.control(script=[f"reward:{scores}"] * 9)
    scorer = several(server)
    outcomes = await scorer.answer(CALLS)
    await scorer.aclose()

    assert len(outcomes) == 3
    assert all(
        isinstance(outcome, Failure)
        and outcome.status == "malformed"
        and "scores for 3 calls" in outcome.detail
        for outcome in outcomes
    )


async def test_a_failed_request_fails_every_call_in_it(server: ModelServer) -> None:
    server.control(script=["status:500"] * 9)
    scorer = several(server)
    outcomes = await scorer.answer(CALLS)
    await scorer.aclose()

    assert [type(outcome) for outcome in outcomes] == [Failure] * 3
    assert server.stats["received"] > Policy().attempts_of_a_batch  # then in halves


async def test_a_refused_request_of_several_calls_is_asked_again_in_halves(
    server: ModelServer,
) -> None:
    refused = "status:422"
    server.control(script=[refused, "reward:[1]", refused, refused, "reward:[3]"])
    scorer = several(server)
    outcomes = await scorer.answer(CALLS)
    await scorer.aclose()

    assert [type(outcome) for outcome in outcomes] == [Reply, Failure, Reply]
    assert [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)] == [
        Reward(1.0),
        Reward(3.0),
    ]
    assert server.stats["received"] == 5


async def test_a_refused_batch_is_no_sign_that_the_endpoint_refuses_everything(
    server: ModelServer,
) -> None:
    server.control(script=["status:422", "reward:[1]", "reward:[2, 3]"])
    scorer = HostedScorer(Several(Target("rm", server.root)), policy=Policy(same_refusal_first=1))
    outcomes = await scorer.answer(CALLS)
    await scorer.aclose()

    assert [type(outcome) for outcome in outcomes] == [Reply] * 3


def test_a_scorer_can_be_used_in_one_event_loop_after_another(server: ModelServer) -> None:
    server.control(script=["status:500", "ok", "status:500", "ok"])
    scorer = create(parse_spec(server.reward))

    async def run() -> Sequence[object]:
        outcomes = await scorer.answer([CALLS[0]])
        await scorer.aclose()
        return outcomes

    first, second = asyncio.run(run()), asyncio.run(run())

    assert first == second
    assert isinstance(first[0], Reply)


async def test_a_scorer_can_be_closed_and_used_again(server: ModelServer) -> None:
    scorer = create(parse_spec(server.reward))
    (first,) = await scorer.answer([CALLS[0]])
    await scorer.aclose()
    (second,) = await scorer.answer([CALLS[0]])
    await scorer.aclose()

    assert first == second


async def test_a_scorer_that_sent_nothing_can_be_drained_and_closed() -> None:
    scorer = create(parse_spec(f"vllm/m@{LOCAL}"))
    scorer.drain()
    await scorer.aclose()


async def test_a_scorer_that_is_drained_before_its_first_call_sends_nothing(
    server: ModelServer,
) -> None:
    scorer = create(parse_spec(server.reward))
    scorer.drain()
    with pytest.raises(Interrupted):
        await scorer.answer([CALLS[0]])
    await scorer.aclose()

    assert server.stats["received"] == 0


async def test_the_key_is_sent_as_a_bearer_token(server: ModelServer) -> None:
    scorer = HostedScorer(VLLM(Target("rm", server.root)), secret=Secret("sk-not-a-real-key"))
    await scorer.answer([CALLS[0]])
    await scorer.aclose()

    assert server.stats["headers"][0]["authorization"] == "Bearer sk-not-a-real-key"


@pytest.mark.parametrize("path", ["", "/"])
async def test_the_address_s_own_path_stays_in_front(server: ModelServer, path: str) -> None:
    server.control(script=["ok"])
    made = create(parse_spec(f"openai/judge@{server.root}/v1{path}"))
    assert isinstance(made, HostedScorer)
    from rmjudge.calls import CompareCall

    (outcome,) = await made.answer([CompareCall("p", "a", "b")])
    await made.aclose()

    assert isinstance(outcome, Reply)
