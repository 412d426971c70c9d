"""Many texts in one request: one that is refused costs only itself, and order is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from answering import Answer, Endpoint

import rmjudge
from rmjudge.calls import Failure, Outcome, Reply, Reward, RewardCall, Usage
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.rendering import ChatTemplate
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sglang import SGLang

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

LONGEST: Final = 100
TOO_LONG: Final = "long " * 100
QUICK: Final = Policy(backoff_first_s=0.001, backoff_most_s=0.002, attempts_transient=3)
TEMPLATE: Final = ChatTemplate("T", lambda turns: f"{turns[0]['content']}|{turns[1]['content']}")


@pytest.fixture
async def scorer(server: ModelServer) -> AsyncIterator[HostedScorer]:
    """A reward model that takes sixteen texts a request, none longer than a hundred letters."""
    server.control(longest=LONGEST)
    made = HostedScorer(SGLang(Target("rm", server.root, {}, TEMPLATE)), policy=QUICK)
    assert made.batch == 16
    yield made
    await made.aclose()


def calls(count: int, *too_long: int) -> list[RewardCall]:
    return [
        RewardCall("p", f"{number} {TOO_LONG if number in too_long else 'short'}")
        for number in range(count)
    ]


def reward_of(call: RewardCall) -> Reward:
    """What the model server makes of a text."""
    text = f"{call.prompt}|{call.response}".encode()
    return Reward(int(hashlib.sha256(text).hexdigest()[:8], 16) / 2**31 - 1)


def scored(outcomes: list[Outcome]) -> list[Any]:
    return [outcome.answer if isinstance(outcome, Reply) else outcome for outcome in outcomes]


async def test_a_batch_is_one_request_and_its_answers_stand_in_order(
    scorer: HostedScorer, server: ModelServer
) -> None:
    asked = calls(16)
    outcomes = list(await scorer.answer(asked))
    assert scored(outcomes) == [reward_of(call) for call in asked]
    assert server.stats["received"] == 1
    assert all(isinstance(outcome, Reply) and outcome.usage != Usage() for outcome in outcomes)


@pytest.mark.parametrize("place", range(16))
async def test_one_text_that_is_too_long_costs_only_itself(
    scorer: HostedScorer, server: ModelServer, place: int
) -> None:
    asked = calls(16, place)
    found = scored(list(await scorer.answer(asked)))
    failure = found[place]
    assert isinstance(failure, Failure)
    assert failure.status == "http-400"
    assert failure.detail == f"HTTP 400: a text is longer than {LONGEST} characters"
    found[place] = reward_of(asked[place])
    assert found == [reward_of(call) for call in asked]
    # 16, then two halves of 8, 4, 2 and 1.
    assert server.stats["received"] == 1 + 2 * 4


async def test_several_that_are_too_long_cost_only_themselves(scorer: HostedScorer) -> None:
    asked = calls(13, 0, 6, 12)
    found = scored(list(await scorer.answer(asked)))
    assert [place for place, one in enumerate(found) if isinstance(one, Failure)] == [0, 6, 12]
    for place in set(range(13)) - {0, 6, 12}:
        assert found[place] == reward_of(asked[place])


async def test_a_batch_of_one_is_not_asked_twice(scorer: HostedScorer, server: ModelServer) -> None:
    (outcome,) = await scorer.answer(calls(1, 0))
    assert isinstance(outcome, Failure)
    assert server.stats["received"] == 1


async def test_the_refusals_of_whole_batches_say_nothing_of_the_endpoint(
    server: ModelServer,
) -> None:
    server.control(longest=LONGEST)
    policy = Policy(backoff_first_s=0.001, failures_in_a_row=2, same_refusal_first=2)
    scorer = HostedScorer(SGLang(Target("rm", server.root, {}, TEMPLATE)), policy=policy)
    found = scored(list(await scorer.answer(calls(16, 0))))
    await scorer.aclose()
    assert sum(isinstance(one, Failure) for one in found) == 1


async def test_texts_that_are_all_refused_alike_end_the_run(scorer: HostedScorer) -> None:
    asked = [RewardCall(f"prompt {number}", TOO_LONG) for number in range(32)]
    await scorer.answer(asked[:16])
    with pytest.raises(ProviderStopped, match="the first 20 calls were refused alike"):
        await scorer.answer(asked[16:])


async def test_a_server_that_is_down_is_an_outage_whatever_the_batch(server: ModelServer) -> None:
    server.control(always={"status": 500, "body": {"error": "down"}})
    policy = replace(QUICK, outage_s=0.2, probe_first_s=0.05)
    made = HostedScorer(SGLang(Target("rm", server.root, {}, TEMPLATE)), policy=policy)
    try:
        with pytest.raises(ProviderStopped, match=r"an outage of .*down"):
            await made.answer(calls(16))
    finally:
        await made.aclose()


@pytest.mark.parametrize("count", [0, 15, 17])
async def test_fewer_or_more_scores_than_texts_are_none(
    scorer: HostedScorer, server: ModelServer, count: int
) -> None:
    part = {"embedding": [1.0], "meta_info": {}}
    server.control(always={"status": 200, "body": [part] * count})
    found = scored(list(await scorer.answer(calls(16))))
    assert [one.status for one in found] == ["malformed"] * 16
    assert f"{count} scores for 16 calls" in found[0].detail
    assert server.stats["received"] == QUICK.attempts_malformed


async def test_a_refused_key_ends_the_run_at_once(
    scorer: HostedScorer, server: ModelServer
) -> None:
    server.control(always={"status": 401, "body": {"error": "Unauthorized"}})
    with pytest.raises(ProviderStopped, match="HTTP 401: Unauthorized"):
        await scorer.answer(calls(16))
    assert server.stats["received"] == 1


def test_every_answer_of_a_batch_is_kept_on_its_own(
    cli: Cli, server: ModelServer, tmp_path: Path
) -> None:
    item = {
        "id": 1,
        "domain": "chat",
        "prompt": "p",
        "chosen": ["c0", "c1", "c2 " + TOO_LONG],
        "rejected": ["r0", "r1", "r2"],
    }
    data, template = tmp_path / "data.json", tmp_path / "chat.j2"
    data.write_text(json.dumps([item]), "utf-8")
    template.write_text("{% for turn in messages %}{{ turn.content }} {% endfor %}", "utf-8")
    run = partial(
        cli,
        *("run", f"sglang/rm@{server.root}", "--data", data, "--template", template),
        PYTHONPATH=str(Path(rmjudge.__file__).parents[1]),
    )
    server.control(longest=LONGEST)
    first = run()
    assert first.returncode == 1, first.stderr
    assert server.stats["received"] > 1
    server.reset()
    second = run()
    assert second.returncode == 0, second.stderr
    assert server.stats["bodies"] == [{"text": [f"p c2 {TOO_LONG} "]}]


async def test_a_text_that_always_gives_500_costs_a_batch_only_itself() -> None:
    def answer(body: Any, _number: int) -> Answer:
        if any("boom" in text for text in body["text"]):
            return 500, "Internal Server Error"
        return 200, [{"embedding": [0.5], "meta_info": {}} for _ in body["text"]]

    asked = [RewardCall("p", f"{number}" if number != 5 else "boom") for number in range(16)]
    with Endpoint(answer) as server:
        address = server.address.removesuffix("/v1")
        made = HostedScorer(SGLang(Target("rm", address, {}, TEMPLATE)), policy=QUICK)
        try:
            outcomes = await made.answer(asked)
        finally:
            await made.aclose()

    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Failure)]
    assert failed == [5]
    assert len(server.asked) == 4 * 2 + 3 + 4  # 16, 8, 4, 2 twice, one thrice, the other halves
