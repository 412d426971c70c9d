"""Servers that tests start: a model server in a process of its own, and a stub in a thread."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

SERVER = Path(__file__).parents[1] / "servers" / "model_server.py"


class ModelServer:
    """A running `servers/model_server.py`."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.judge = f"openai/judge@{self.root}/v1"
        self.reward = f"vllm/rm@{self.root}"

    def _call(self, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(data or {}).encode()
        with urllib.request.urlopen(self.root + path, body, timeout=10) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
            return found

    def control(self, **settings: Any) -> None:
        """Set script, rate, faults, seed, latency_s."""
        self._call("/control", settings)

    def reset(self) -> None:
        """Forget counts and settings. A fault that never happened would prove nothing."""
        unknown = self.stats["unknown"]
        self._call("/reset")
        assert unknown == [], "the server knows no such fault"

    @property
    def stats(self) -> dict[str, Any]:
        """What was asked and delivered so far."""
        return self._call("/stats")


class ServerProcess(ModelServer):
    """A model server of a test's own, which it may kill and start again on the same port."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), str(port)], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        super().__init__(self.port)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


class StubServer(ThreadingHTTPServer):
    """Answers every POST with what `reply` makes of its body, and remembers what it was asked."""

    def __init__(self, reply: Callable[[Any], Any]) -> None:
        super().__init__(("127.0.0.1", 0), StubHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.reply = reply
        self.asked: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class StubHandler(BaseHTTPRequestHandler):
    server: StubServer

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        if len(sent := self.rfile.read(length)) < length:
            return  # the client was killed while it asked
        body = json.loads(sent)
        self.server.asked.append((self.path, body))
        data = json.dumps(self.server.reply(body)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass
