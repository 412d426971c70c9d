"""A canary key: it goes to the server in a header, and nowhere else, whatever the server echoes."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer, StubServer

KEY = "sk-canary/7f3a+9c51=e2d84b60"
OTHER = "sk-other/1d90+4e7b=c3a5f682"
ECHOES = ["key", "key:quoted", "key:base64", "key:basic", "key:bearer", "key:hex", "key:cut"]
ECHOES += ["key-escaped"]


def forms(key: str) -> set[bytes]:
    """What a key looks like to who knows how to look: eight characters of any form are too many."""
    raw = key.encode()
    whole = {
        key,
        quote(key, safe=""),
        quote(key, safe="").lower(),
        json.dumps(key)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(character):04x}" for character in key),
        raw.hex(),
        *(base64.b64encode(bytes(before) + raw).decode()[4:-4] for before in range(3)),
        key[::-1],
    }
    pieces = {text[at : at + 8] for text in whole for at in range(len(text) - 7)}
    return {piece.encode() for piece in pieces if not re.fullmatch(r"[0u\\]+.{0,3}", piece)}


def leaks(*texts: bytes) -> list[bytes]:
    looked_for = forms(KEY) | forms(OTHER)
    return [piece for text in texts for piece in looked_for if piece in text]


def contents(folder: Path) -> list[bytes]:
    """Every file below a folder, unpacked; and their names."""
    found = [str(path).encode() for path in folder.rglob("*")]
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found.append(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    return found


def judge(server: ModelServer, *words: str) -> tuple[str, ...]:
    return ("run", server.judge, "--domain", "code", "--limit", "1", "--out", "o", *words)


def test_the_forms_that_are_looked_for_would_be_found() -> None:
    assert leaks(f"the key is {KEY}, it said".encode())
    assert leaks(base64.b64encode(f"Bearer {OTHER}".encode()))
    assert leaks(quote(f"https://x/?key={KEY}").encode())
    assert not leaks(b'{"error": {"message": "\\u0000 Incorrect API key provided"}}')


@pytest.mark.parametrize("fault", ECHOES)
def test_a_refusal_that_echoes_the_key_is_told_and_kept_without_it(
    cli: Cli, server: ModelServer, fault: str
) -> None:
    server.control(script=["ok", fault])
    done = cli(*judge(server, "--json", "--concurrency", "1"), OPENAI_API_KEY=KEY)

    assert done.returncode == 3
    assert "[key removed]" in done.stderr or fault == "key:cut"  # there it is cut away
    assert server.stats["headers"][-1]["authorization"] == f"Bearer {KEY}"
    assert leaks(done.stdout.encode(), done.stderr.encode(), *contents(cli.home)) == []


def test_replies_that_echo_the_key_are_kept_exported_and_shown_without_it(
    cli: Cli, server: ModelServer
) -> None:
    script = ["said-key", "said-key:quoted", "said-key:bearer", "said-key:cut", "said-key:hex"]
    server.control(script=[*script, f"other-model:{KEY}", "key-422"])
    told = [
        cli(*judge(server), OPENAI_API_KEY=KEY, VLLM_API_KEY=OTHER),
        cli("cache", "export", "answers.jsonl.gz"),
        cli("cache", "info", "--json"),
        cli("cache", "verify"),
        cli("cache", "explain", "o"),
        cli("report", "o", "--format", "markdown"),
    ]

    assert [done.returncode for done in told] == [1, 0, 0, 0, 0, 0]
    assert any(b"[key removed]" in content for content in contents(cli.home))
    said = [text.encode() for done in told for text in (done.stdout, done.stderr)]
    assert leaks(*said, *contents(cli.home)) == []


@pytest.mark.parametrize("target", [f"https://x.example/?key={KEY}", f"https://x.example/{KEY}"])
def test_a_redirect_to_an_address_with_the_key_is_neither_followed_nor_quoted(
    cli: Cli, server: ModelServer, target: str
) -> None:
    server.control(script=[f"redirect:{target}"])
    done = cli(*judge(server), OPENAI_API_KEY=KEY)

    assert done.returncode == 3
    assert "the endpoint redirects to https://x.example/" in done.stderr
    assert leaks(done.stdout.encode(), done.stderr.encode(), *contents(cli.home)) == []


def test_a_redirect_to_another_server_brings_it_nothing(
    cli: Cli, server: ModelServer, stub_server: type[StubServer]
) -> None:
    with stub_server(lambda body: body) as elsewhere:
        server.control(script=[f"redirect:{elsewhere.url}/v1/chat/completions"] * 3)
        assert cli(*judge(server), OPENAI_API_KEY=KEY).returncode == 3
        assert elsewhere.asked == []


def test_each_key_goes_to_its_own_endpoint(cli: Cli, server: ModelServer) -> None:
    words = ("run", server.judge, server.reward, "--domain", "code", "--limit", "1")
    assert cli(*words, OPENAI_API_KEY=KEY, VLLM_API_KEY=OTHER).returncode == 0
    stats = server.stats

    sent = {
        (path, headers["authorization"])
        for path, headers in zip(stats["paths"], stats["headers"], strict=True)
    }
    assert sent == {("/v1/chat/completions", f"Bearer {KEY}"), ("/classify", f"Bearer {OTHER}")}
    # No address has it, nor a body.
    assert leaks(json.dumps([stats["paths"], stats["bodies"]]).encode()) == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
def test_no_process_has_the_key_among_its_arguments(cli: Cli, server: ModelServer) -> None:
    server.control(latency_s=0.1)
    seen: set[bytes] = set()
    with cli.start(*judge(server, "--concurrency", "2"), OPENAI_API_KEY=KEY) as process:
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.01):
                seen.update(arguments_of_all())

        watcher = threading.Thread(target=watch)
        watcher.start()
        process.communicate()
        ended.set()
        watcher.join()

    assert any(b"rmjudge" in arguments for arguments in seen)
    assert leaks(*seen) == []


def arguments_of_all() -> list[bytes]:
    found: list[bytes] = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - numbers come and go
        if name.isdecimal():
            try:
                found.append(Path("/proc", name, "cmdline").read_bytes())
            except OSError:
                continue
    return found


CRASH = """
import sys
from rmjudge.providers.sending import transport
import rmjudge

def crash(*arguments, **named):
    raise RuntimeError("a bug")

transport.Wire.post = crash
rmjudge.evaluate(sys.argv[1], limit=1)
"""


def test_a_traceback_of_a_bug_in_the_transport_does_not_show_the_key(
    cli: Cli, server: ModelServer
) -> None:
    done = subprocess.run(
        [cli.command.with_name("python"), "-c", CRASH, server.judge],
        env=cli.environment(OPENAI_API_KEY=KEY),
        cwd=cli.home,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1
    assert b"RuntimeError: a bug" in done.stderr
    assert leaks(done.stdout, done.stderr) == []
