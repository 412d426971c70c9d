"""vLLM: raw logits of a reward model through `/classify` and `/pooling`."""

from __future__ import annotations

import math

import pytest

from rmjudge.calls import Failure, Reward, RewardCall
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.vllm import VLLM, VLLMPooling

from .asking import RESPONSE, ask, chat, reply_of
from .servers import Server

pytestmark = pytest.mark.integration
CALLS = (RESPONSE, RewardCall("Why is the sky blue?", "Rayleigh scattering. " * 40))


async def test_classify_and_pooling_give_the_same_raw_logit(vllm: Server) -> None:
    for call in CALLS:
        by_classify = await reply_of(VLLM(Target("tiny-rm", vllm.url)), call)
        by_pooling = await reply_of(VLLMPooling(Target("tiny-rm", vllm.url)), call)
        assert isinstance(by_classify.answer, Reward)
        assert isinstance(by_pooling.answer, Reward)
        assert by_classify.answer.value == pytest.approx(by_pooling.answer.value, abs=1e-4)


async def test_rewards_differ_and_leave_the_range_of_a_sigmoid_where_they_do(
    vllm: Server,
) -> None:
    answers = [(await reply_of(VLLM(Target("tiny-rm", vllm.url)), call)).answer for call in CALLS]
    assert answers[0] != answers[1]


async def test_without_our_switch_the_server_squashes_the_logit(vllm: Server) -> None:
    raw = (await reply_of(VLLM(Target("tiny-rm", vllm.url)))).answer
    squashed = (await reply_of(VLLM(Target("tiny-rm", vllm.url, {"use_activation": True})))).answer
    assert isinstance(raw, Reward)
    assert isinstance(squashed, Reward)
    assert squashed.value == pytest.approx(1 / (1 + math.exp(-raw.value)), abs=1e-4)


async def test_tokens_and_the_model_are_told(vllm: Server) -> None:
    reply = await reply_of(VLLM(Target("tiny-rm", vllm.url)))
    assert reply.model == "tiny-rm"
    assert (reply.usage.input_tokens or 0) > 10


async def test_a_text_that_is_too_long_is_final_and_never_cut(vllm: Server) -> None:
    call = RewardCall("question", "a b c d e f " * 2000)
    (outcome,) = await ask(VLLM(Target("tiny-rm", vllm.url)), call)
    assert isinstance(outcome, Failure)
    assert outcome.status == "http-400"
    assert "4096" in outcome.detail


async def test_a_model_that_is_not_served_stops_the_run(vllm: Server) -> None:
    with pytest.raises(ProviderStopped, match=r"HTTP 404: .*someone-else"):
        await ask(VLLM(Target("someone-else", vllm.url)))


async def test_a_reward_server_has_no_chat(vllm: Server) -> None:
    with pytest.raises(ProviderStopped, match="HTTP 404"):
        await ask(chat("tiny-rm", vllm.url))
