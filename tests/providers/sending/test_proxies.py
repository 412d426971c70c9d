"""Proxies of the environment: who is asked, with which password, and what their refusals mean."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from certificates import Authority

from rmjudge.providers.sending.lanes import Lanes
from rmjudge.providers.sending.messages import FinalForRun

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, *map(str.upper, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


async def _server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n{}"):
            writer.write(OK)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Proxy:
    """Passes connections on, by CONNECT or SOCKS 5; `refusal` is what it says instead."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.refusal = b""
        self.port = 0

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self.refusal:
            writer.write(self.refusal)
            writer.close()
            return
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await self._pass_on(reader, writer, host, int(port))

    async def socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if 2 in methods:
            writer.write(b"\x05\x02")
            _, size = await reader.readexactly(2)
            user = await reader.readexactly(size)
            (size,) = await reader.readexactly(1)
            self.heads.append(user + b":" + await reader.readexactly(size))
            writer.write(b"\x01\x00" if not self.refusal else b"\x01\x01")
        else:
            writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        size = 4 if kind == 1 else (await reader.readexactly(1))[0]
        raw = await reader.readexactly(size)
        host = ".".join(map(str, raw)) if kind == 1 else raw.decode()
        port = int.from_bytes(await reader.readexactly(2))
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await self._pass_on(reader, writer, host, port)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        there = await asyncio.open_connection(host, port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    @asynccontextmanager
    async def listening(self, how: str = "http") -> AsyncIterator[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await getattr(self, how)(reader, writer)

        async with started(serve) as self.port:
            yield f"127.0.0.1:{self.port}"


@asynccontextmanager
async def started(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A server whose connections have ended when it has."""
    calls: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        calls[task] = writer
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(call, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
    for task in calls:
        task.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await asyncio.gather(
        *(writer.wait_closed() for writer in calls.values()), return_exceptions=True
    )


@asynccontextmanager
async def serving(authority: Authority | None = None) -> AsyncIterator[str]:
    context = authority.server("127.0.0.1") if authority else None
    async with started(_server, context) as port:
        yield f"{'https' if authority else 'http'}://127.0.0.1:{port}"


async def asked(url: str, connect_s: float = 10.0) -> bytes:
    lanes = Lanes(connect_s=connect_s, keepalive_s=3.0)
    try:
        for _ in range(2):
            reply = await lanes.post(url, {}, b"{}")
            found = b"".join([chunk async for chunk in reply.chunks()])
            await reply.aclose()
    finally:
        await lanes.aclose()
    return found


async def test_tls_goes_through_the_proxy_with_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, proxy = Authority(tmp_path), Proxy()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with serving(authority) as url, proxy.listening() as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pa55@{at}")
        assert await asked(url) == b"{}"

    assert len(proxy.heads) == 1
    assert b"proxy-authorization: basic dxnlcjpwytu1" in proxy.heads[0].lower()


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
async def test_a_proxy_that_refuses_ends_the_run_with_what_to_set(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    proxy = Proxy()
    proxy.refusal = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()
    async with proxy.listening() as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pa55@{at}")
        with pytest.raises(FinalForRun, match=f"the proxy at {at} refused: {status}") as told:
            await asked("https://model.example.invalid")

    assert "HTTPS_PROXY" in told.value.message
    assert "pa55" not in told.value.message


async def test_a_proxy_that_cannot_reach_the_server_is_tried_again_and_unpaid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Proxy()
    proxy.refusal = b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n"
    async with proxy.listening() as at:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{at}")
        with pytest.raises(httpx.ConnectError, match=f"the proxy at {at} .*: 503 Later"):
            await asked("https://model.example.invalid")


async def test_a_proxy_that_says_nothing_is_unpaid_after_the_time_for_connecting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(httpx.ConnectTimeout):
            await asked("https://model.example.invalid", 0.5)
        await asyncio.sleep(0.05)  # the server sees the end


async def test_where_nobody_listens_the_proxy_is_named_and_not_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:pa55@127.0.0.1:9")
    with pytest.raises(httpx.ConnectError, match=r"the proxy at 127\.0\.0\.1:9 .*refused") as told:
        await asked("http://model.example.invalid/v1")

    assert "pa55" not in str(told.value)


@pytest.mark.parametrize("ports", [True, False], ids=["a name with its port", "a name alone"])
async def test_no_proxy_excepts(monkeypatch: pytest.MonkeyPatch, ports: bool) -> None:
    async with serving() as url:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", url.removeprefix("http://") if ports else "127.0.0.1")
        assert await asked(url) == b"{}"


async def test_no_proxy_with_another_port_excepts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as url:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1:1")
        with pytest.raises(httpx.ConnectError, match=r"the proxy at 127\.0\.0\.1:9"):
            await asked(url)


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
async def test_socks_carries_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    pytest.importorskip("socksio", reason="the extra `socks`")
    authority, proxy = Authority(tmp_path), Proxy()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with serving(authority if tls else None) as url, proxy.listening("socks") as at:
        monkeypatch.setenv("ALL_PROXY", f"socks5://user:pa55@{at}")
        assert await asked(url) == b"{}"

    assert proxy.heads == [b"user:pa55"]


async def test_socks_that_refuses_the_password_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("socksio", reason="the extra `socks`")
    proxy = Proxy()
    proxy.refusal = b"no"
    async with proxy.listening("socks") as at:
        monkeypatch.setenv("ALL_PROXY", f"socks5://user:pa55@{at}")
        with pytest.raises(FinalForRun, match=f"the proxy at {at} refused: Invalid username"):
            await asked("http://model.example.invalid")
