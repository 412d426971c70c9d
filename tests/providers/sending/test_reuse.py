"""Which connection carries the next call: never one on which something is left of the last."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest

from rmjudge.providers.sending.lanes import Lanes

BIG = b"q" * 5_000_000
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def opened() -> AsyncIterator[Lanes]:
    made = Lanes(connect_s=5.0, keepalive_s=30.0)
    try:
        yield made
    finally:
        await made.aclose()


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:  # type: ignore[arg-type]
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(lanes: Lanes, url: str, body: bytes = b"{}") -> tuple[int, bytes]:
    reply = await lanes.post(url, {}, body)
    try:
        return reply.status, b"".join([chunk async for chunk in reply.chunks()])
    finally:
        await reply.aclose()


async def test_what_an_early_reply_left_of_a_request_does_not_go_before_the_next_one() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK if connections > 1 else OK.replace(b"200 OK", b"429 Slow"))
        try:
            await writer.drain()
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with listening(serve) as url, opened() as lanes:
        assert await asked(lanes, url, BIG) == (429, b"{}")
        assert await asked(lanes, url) == (200, b"{}")

    assert connections == 2


async def test_the_lanes_close_though_a_server_takes_no_more_of_a_request() -> None:
    stuck = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(OK)
        await stuck.wait()
        writer.close()

    async with listening(serve) as url:
        async with asyncio.timeout(30), opened() as lanes:  # it hung for good
            assert await asked(lanes, url, BIG) == (200, b"{}")
        stuck.set()


@contextmanager
def apart(serve: Serve) -> Iterator[str]:
    """A server on a loop of its own, which goes on while the caller's stands still."""
    loop, ready, addresses = asyncio.new_event_loop(), threading.Event(), list[str]()
    done = asyncio.Event()

    async def run() -> None:
        async with listening(serve) as url:
            addresses.append(url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


async def test_what_came_unasked_while_the_loop_stood_still_answers_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n{}")
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(OK.replace(b"{}", b"[]"))
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    with apart(serve) as url:
        async with opened() as lanes:
            for _ in range(3):
                assert await asked(lanes, url) == (200, b"{}")
                time.sleep(0.1)  # noqa: ASYNC251 - a loop that is held up


async def test_a_connection_that_ended_while_the_loop_stood_still_carries_no_call() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.close()

    with apart(serve) as url:
        async with opened() as lanes:
            for _ in range(3):
                assert await asked(lanes, url) == (200, b"{}")
                time.sleep(0.1)  # noqa: ASYNC251 - a loop that is held up


async def test_a_proxy_s_broken_reply_is_unpaid_and_told_without_password_or_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx y: canary\r\n\r\n")
        await writer.drain()
        writer.close()

    monkeypatch.delenv("no_proxy", raising=False)
    async with listening(serve) as url, opened() as lanes:
        monkeypatch.setenv("https_proxy", url.replace("//", "//user:word@"))
        with pytest.raises(httpx.ConnectError) as told:
            await asked(lanes, "https://model.example.invalid/v1")

    said = str(told.value)
    assert said.endswith("the reply is no proper HTTP: illegal header line")
    assert said.startswith(f"the proxy at {url.removeprefix('http://')} ")


async def heads_of(*sent: dict[str, str]) -> list[bytes]:
    """What goes over the wire with these headers, call after call; one object for all of them."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heads.append((await reader.readuntil(b"\r\n\r\n{}")).lower())
                writer.write(OK)
        except asyncio.IncompleteReadError:
            writer.close()

    headers: dict[str, str] = {}
    async with listening(serve) as url, opened() as lanes:
        for each in sent:
            headers.update(each)
            reply = await lanes.post(url, headers, b"{}")
            assert [chunk async for chunk in reply.chunks()] == [b"{}"]
            await reply.aclose()
    return heads


async def test_headers_that_change_between_calls_are_sent_as_they_are() -> None:
    first, second = await heads_of({"x-a": "one"}, {"x-a": "two"})

    assert b"x-a: one\r\n" in first
    assert b"x-a: two\r\n" in second


async def test_the_length_is_told_once_and_is_the_body_s() -> None:
    (head,) = await heads_of({"content-length": "7"})

    assert head.count(b"content-length") == 1
    assert b"content-length: 2\r\n" in head


async def test_an_address_without_a_host_is_unpaid() -> None:
    async with opened() as lanes:
        with pytest.raises(httpx.ConnectError):
            await asked(lanes, "http:///v1")
