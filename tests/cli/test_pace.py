"""How many calls at once are found out at servers on loopback, shown, and known to the next run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from command import Cli

REPLY = {
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "\\boxed{A>B}"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Slots

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        status, body = self.server.work()
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            if status == 429:
                self.send_header("retry-after", "1")
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client has left
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class Slots(ThreadingHTTPServer):
    """Works on `slots` calls at once, each for `takes_s`; refuses others, or lets them wait."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, slots: int, takes_s: float, *, refuses: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.slots = threading.Semaphore(slots)
        self.takes_s = takes_s
        self.refuses = refuses
        self.refused = 0

    def work(self) -> tuple[int, Any]:
        if not self.slots.acquire(blocking=not self.refuses):
            self.refused += 1
            return 429, {"error": {"message": "too many at once"}}
        time.sleep(self.takes_s)
        self.slots.release()
        return 200, REPLY


@contextmanager
def serving(slots: int, takes_s: float, *, refuses: bool) -> Iterator[Slots]:
    with Slots(slots, takes_s, refuses=refuses) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def ask(cli: Cli, server: Slots, *words: object, out: str = "out") -> None:
    model = f"openai/m@{server.url}"
    done = cli("run", model, "--data", "sample", "--domain", "chat", "--out", out, *words)
    assert done.returncode == 0, done.stderr


def test_what_a_server_of_six_slots_takes_is_found_told_and_known_to_the_next_run(
    cli: Cli,
) -> None:
    with serving(6, 0.2, refuses=True) as server:
        ask(cli, server, "--limit", 10)
        first, refused = cli.json("out/run.json")["pace"], server.refused
        ask(cli, server, "--order", "both", "--limit", 10, out="next")
        again = cli.json("next/run.json")["pace"]

    assert first["limited_by_endpoint"]
    assert 4 <= first["limit"] <= 6
    assert first["refused"] == refused > 0
    assert first["paused_s"] >= 0.9
    # The next run begins where this one ended: it does not try sixteen again.
    assert first["most_in_flight"] > 7 >= again["most_in_flight"]
    assert again["refused"] <= 3


def test_at_a_server_of_one_slot_every_call_is_answered_and_none_waits_in_vain(cli: Cli) -> None:
    with serving(1, 0.5, refuses=False) as server:
        ask(cli, server, "--limit", 3, "--deadline", 6)
    run = cli.json("out/run.json")
    assert run["calls"]["failed"] == 0
    assert run["pace"]["timed_out"] == 0
    assert run["pace"]["most_in_flight"] < 12  # as many as the slot answers in a deadline


def test_a_users_own_number_is_the_most_and_no_limit_for_the_next_run(cli: Cli) -> None:
    with serving(50, 0.05, refuses=False) as server:
        ask(cli, server, "--limit", 3, "--concurrency", 1)
        ask(cli, server, "--limit", 10, out="next")
    assert cli.json("out/run.json")["pace"]["most_in_flight"] == 1
    assert cli.json("next/run.json")["pace"]["most_in_flight"] > 1


def test_a_file_of_paces_that_is_damaged_is_no_error(cli: Cli) -> None:
    with serving(50, 0.05, refuses=False) as server:
        ask(cli, server, "--limit", 1, "--cache-dir", "kept")
        kept = cli.home / "kept" / "paces.json"
        assert f"openai/m@{server.url}" in json.loads(kept.read_text("utf-8"))
        assert kept.stat().st_mode & 0o077 == 0
        kept.write_text('{"a": {"limit": -3, "limited": true}, "b": "\\ud800"', "utf-8")
        ask(cli, server, "--limit", 2, "--cache-dir", "kept", out="next")
        assert f"openai/m@{server.url}" in json.loads(kept.read_text("utf-8"))
