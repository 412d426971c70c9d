"""A model server that costs next to nothing, so that what is measured is the client.

It answers every POST with the same chat completion after a fixed latency, over kept-alive
connections. It is asyncio protocols and nothing else: about 30 µs of CPU a call.

Run: `python fast_server.py [--latency S] [--per-second N] [--at-once N] [--in-line N]
[--retry-after S] [--reply verdict|megabyte|bomb]` prints its port. `--per-second` refuses
whatever exceeds N calls in any sliding second, the strictest way there is; `--at-once` what
exceeds N calls under way; `--in-line` works on N and lets the others wait. `GET /stats` tells
what arrived and what was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import heapq
import json
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

MEGABYTE: Final = 2**20
BOMB_BYTES: Final = 64 * MEGABYTE
TIMERS_LATE_S: Final = 0.00045
"""epoll waits for whole milliseconds, rounded up: by so much a timer was late on average."""


@dataclass
class Server:
    """What every connection shares."""

    latency_s: float
    per_second: int | None
    replies: list[bytes]
    at_once: int | None = None
    in_line: int | None = None
    refusal: bytes = b""
    under_way: int = 0
    free_at: list[float] = field(default_factory=list)
    received: int = 0
    refused: int = 0
    begun: deque[float] = field(default_factory=deque)
    first_at: float = 0.0
    last_at: float = 0.0

    def due(self, now: float) -> float:
        """When the reply to a request that is complete now goes out."""
        if self.in_line is None:
            return now + self.latency_s
        if len(self.free_at) < self.in_line:
            heapq.heappush(self.free_at, now + self.latency_s)
            return now + self.latency_s
        # Whoever has left is worked on all the same.
        due = max(now, self.free_at[0]) + self.latency_s
        heapq.heapreplace(self.free_at, due)
        return due

    def reply(self, now: float) -> bytes:
        """The bytes that answer a request that is complete now."""
        self.received += 1
        self.first_at = self.first_at or now
        self.last_at = now
        if self.at_once is not None and self.under_way >= self.at_once:
            self.refused += 1
            return self.refusal
        if self.per_second is not None:
            while self.begun and self.begun[0] <= now - 1.0:
                self.begun.popleft()
            if len(self.begun) >= self.per_second:
                self.refused += 1
                return self.refusal
            self.begun.append(now)
        return self.replies[self.received % len(self.replies)]

    def stats(self) -> bytes:
        """What happened so far, as JSON."""
        span = self.last_at - self.first_at
        return _http(
            json.dumps(
                {"received": self.received, "refused": self.refused, "span_s": span}
            ).encode()
        )


class Connection(asyncio.Protocol):
    """HTTP/1.1 as far as clients of chat completions need it: lengths, no chunks."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._buffer = b""
        self._needed = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where replies go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the request is complete."""
        self._buffer = data if not self._buffer else self._buffer + data
        if len(self._buffer) < self._needed:
            return
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._buffer[:head].lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._needed = head + 4 + length
        if len(self._buffer) < self._needed:
            return
        request, self._buffer, self._needed = self._buffer, self._buffer[self._needed :], 0
        if request.startswith(b"GET"):
            self._send(self._server.stats())
        else:
            now = self._loop.time()
            reply = self._server.reply(now)
            if reply is self._server.refusal:
                self._send(reply)
                return
            self._server.under_way += 1
            due = self._server.due(now) - TIMERS_LATE_S
            self._loop.call_at(max(now, due), self._answer, reply)

    def _answer(self, reply: bytes) -> None:
        self._server.under_way -= 1
        self._send(reply)

    def _send(self, reply: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(reply)


def _http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1763800000}
    return json.dumps({**head, "model": "bench", "choices": [choice], "usage": usage}).encode()


_WORDS: Final = "Both answers were compared on correctness, care and clarity of reasoning. " * 4
_VERDICT: Final = _http(_completion(_WORDS + "\n\n\\boxed{A>B}"))


def _refusal(retry_after: str) -> bytes:
    return _http(
        b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}',
        "429 Too Many Requests",
        f"retry-after: {retry_after}\r\n" if retry_after else "",
    )


def _megabyte() -> bytes:
    return _http(_completion("x" * MEGABYTE + "\n\n\\boxed{A>B}"))


def _bomb() -> bytes:
    return _http(gzip.compress(b" " * BOMB_BYTES, 9), headers="content-encoding: gzip\r\n")


REPLIES: Final[dict[str, Callable[[], list[bytes]]]] = {
    "verdict": lambda: [_VERDICT],
    "megabyte": lambda: [_megabyte()],
    "bomb": lambda: [_bomb(), _VERDICT, _VERDICT, _VERDICT],
}


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--per-second", type=int)
    parser.add_argument("--at-once", type=int)
    parser.add_argument("--in-line", type=int)
    parser.add_argument("--retry-after", default="1", help="empty: refusals name no wait")
    parser.add_argument("--reply", choices=list(REPLIES), default="verdict")
    options = parser.parse_args()
    state = Server(
        options.latency,
        options.per_second,
        REPLIES[options.reply](),
        at_once=options.at_once,
        in_line=options.in_line,
        refusal=_refusal(options.retry_after),
    )
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    server = await loop.create_server(lambda: Connection(state, loop), sock=listener)
    print(listener.getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
