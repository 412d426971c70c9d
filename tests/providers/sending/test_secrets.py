"""The key on its way: in the request's header, and nowhere else."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import logging
import pickle
import traceback
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from rmjudge.calls import CompareCall, Failure, Outcome, Reply
from rmjudge.errors import ProviderStopped
from rmjudge.providers.base import Target
from rmjudge.providers.hosted import HostedScorer
from rmjudge.providers.registry import create
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.redaction import MASK, Secret
from rmjudge.providers.spec import parse_spec
from rmjudge.providers.vllm import VLLM

if TYPE_CHECKING:
    from served import ModelServer

KEY = "sk-proj-4Zk/v+9w=Qx7Lm2"
QUICK = Policy(backoff_first_s=0.001, backoff_most_s=0.001)
ECHOES = {
    "key": KEY,
    "key:quoted": quote(KEY, safe=""),
    "key:base64": base64.b64encode(KEY.encode()).decode().rstrip("="),
    "key:basic": base64.b64encode(f":{KEY}".encode()).decode().rstrip("="),
    "key:cut": KEY,
}


@pytest.fixture
async def scorer(server: ModelServer) -> AsyncIterator[HostedScorer]:
    made = create(parse_spec(server.judge))
    assert isinstance(made, HostedScorer)
    scorer = HostedScorer(made._provider, secret=Secret(KEY), policy=QUICK)
    yield scorer
    await scorer.aclose()


async def one(scorer: HostedScorer) -> Outcome:
    (outcome,) = await scorer.answer([CompareCall("prompt", "one", "two")])
    return outcome


async def stopped(scorer: HostedScorer) -> ProviderStopped:
    with pytest.raises(ProviderStopped) as error:
        await one(scorer)
    return error.value


def pieces(secret: str) -> set[str]:
    """Eight characters of it are too many to show."""
    return {secret[start : start + 8] for start in range(len(secret) - 7)}


async def test_the_key_is_sent_in_the_request_s_header(
    server: ModelServer, scorer: HostedScorer
) -> None:
    await one(scorer)
    (headers,) = server.stats["headers"]

    assert headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(("fault", "echoed"), ECHOES.items(), ids=list(ECHOES))
async def test_a_refused_key_is_not_quoted(
    server: ModelServer, scorer: HostedScorer, fault: str, echoed: str
) -> None:
    server.control(script=[fault])
    told = str(await stopped(scorer))

    assert "Incorrect API key provided: " in told
    assert not any(piece in told for piece in pieces(echoed))


@pytest.mark.parametrize("fault", ECHOES)
async def test_a_traceback_does_not_show_the_key(
    server: ModelServer, scorer: HostedScorer, fault: str
) -> None:
    server.control(script=[fault])
    told = "".join(traceback.format_exception(await stopped(scorer)))

    assert "During handling of the above exception" in told
    assert not any(piece in told for piece in pieces(ECHOES[fault]))


async def test_a_call_that_failed_does_not_quote_the_key(
    server: ModelServer, scorer: HostedScorer
) -> None:
    server.control(script=["key-422"])
    failure = await one(scorer)

    assert failure == Failure("http-422", f"HTTP 422: the header was Bearer {MASK}")


async def test_a_key_that_is_hidden_behind_escapes_is_not_quoted(
    server: ModelServer, scorer: HostedScorer
) -> None:
    server.control(script=["key-escaped"])
    error = await stopped(scorer)

    assert str(error).endswith(f"HTTP 401: Bad key: {MASK}")
    assert not any(piece in "".join(traceback.format_exception(error)) for piece in pieces(KEY))


async def test_a_redirect_to_an_address_with_the_key_is_not_quoted(
    server: ModelServer, scorer: HostedScorer
) -> None:
    server.control(script=[f"redirect:http://elsewhere.example/{'-' * 360}{KEY}"])
    told = str(await stopped(scorer))

    assert "redirects to http://elsewhere.example/" in told
    assert not any(piece in told for piece in pieces(KEY))


@pytest.mark.parametrize("fault", ["said-key", "said-key:quoted", "said-key:cut"])
async def test_a_reply_that_echoes_the_key_is_kept_without_it(
    server: ModelServer, scorer: HostedScorer, fault: str
) -> None:
    server.control(script=[fault])
    reply = await one(scorer)

    assert isinstance(reply, Reply)
    assert MASK in reply.raw
    assert not any(piece in repr(reply) for piece in pieces(KEY) | pieces(quote(KEY, safe="")))


async def test_a_model_name_that_is_the_key_is_kept_without_it(
    server: ModelServer, scorer: HostedScorer
) -> None:
    server.control(script=[f"other-model:{KEY}"])
    reply = await one(scorer)

    assert isinstance(reply, Reply)
    assert reply.model == MASK


async def test_a_kept_reply_without_its_key_is_still_json(
    server: ModelServer, scorer: HostedScorer
) -> None:
    server.control(script=["said-key"])
    reply = await one(scorer)

    assert isinstance(reply, Reply)
    text = json.loads(reply.raw)["choices"][0]["message"]["content"]
    assert text == f"Both are fine. {MASK}"


async def test_nothing_logs_the_key(
    server: ModelServer, scorer: HostedScorer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    server.control(script=["status:500", "key"])
    await stopped(scorer)

    assert "127.0.0.1" in caplog.text  # the libraries below did log
    assert not any(piece in caplog.text for piece in pieces(KEY))


SHOWN: dict[str, Any] = {
    "scorer": lambda scorer: scorer,
    "provider": lambda scorer: scorer._provider,
    "sender": lambda scorer: scorer._sender,
    "secret": lambda scorer: scorer._secret,
    "identity": lambda scorer: scorer.identity,
}


@pytest.mark.parametrize("part", SHOWN.values(), ids=list(SHOWN))
async def test_no_part_shows_the_key(scorer: HostedScorer, part: Any) -> None:
    await one(scorer)
    shown = part(scorer)

    assert KEY not in f"{shown!r} {shown!s} {[shown]}"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_scorer_is_not_pickled_with_its_key(protocol: int) -> None:
    scorer = HostedScorer(VLLM(Target("m", "http://127.0.0.1")), secret=Secret(KEY))

    with pytest.raises(TypeError, match="a key is not written to disk"):
        pickle.dumps(scorer, protocol)


def test_a_scorer_is_not_copied_with_its_key() -> None:
    scorer = HostedScorer(VLLM(Target("m", "http://127.0.0.1")), secret=Secret(KEY))

    with pytest.raises(TypeError, match="a key is not written to disk"):
        copy.deepcopy(scorer)
