"""A server in a thread whose answer has any status and any body."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

Answer = tuple[int, Any]


class Endpoint(ThreadingHTTPServer):
    """Answers a POST by its body and its number, from 1; a GET from `lists`, by its path."""

    request_queue_size = 256

    def __init__(self, answer: Callable[[Any, int], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/v1"
        self.answer = answer
        self.asked: list[Any] = []
        self.lists: dict[str, Answer] = {}

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        self.reply(*self.server.answer(body, len(self.server.asked)))

    def do_GET(self) -> None:
        self.reply(*self.server.lists.get(self.path, (404, {"detail": "Not Found"})))

    def reply(self, status: int, reply: Any) -> None:
        data = (reply if isinstance(reply, str) else json.dumps(reply)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass
