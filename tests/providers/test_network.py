"""What a user says of the network: headers, a transport of one's own, client certificates."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import rmjudge
from rmjudge.errors import UsageError
from rmjudge.providers.sending.network import headers_from

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CHAT = {"choices": [{"message": {"content": "\\boxed{A>B}"}, "finish_reason": "stop"}]}
VALUE = "gateway-93b1f0"


def judged(cli_home: Path, transport: httpx.AsyncBaseTransport, **options: Any) -> rmjudge.Run:
    return rmjudge.evaluate(
        "openai/j@https://gateway.example/v1?api-version=7",
        limit=1,
        domains=["chat"],
        out=cli_home / "o",
        cache_dir=cli_home / "c",
        transport=transport,
        **options,
    )


@pytest.mark.parametrize("streamed", [False, True])
def test_a_transport_of_one_s_own_sends_the_calls(tmp_path: Path, streamed: bool) -> None:
    asked: list[httpx.Request] = []

    async def parts() -> Any:
        yield json.dumps(CHAT).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if streamed:
            return httpx.Response(200, content=parts())
        return httpx.Response(200, json=CHAT)

    run = judged(tmp_path, httpx.MockTransport(answer), headers={"X-Team": "evals"})

    assert run.exit_code == 0
    assert len(asked) == 9
    assert {str(request.url) for request in asked} == {
        "https://gateway.example/v1/chat/completions?api-version=7"
    }
    assert asked[0].headers["x-team"] == "evals"
    assert json.loads(asked[0].content)["model"] == "j"


class Closing(httpx.MockTransport):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


def test_a_transport_of_one_s_own_is_left_open(tmp_path: Path) -> None:
    transport = Closing(lambda _: httpx.Response(200, json=CHAT))
    judged(tmp_path, transport)
    assert not transport.closed


def test_a_compressed_reply_of_a_mock_is_read(tmp_path: Path) -> None:
    import gzip

    body, headers = gzip.compress(json.dumps(CHAT).encode()), {"content-encoding": "gzip"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    assert judged(tmp_path, transport).exit_code == 0


@pytest.mark.parametrize(
    ("error", "billed"), [(httpx.ConnectError("none"), 0), (httpx.ReadError("lost"), 1)]
)
async def test_what_a_transport_raises_says_what_may_be_billed(
    error: Exception, billed: int
) -> None:
    from rmjudge.providers.sending.lanes import Lanes

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    lanes = Lanes(connect_s=5.0, keepalive_s=3.0, transport=httpx.MockTransport(fail))
    with pytest.raises(httpx.TransportError) as told:
        await asyncio.wait_for(lanes.post("http://h.example", {}, b"{}"), 10)
    assert isinstance(told.value, httpx.ConnectError) is not bool(billed)


def test_a_header_s_value_is_sent_and_written_nowhere(cli: Cli, server: ModelServer) -> None:
    words = ["run", server.judge, "--limit", "1", "--domain", "chat", "--max-calls", "2"]
    for header in ("X-Gate=env:GATE", f"X-Gate={VALUE}"):
        done = cli(*words, "--header", header, "--out", header[-4:], GATE=VALUE)
        assert done.returncode == 3
        assert VALUE not in done.stdout + done.stderr
        name = "X-Gate=env:GATE" if "env" in header else "X-Gate=..."
        assert f"--header {name}" in done.stderr
    for path in cli.home.rglob("*"):
        assert not path.is_file() or VALUE.encode() not in path.read_bytes()


@pytest.mark.parametrize("value", ["evals", "completed", "no", "20230601", "2023-06-01"])
def test_a_value_that_anybody_may_write_is_struck_out_of_messages(
    tmp_path: Path, value: str
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        said = f"unknown header {request.headers['x-stage']}"
        return httpx.Response(400, json={"error": {"message": said}})

    judged(tmp_path, httpx.MockTransport(refuse), headers={"X-Stage": value})

    told = "".join(path.read_text("utf-8") for path in (tmp_path / "o").rglob("*.json*"))
    assert "unknown header [key removed]" in told
    assert f"header {value}" not in told


@pytest.mark.parametrize(
    "value", ["choices", "content", "stop", "boxed", "A>B", "20230601", "message"]
)
@pytest.mark.parametrize("name", ["X-Stage", "X-Token"])
def test_a_value_that_a_reply_is_made_of_changes_no_verdict(
    tmp_path: Path, value: str, name: str
) -> None:
    told = {**CHAT, "created": 120230601}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={**told, "echo": request.headers[name.lower()]})

    run = judged(tmp_path, httpx.MockTransport(answer), headers={name: value})

    assert run.exit_code == 0
    plain = judged(tmp_path / "plain", httpx.MockTransport(answer), headers={name: "another-one"})
    assert run.results[0].metrics == plain.results[0].metrics


@pytest.mark.parametrize("word", ["rather", "evals"])
def test_a_word_in_a_reply_is_kept_only_where_the_verdict_needs_it(
    tmp_path: Path, word: str
) -> None:
    text = "I would rather say, from all evals, \\boxed{A>B}"
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    run = judged(tmp_path, transport, headers={"X-Stage": word})

    kept = b"".join(path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file())
    assert run.exit_code == 0
    assert word.encode() not in kept
    assert b"[key removed]" in kept
    assert b"boxed{A>B}" in kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Gate", "env:GATE"),  # whatever it holds
        ("X-Api-Key", "completed"),
        ("Authorization", "completed"),
        ("X-Pass-Token", "completed"),
        ("Cookie", "completed"),
        ("X-Gate", "b7fa02"),
        ("X-Gate", "qWhJkLoP"),
        ("X-Gate", "correct-horse"),
        ("X-Gate", "qwhjklopzxcvbnma"),  # longer than words are
        ("X-Gate", "20230601"),
    ],
)
def test_what_may_be_a_secret_is_struck_out(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("GATE", "completed")
    header = headers_from({name: value})[name]
    assert header.strike(f"it was {header.reveal()}, he said") == "it was [key removed], he said"


def test_answers_are_found_again_whatever_the_headers(cli: Cli, server: ModelServer) -> None:
    words = ["run", server.judge, "--limit", "1", "--domain", "chat"]
    assert cli(*words, "--out", "a").returncode == 0
    assert cli(*words, "--out", "b", "--header", "X-Team=evals").returncode == 0
    assert cli.json("b/run.json")["calls"]["sent"] == 0


def test_a_variable_that_is_not_set_is_a_wrong_use(cli: Cli, server: ModelServer) -> None:
    done = cli("run", server.judge, "--header", "X-Gate=env:GATE")
    assert done.returncode == 2
    assert "the environment variable GATE is not set" in done.stderr


def test_a_header_without_a_value_is_refused_without_its_text(
    cli: Cli, server: ModelServer
) -> None:
    done = cli("run", server.judge, "--header", f"X-Gate {VALUE}")
    assert done.returncode == 2
    assert "--header is HEADER=VALUE or NAME:HEADER=VALUE" in done.stderr
    assert VALUE not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("X Y", "v", "no name of a header"),
        ("Host", "h", "sets it itself"),
        ("content-length", "3", "sets it itself"),
        ("X-Y", "a\r\nX-Z: b", "holds a line break"),
        ("X-Y", "ü", "not ASCII"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        headers_from({name: value})


def test_a_client_certificate_that_is_missing_is_a_wrong_use(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text('[network]\nclient_cert = "missing.pem"\n')
    done = cli("run", server.judge)
    assert done.returncode == 2
    assert "client_cert, client_key: missing.pem: No such file" in done.stderr
