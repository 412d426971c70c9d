"""Scales that are silently not what they seem are told, and honest ones are left alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer, StubServer

SATURATED, ALTERNATIVES, CUT = "sigmoid", "no alternatives", "prompt_tokens"
ONE = ("--domain", "chat", "--limit", "3", "--out", "o")


def logit(body: Any) -> float:
    return 8 + sum(map(ord, body["messages"][1]["content"])) % 1000 / 30


def classifier(through: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda body: {"data": [{"probs": [through(logit(body))]}]}


def first_token(*others: str) -> Callable[[Any], Any]:
    tops = [{"token": token, "logprob": -1.5 - n} for n, token in enumerate(others)]
    token = {"token": "A", "logprob": -0.4, "top_logprobs": tops}
    choice = {"message": {"content": "A"}, "logprobs": {"content": [token]}}
    return lambda _body: {"choices": [choice]}


def counting(tokens: Callable[[int], int]) -> Callable[[Any], Any]:
    def reply(body: Any) -> Any:
        length = len(str(body["messages"]))
        return {
            "usage": {"prompt_tokens": tokens(length), "completion_tokens": 9},
            "choices": [{"message": {"content": "\\boxed{A=B}"}}],
        }

    return reply


LOGPROBS = "vllm-chat/j --method pairwise-logprob"
CASES = [
    ("vllm/rm", classifier(lambda x: round(1 / (1 + math.exp(-x)), 7)), {SATURATED}),
    ("vllm/rm", classifier(lambda x: x), set()),
    ("vllm/rm", classifier(lambda x: x / 100), set()),
    (LOGPROBS, first_token(), {ALTERNATIVES}),
    (LOGPROBS, first_token("B"), set()),
    ("ollama/j", counting(lambda _length: 515), {CUT}),
    ("ollama/j", counting(lambda length: min(length // 4, 600)), {CUT}),
    ("ollama/j", counting(lambda length: length // 4), set()),
]


@pytest.mark.parametrize(("words", "reply", "told"), CASES)
def test_a_scale_is_told_where_it_is_not_what_it_seems(
    cli: Cli,
    stub_server: type[StubServer],
    words: str,
    reply: Callable[[Any], Any],
    told: set[str],
) -> None:
    with stub_server(reply) as server:
        model, *others = words.split()
        command = ("run", f"{model}@{server.url}", *others, *ONE)
        done, again = cli(*command), cli(*command)
    assert done.returncode == 0, done.stderr
    for finished in (done, again):  # the kept answers tell as much
        text = " ".join(finished.stdout.split())
        assert {mark for mark in (SATURATED, ALTERNATIVES, CUT) if mark in text} == told


def test_an_ordinary_judge_and_reward_model_are_left_alone(cli: Cli, server: ModelServer) -> None:
    done = cli("run", server.judge, server.reward, "--limit", "3", "--out", "o")
    assert not any(mark in done.stdout for mark in (SATURATED, ALTERNATIVES, CUT))
