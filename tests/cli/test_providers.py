"""`rmjudge providers`: the list in three forms, and one tiny call that tells what is wrong."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import rmjudge
from rmjudge.cli import main
from rmjudge.providers.listing import listings
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.spec import NAMES

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

KEY: Final = "sk-canary-7f3a9c51e2d84b60"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`rmjudge providers` without any key: exit code, standard output, standard error."""
    for item in listings():
        for variable in (*item.key_variables, item.url_variable):
            if variable:
                monkeypatch.delenv(variable, raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["providers", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


# The list


def test_the_table_has_every_provider_by_its_name(command: Command) -> None:
    code, out, err = command()
    first_words = [line.split()[0] for line in out.splitlines() if line.split()]
    assert (code, err) == (0, "")
    assert [word for word in first_words if word in NAMES] == list(NAMES)


def test_the_table_says_which_keys_are_set_and_shows_none(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    _, out, _ = command()
    rows = {line.split()[0]: line for line in out.splitlines() if line.split()}
    assert re.search(r"OPENAI_API_KEY +set ", rows["openai"])
    assert re.search(r"GROQ_API_KEY +set ", rows["groq"])
    assert re.search(r"MISTRAL_API_KEY +not set ", rows["mistral"])
    assert " none " in rows["baseline"]
    assert KEY not in out


def test_the_table_says_how_to_tell_an_address_where_there_is_none(command: Command) -> None:
    _, out, _ = command()
    (row,) = [line for line in out.splitlines() if line.strip().startswith("vllm ")]
    assert "@URL or VLLM_BASE_URL" in row


def test_json_is_one_object_with_everything(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    code, out, err = command("--json")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert KEY not in out
    listed = {item["name"]: item for item in json.loads(out)["providers"]}
    assert list(listed) == list(NAMES)
    assert listed["gemini"] == {
        "name": "gemini",
        "what": "judge",
        "address": "https://generativelanguage.googleapis.com",
        "url_variable": "GOOGLE_GEMINI_BASE_URL",
        "key_variables": ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
        "key_set": True,
        "methods": [
            "pairwise",
            "pairwise-two-level",
            "pairwise-logprob",
            "pointwise",
            "pointwise-logprob",
            "choice",
        ],
        "batch": 1,
        "logprobs": True,
        "prompt_cache": True,
        "proved_by": listed["gemini"]["proved_by"],
        "remark": "",
    }
    assert listed["baseline"]["key_set"] is None


def test_markdown_is_a_table_of_provider_by_what_it_can_do(command: Command) -> None:
    code, out, _ = command("--format", "markdown")
    head, rule, *rows = out.splitlines()
    assert code == 0
    assert head == (
        "| provider | what | methods | calls a request | logprobs | prompt cache | proved by |"
    )
    assert rule == "|---|---|---|---|---|---|---|"
    assert [row.split("`")[1] for row in rows] == list(NAMES)
    assert {row.count("|") for row in rows} == {8}
    by_name = {row.split("`")[1]: [cell.strip() for cell in row.split("|")[2:7]] for row in rows}
    assert by_name["anthropic"] == [
        "judge",
        "pairwise, pairwise-two-level, pointwise, choice",
        "1",
        "-",
        "yes",
    ]
    assert by_name["tei"] == ["reward endpoint", "pointwise", "32", "-", "-"]


# One tiny call


def checked(command: Command, model: str, *words: str) -> tuple[int, str]:
    code, out, err = command("--check", model, *words)
    assert out == ""
    assert err.count("\n") == 1
    return code, err.strip()


WORKS: Final[dict[str, str]] = {
    "openai/m@{root}/v1": "prefers the right answer with ",
    "openai-responses/m@{root}/v1": "prefers the right answer with ",
    "anthropic/m@{root}": "prefers the right answer with ",
    "gemini/m@{root}": "prefers the right answer with ",
    "systemone/m@{root}/v1": "prefers the right answer with ",
    "openai-decisions/m@{root}/v1": "prefers the right answer with ",
    "vllm/m@{root}": "gives the right answer a reward of ",
}


@pytest.mark.parametrize("model", WORKS, ids=[model.split("/")[0] for model in WORKS])
def test_a_model_that_answers_works(command: Command, server: ModelServer, model: str) -> None:
    code, said = checked(command, model.format(root=server.root))
    assert code == 0
    assert said.startswith(f"{model.partition('@')[0]} works: it {WORKS[model]}")
    assert server.stats["received"] == 1


def test_the_model_that_answered_is_named(command: Command, server: ModelServer) -> None:
    server.control(script=["other-model:judge-2026"])
    _, said = checked(command, server.judge)
    assert said.endswith("(the reply names judge-2026)")


def test_the_base_url_is_where_it_is_asked(command: Command, server: ModelServer) -> None:
    code, _ = checked(command, "openai/m", "--base-url", f"{server.root}/v1")
    assert code == 0
    assert server.stats["received"] == 1


def test_a_model_that_runs_here_works_too(command: Command) -> None:
    code, said = checked(command, "baseline/length")
    assert (code, said) == (
        0,
        "baseline/length works: it gives the right answer a reward of 31",
    )


FAILS: Final[dict[str, tuple[str, int, str]]] = {
    "a wrong key": (
        "status:401",
        3,
        "openai/judge does not work: openai/judge: HTTP 401: status 401 as asked",
    ),
    "no credit": (
        "quota",
        3,
        "openai/judge does not work: openai/judge: HTTP 429: You exceeded your current quota",
    ),
    "an unknown model": (
        "status:404",
        3,
        "openai/judge does not work: openai/judge: HTTP 404: status 404 as asked",
    ),
    "a redirect": ("redirect", 3, "redirects are not followed"),
    "a wrong request": (
        "status:400",
        1,
        "openai/judge does not work: http-400: HTTP 400: status 400 as asked",
    ),
    "an overloaded server": (
        "status:503",
        1,
        "openai/judge does not work: http-503: HTTP 503: status 503 as asked",
    ),
    "a rate limit": ("status:429", 1, "openai/judge does not work: http-429"),
    "a server at fault": ("status:500", 1, "openai/judge does not work: http-500"),
    "a lost connection": ("reset", 1, "openai/judge does not work: connection-lost"),
    "another kind of server": (
        "wrong-shape",
        1,
        "openai/judge does not work: malformed: the reply cannot be read: "
        "a completion has `choices`",
    ),
    "a website": ("html", 1, "openai/judge does not work: malformed"),
    "a refusal": (
        "refusal",
        1,
        "openai/judge answers, but not with a score: refusal: I will not.",
    ),
    "no content": (
        "null-content",
        1,
        "openai/judge answers, but not with a score: empty: no content",
    ),
    "no verdict": (
        "no-verdict",
        1,
        "openai/judge answers, but not with a score: unparsed: no verdict; it ends: Both are fine.",
    ),
    "a cut answer": ("length", 1, "openai/judge answers, but not with a score: truncated"),
}


@pytest.mark.parametrize(("fault", "code", "why"), FAILS.values(), ids=list(FAILS))
def test_what_is_wrong_is_told_after_one_call(
    command: Command, server: ModelServer, fault: str, code: int, why: str
) -> None:
    server.control(script=[fault] * 3)
    found, said = checked(command, server.judge)
    assert found == code
    assert why in said
    assert server.stats["received"] == 1


def test_a_key_that_the_server_quotes_is_not_shown(
    command: Command, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.control(script=["key"])
    code, said = checked(command, server.judge)
    assert code == 3
    assert "Incorrect API key provided" in said
    assert KEY not in said


def test_one_call_is_one_attempt_and_no_outage_is_waited_out() -> None:
    usual, once = Policy(deadline_s=60.0), Policy(deadline_s=60.0).of_one_attempt()
    attempts = [field.name for field in fields(Policy) if field.name.startswith("attempts_")]
    assert len(attempts) == 5
    assert {getattr(once, name) for name in attempts} == {1}
    assert (once.outage_at_start_s, once.deadline_s) == (0.0, 60.0)
    assert min(getattr(usual, name) for name in attempts) > 1


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nothing listens on, and nothing else takes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_port_where_nothing_listens_is_told_with_what_to_look_at(
    command: Command, closed_port: int
) -> None:
    code, said = checked(command, f"vllm/rm@http://127.0.0.1:{closed_port}")
    assert code == 3
    assert "vllm/rm: cannot be reached" in said
    assert said.endswith("is it running, and is the address right?")


MISUSE: Final[dict[str, tuple[list[str], str]]] = {
    "a key that is not set": (
        ["--check", "mistral/m"],
        "mistral/m: no API key; set the environment variable MISTRAL_API_KEY",
    ),
    "an address that is not told": (
        ["--check", "vllm/m"],
        "vllm/m: where is the server? Write vllm/m@http://HOST:PORT, or set VLLM_BASE_URL",
    ),
    "an unknown provider": (["--check", "opnai/m"], "did you mean openai?"),
    "no model": (["--check", "openai"], "'openai' is no PROVIDER/MODEL"),
    "two addresses": (
        ["--check", "openai/m@http://h", "--base-url", "http://h"],
        "--base-url is for a run with one hosted model",
    ),
}


@pytest.mark.parametrize(("words", "why"), MISUSE.values(), ids=list(MISUSE))
def test_what_cannot_be_asked_is_told_without_a_call(
    command: Command, words: list[str], why: str
) -> None:
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert why in err


def test_a_check_in_a_process_of_its_own(cli: Cli, server: ModelServer) -> None:
    here = str(Path(rmjudge.__file__).parents[1])
    done = cli("providers", "--check", server.reward, PYTHONPATH=here)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("vllm/rm works: it gives the right answer a reward of ")
