"""PyTriton: the Open Inference Protocol in JSON, as NeMo-Aligner's reward server speaks it."""

from __future__ import annotations

import pytest

from rmjudge.calls import Failure, Json, Reply, Reward, RewardCall, Unscored
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.nemo import NeMo
from rmjudge.providers.rendering import ChatTemplate

from .asking import ask, reply_of
from .servers import Server

pytestmark = pytest.mark.integration
PLAIN = ChatTemplate("plain", lambda turns: "|".join(turn["content"] for turn in turns))


def model(server: Server, name: str = "reward_model", **params: Json) -> NeMo:
    return NeMo(Target(name, server.url, params, PLAIN))


async def test_a_batch_comes_back_in_order(nemo: Server) -> None:
    calls = [RewardCall("question", "x" * length) for length in (5, 0, 31, 2, 17)]
    outcomes = await ask(model(nemo), *calls)
    rewards = [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)]
    assert rewards == [Reward(9.0 + len(call.response)) for call in calls]


async def test_bytes_of_every_script_arrive(nemo: Server) -> None:
    reply = await reply_of(model(nemo), RewardCall("世界", 'é "\\\n\u2028🙂'))
    assert reply.answer == Reward(float(len('世界|é "\\\n\u2028🙂'.encode())))
    assert reply.model == "reward_model (version 1)"


async def test_a_full_batch_is_one_request(nemo: Server) -> None:
    calls = [RewardCall("q", "x" * length) for length in range(NeMo.batch)]
    assert all(isinstance(outcome, Reply) for outcome in await ask(model(nemo), *calls))


async def test_the_named_column_of_a_regression_model_is_the_reward(nemo: Server) -> None:
    calls = [RewardCall("-", "abbccc"), RewardCall("-", "cab")]
    outcomes = await ask(model(nemo, "attributes", column=1), *calls)
    assert [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)] == [
        Reward(2.0),
        Reward(1.0),
    ]


async def test_a_text_that_the_server_cut_is_truncated_and_the_others_are_not(
    nemo: Server,
) -> None:
    calls = [RewardCall("-", "a" * 2000), RewardCall("-", "a")]
    outcomes = await ask(model(nemo, "attributes", column=0), *calls)
    cut, whole = [outcome.answer for outcome in outcomes if isinstance(outcome, Reply)]
    assert cut == Unscored("truncated", "the server cut the text")
    assert whole == Reward(1.0)


async def test_a_regression_model_without_a_column_is_refused(nemo: Server) -> None:
    (outcome,) = await ask(model(nemo, "attributes"))
    assert isinstance(outcome, Failure)
    assert outcome.status == "malformed"
    assert "--param column=N" in outcome.detail


async def test_a_model_that_is_not_served_stops_the_run_or_fails_the_call(nemo: Server) -> None:
    try:
        (outcome,) = await ask(model(nemo, "someone/else"))
    except ProviderStopped as stopped:
        assert "unknown model" in str(stopped)  # noqa: PT017
    else:
        assert isinstance(outcome, Failure)
        assert "unknown model" in outcome.detail


async def test_an_input_that_the_model_does_not_have_is_final(nemo: Server) -> None:
    (outcome,) = await ask(model(nemo, inputs=[]))
    assert isinstance(outcome, Failure)
    assert outcome.status == "http-400"
    assert "sentences" in outcome.detail or "input" in outcome.detail
