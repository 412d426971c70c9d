"""HTTP on loopback, as the servers of the tests need it: a request read, an answer written."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wire import Answer, Headers


@dataclass(frozen=True)
class Request:
    """A request as it came; `path` has no query."""

    method: str
    path: str
    headers: Headers
    body: bytes


OneRequest = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Reads and answers one request; says whether the connection goes on."""


async def read_request(reader: asyncio.StreamReader) -> Request:
    """The next request of a connection.

    Raises:
        asyncio.IncompleteReadError: there is none.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
        if name
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target.partition("?")[0], headers, body)


async def write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Write an answer, or as much of it as it says."""
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{key}: {value}" for key, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    body = answer.body if answer.cut_after is None else answer.body[: answer.cut_after]
    if answer.drip_s:
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(answer.drip_s)
    else:
        writer.write(body)
    await writer.drain()


async def listen(one_request: OneRequest) -> None:
    """Serve until the process ends, on the port that is named, or a free one; print it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await one_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**27)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
