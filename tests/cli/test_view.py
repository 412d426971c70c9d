"""`rmjudge view`: the page of runs over a real socket, for this machine alone."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CALLS = 36
PATIENCE_S = 60


class Viewer:
    """A running `rmjudge view`."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.parts = urlsplit(address)
        assert self.parts.port is not None
        self.port: int = self.parts.port

    def get(self, path: str | None = None, *, below: str = "", **headers: str) -> tuple[int, str]:
        """Ask for a path, by default what was printed and `below` it: status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(
            "GET", self.parts.path + below if path is None else path, headers=headers
        )
        answer = connection.getresponse()
        body = answer.read().decode("utf-8")
        connection.close()
        return answer.status, body

    def state(self) -> dict[str, Any]:
        status, body = self.get(below="state")
        assert status == 200
        found: dict[str, Any] = json.loads(body)
        return found


@contextmanager
def viewing(cli: Cli, *words: object) -> Iterator[Viewer]:
    with cli.start("view", *words, "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            yield Viewer(process, address)
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def finished(cli: Cli) -> Cli:
    assert cli("run", "baseline/length", "--out", "o").returncode == 0
    return cli


def test_the_page_of_finished_runs_is_served_until_ctrl_c(finished: Cli) -> None:
    with viewing(finished, "o") as viewer:
        status, body = viewer.get()
        assert status == 200
        assert "Substance or style?" in body
        assert "baseline/length" in body
        assert viewer.state()["running"] == []
        viewer.process.send_signal(signal.SIGINT)
        _, err = viewer.process.communicate(timeout=PATIENCE_S)
    assert viewer.process.returncode == 0
    assert "Traceback" not in err


def test_it_listens_on_loopback_alone(finished: Cli) -> None:
    with viewing(finished, "o") as viewer:
        assert viewer.parts.hostname == "127.0.0.1"
        with socket.socket() as other:  # another address of this machine is nobody's
            other.settimeout(5)
            with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
                other.connect(("127.0.0.2", viewer.port))


@pytest.mark.parametrize(
    "path",
    ["/", "/state", "/wrong/", "/wrong/state", "/%C3%A9/", "//", "/{token}", "/{half}/", "/é/"],
)
def test_without_the_token_nothing_is_told(finished: Cli, path: str) -> None:
    with viewing(finished, "o") as viewer:
        token = viewer.parts.path.strip("/")
        asked = path.format(token=token, half=token[: len(token) // 2])
        with socket.create_connection(("127.0.0.1", viewer.port), PATIENCE_S) as asking:
            host = f"127.0.0.1:{viewer.port}"
            asking.sendall(f"GET {asked} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            answer = b"".join(iter(lambda: asking.recv(65536), b""))
        assert b" 403 " in answer.splitlines()[0]
        assert b"baseline" not in answer
        assert token.encode() not in answer


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::1]:1"])
def test_another_host_is_refused_though_the_token_is_right(finished: Cli, host: str) -> None:
    with viewing(finished, "o") as viewer:
        status, body = viewer.get(Host=host.format(port=viewer.port))
        assert (status, "baseline" in body) == (403, False)
        assert viewer.get(Host=f"localhost:{viewer.port}")[0] == 200


def test_two_starts_have_two_tokens(finished: Cli) -> None:
    with viewing(finished, "o") as one, viewing(finished, "o") as other:
        assert one.parts.path != other.parts.path
        assert other.get(one.parts.path)[0] == 403


def test_only_reading_is_possible_and_no_file_beside_the_page(finished: Cli) -> None:
    with viewing(finished, "o") as viewer:
        assert viewer.get(below="../o/run.json")[0] in (403, 404)
        assert viewer.get(below="run.json")[0] == 404
        connection = HTTPConnection("127.0.0.1", viewer.port, timeout=PATIENCE_S)
        connection.request("POST", viewer.parts.path, body=b"x")
        assert connection.getresponse().status == 501
        connection.close()


def test_a_run_under_way_says_how_far_it_is_and_then_shows_its_results(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=4)
    words = ("run", server.judge, "--limit", "1", "--concurrency", "2", "--out", "o", "--quiet")
    with cli.start(*words) as run:
        wait_for(cli, "o/progress.json")
        with viewing(cli, "o") as viewer:
            status, body = viewer.get()
            assert status == 200
            assert re.search(rf"openai/judge: still running, \d+ of {CALLS} calls answered", body)
            before = viewer.state()
            assert before["running"]
            with viewing(cli, ".") as above:
                assert "still running" in above.get()[1]
            server.control(latency_s=0)
            run.communicate(timeout=PATIENCE_S)
            assert run.returncode == 0
            after = viewer.state()
            assert after["running"] == []
            assert after["state"] != before["state"]
            status, body = viewer.get()
            assert "Style-Substance matrices" in body
            assert "still running" not in body
    assert not (cli.home / "o/progress.json").exists()


def test_a_run_under_way_shows_the_matrices_of_its_complete_tuples_as_not_final(
    cli: Cli, server: ModelServer
) -> None:
    run_of = ("run", server.judge, "baseline/length", "--limit", "2", "--quiet")
    assert cli(*run_of, "--out", "whole").returncode == 0
    server.control(latency_s=0.5)
    words = (*run_of, "--concurrency", "1", "--out", "o", "--cache-dir", "other")
    with cli.start(*words) as run:
        wait_for(cli, "o/so-far.jsonl")
        with viewing(cli, "o") as viewer:
            body, known = "", None
            while not (known := re.search(r"Not final, (\d) of 8 tuples answered: openai", body)):
                assert run.poll() is None, "the run ended before a tuple was shown"
                before = (cli.home / "o/so-far.jsonl").read_text("ascii")
                with viewing(cli, "o") as fresh:
                    body = fresh.get()[1]
            said = r"tuples answered: openai/judge.*: Easy \d+, Hard \d+ \(over .* only\)"
            assert re.search(said, body)
            assert re.search(r"<b>Chat</b> [12] of 2 tuples, %", body)
            assert "cells not scored" in body
            assert "Substance or style?" not in body
            assert int(known[1]) >= before.count('"matrix"'), "what was there is not shown"
            # Each tuple that is told is the tuple of the finished run.
            told = [json.loads(line) for line in before.splitlines()]
            written = (cli.home / "whole/openai-judge/results.jsonl").read_text("ascii")
            final = matrices_of(map(json.loads, written.splitlines()))
            assert matrices_of(told).items() <= final.items()
            server.control(latency_s=0)
            run.communicate(timeout=PATIENCE_S)
            body = viewer.get()[1]
            assert "Not final" not in body
            assert "Substance or style?" in body
    assert sorted(cli.results("o").values()) == sorted(cli.results("whole").values())
    assert not (cli.home / "o/so-far.jsonl").exists()


def test_a_run_that_was_killed_is_not_called_running(cli: Cli, server: ModelServer) -> None:
    server.control(latency_s=0.4)
    words = ("run", server.judge, "--limit", "1", "--concurrency", "2", "--out", "o", "--quiet")
    with cli.start(*words) as run:
        wait_for(cli, "o/progress.json")
        run.kill()
    long_ago = time.time() - 600
    os.utime(cli.home / "o/progress.json", (long_ago, long_ago))
    with viewing(cli, "o") as viewer:
        (line,) = viewer.state()["running"]
        assert "no word for 10 min; if the run has died, run its command again" in line
        assert "still running" not in line
        server.control(latency_s=0)
        assert cli(*words).returncode == 0
        assert viewer.state()["running"] == []
    assert server.stats["delivered"] <= CALLS + 2, "answers were bought again"


def test_what_a_damaged_file_is_missing_is_said_on_the_page(finished: Cli) -> None:
    with viewing(finished, "o") as viewer:
        assert viewer.get()[0] == 200
        (finished.home / "o/run.json").write_text("{")
        status, body = viewer.get()
        assert (status, "The results cannot be read" in body) == (200, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere",), "no such folder"),
        (("o", "--port", "70000"), "is no port"),
        (("o", "--port", "-1"), "is no port"),
        ((), "required: RUN"),
    ],
)
def test_wrong_words_are_an_error_of_two(finished: Cli, words: tuple[str, ...], told: str) -> None:
    done = finished("view", *words)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_port_of_another_program_is_named(finished: Cli) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = finished("view", "o", "--port", port)
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert "--port 0 finds a free one" in done.stderr


def matrices_of(records: Iterable[dict[str, Any]]) -> dict[tuple[str, int], Any]:
    """The cells of the judge's tuples."""
    return {(one["domain"], one["id"]): one["matrix"] for one in records if "matrix" in one}


def wait_for(cli: Cli, path: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not (cli.home / path).exists():
        assert time.monotonic() < end, f"{path} never came"
        time.sleep(0.05)
