"""`--retry-unscored`, `--retry-with`: only what has no score is asked again, as the user says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CALLS = 9


def command(server: ModelServer, *more: str, out: str = "o") -> tuple[str, ...]:
    words = ("--domain", "chat", "--limit", "1", "--concurrency", "1", "--quiet")
    return ("run", server.judge, *words, "--out", out, *more)


def test_only_what_has_no_score_is_asked_again(cli: Cli, server: ModelServer) -> None:
    server.control(script=["ok", "no-verdict", "length", "refusal"])
    first = cli(*command(server))
    again = cli(*command(server, "--retry-unscored"))
    asked = server.stats["received"]
    plain = cli(*command(server))
    never_failed = cli(*command(server, "--cache-dir", "other", "--retry-unscored", out="p"))

    assert [run.returncode for run in (first, again, plain, never_failed)] == [1, 1, 1, 0]
    assert asked == CALLS + 2  # a refusal is asked again by name alone
    assert cli(*command(server, "--retry-unscored", "refusal")).returncode == 0
    assert cli.results("o") == cli.results("p")
    assert server.stats["received"] == CALLS + 3 + CALLS


def test_what_brings_no_reply_leaves_the_kept_one(cli: Cli, server: ModelServer) -> None:
    server.control(script=["no-verdict"])
    cli(*command(server))
    before = cli.results("o")
    server.control(script=["status:422"])
    failed = cli(*command(server, "--retry-unscored"))

    assert failed.returncode == 1
    assert cli.results("o") == before
    assert cli.json("o/run.json")["statuses"] == {"http-422": 1, "unparsed": 1}
    assert cli(*command(server)).returncode == 1
    assert cli.json("o/run.json")["calls"]["from_cache"] == CALLS


def test_an_empty_reply_adds_to_the_bill_of_the_kept_one(cli: Cli, server: ModelServer) -> None:
    server.control(script=["no-verdict"])
    cli(*command(server))
    before = cli.results("o")
    first = cli.json("o/run.json")["tokens"]["input"]
    server.control(script=["null-content"])
    stopped = cli(*command(server, "--retry-unscored", "--max-calls", "1"))
    more = cli.json("o/run.json")["tokens"]["input"]
    again = cli(*command(server))

    assert (stopped.returncode, again.returncode) == (3, 1)
    assert cli.results("o") == before
    assert more > 0
    assert cli.json("o/run.json")["in_all"]["tokens"]["input"] == first + more


def test_other_parameters_are_for_these_alone_and_are_told(cli: Cli, server: ModelServer) -> None:
    server.control(script=["length", "length"])
    cli(*command(server))
    told = cli.json("o/run.json")["notes"]
    done = cli(*command(server, "--retry-unscored", "--retry-with", "max_tokens=9000"))
    bodies = server.stats["bodies"]
    cli(*command(server))

    assert any("--retry-unscored --retry-with max_tokens=8192 asks" in note for note in told)
    assert done.returncode == 0, done.stderr
    assert [body["max_tokens"] for body in bodies] == [4096] * CALLS + [9000] * 2
    assert "2 answers were asked again with max_tokens=9000" in cli.json("o/run.json")["notes"]
    assert server.stats["received"] == CALLS + 2
    scorers = json.loads(cli("cache", "info", "--json").stdout)["scorers"]
    assert [scorer["answers"] for scorer in scorers] == [CALLS]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--retry-unscored", "sometimes"), "'sometimes' is not some of"),
        (("--retry-with", "max_tokens=1"), "--retry-with is for what --retry-unscored asks again"),
        (("--retry-unscored", "--retry-with", "x"), "--retry-with 'x' is not NAME=JSON"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    cli: Cli, server: ModelServer, words: tuple[str, ...], message: str
) -> None:
    done = cli(*command(server, *words))
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
