"""The connections: which are used again, and what an error says about payment."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from rmjudge.providers.sending.lanes import SLEEP_S, Lanes
from rmjudge.providers.sending.messages import FinalForRun
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.transport import Wire

REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Server:
    """A raw server: counts connections and requests, says what it is told to say."""

    def __init__(self) -> None:
        self.connections = 0
        self.asked: list[bytes] = []
        self.reply = REPLY
        self.latency_s = 0.0
        self.hangs_up = False
        self.says_unasked = b""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.asked.append(head + await reader.readexactly(int(length or b"0")))
                await asyncio.sleep(self.latency_s)
                writer.write(self.reply)
                await writer.drain()
                if self.hangs_up:
                    break
                if self.says_unasked:
                    await asyncio.sleep(0.02)
                    writer.write(self.says_unasked)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as listening:
        found.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        yield found


@pytest.fixture
async def pool() -> AsyncIterator[Callable[..., Lanes]]:
    """Make transports that are closed at the end."""
    async with AsyncExitStack() as stack:

        def make(**options: object) -> Lanes:
            settings = {"connect_s": 5.0, "keepalive_s": 3.0, **options}
            made = Lanes(**settings)  # type: ignore[arg-type]
            stack.push_async_callback(made.aclose)
            return made

        yield make


async def post(connections: Lanes, url: str) -> bytes:
    reply = await connections.post(url, {}, b"{}")
    try:
        return b"".join([chunk async for chunk in reply.chunks()])
    finally:
        await reply.aclose()


New = Callable[..., Lanes]


async def test_as_many_connections_as_calls_in_flight_are_made_and_used_again(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.latency_s = 0.02
    for _ in range(5):
        await asyncio.gather(*(post(connections, server.url) for _ in range(3)))

    assert (server.connections, len(server.asked)) == (3, 15)


async def test_a_connection_that_was_idle_for_too_long_is_not_used_again(
    server: Server, pool: New
) -> None:
    connections = pool(keepalive_s=0.05)
    await post(connections, server.url)
    await asyncio.sleep(0.15)
    await post(connections, server.url)

    assert server.connections == 2


async def test_a_connection_that_the_server_closed_is_not_used_again(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.hangs_up = True
    for _ in range(3):
        assert await post(connections, server.url) == b"{}"
        await asyncio.sleep(0.05)

    assert server.connections == 3


async def test_connections_from_before_the_machine_slept_are_not_used_again(
    server: Server, pool: New
) -> None:
    now = 1000.0
    connections = pool(wall_clock=lambda: now)
    await post(connections, server.url)
    now += SLEEP_S + 1.0
    await post(connections, server.url)
    await post(connections, server.url)

    assert server.connections == 2


async def test_a_clock_that_is_set_by_a_second_changes_nothing(server: Server, pool: New) -> None:
    now = 1000.0
    connections = pool(wall_clock=lambda: now)
    for _ in range(SLEEP_S.__ceil__() * 2):
        await post(connections, server.url)
        now += 1.0

    assert server.connections == 1


async def test_a_call_under_way_when_the_machine_slept_is_finished(
    server: Server, pool: New
) -> None:
    now = 1000.0
    connections = pool(wall_clock=lambda: now)
    server.latency_s = 0.2
    call = asyncio.create_task(post(connections, server.url))
    while not server.asked:  # noqa: ASYNC110 - nothing tells when a request has arrived
        await asyncio.sleep(0.001)
    now += 3600.0
    await post(connections, server.url)

    assert await call == b"{}"


async def test_a_body_that_was_not_read_to_its_end_closes_its_connection(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.reply = REPLY.replace(b": 2", b": 9")
    await (await connections.post(server.url, {}, b"{}")).aclose()
    server.reply = REPLY
    await post(connections, server.url)

    assert server.connections == 2


async def test_what_comes_unasked_is_not_taken_for_the_next_reply(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.says_unasked = REPLY.replace(b"{}", b"[]")
    for _ in range(3):
        assert await post(connections, server.url) == b"{}"
        await asyncio.sleep(0.1)

    assert (server.connections, len(server.asked)) == (3, 3)


async def test_a_second_reply_in_one_piece_with_the_first_answers_nothing(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.reply = REPLY + REPLY.replace(b"{}", b"[]")
    assert await post(connections, server.url) == b"{}"
    with pytest.raises(httpx.RemoteProtocolError, match="before it was asked for"):
        await post(connections, server.url)
    assert await post(connections, server.url) == b"{}"


@pytest.mark.parametrize("target", ["http://elsewhere/v1", "http://[::1", "//:x"])
async def test_a_redirect_is_a_reply_wherever_it_points(
    server: Server, pool: New, target: str
) -> None:
    server.reply = f"HTTP/1.1 307 Go\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n".encode()
    reply = await pool().post(server.url, {}, b"{}")
    await reply.aclose()

    assert (reply.status, reply.headers["location"]) == (307, target)


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n"
ODD = {
    "100 Continue before it": b"HTTP/1.1 100 Continue\r\n\r\n" + REPLY,
    "early hints before it": b"HTTP/1.1 103 Hints\r\nlink: </x>\r\n\r\n" + REPLY,
    "chunks": CHUNKED + b"\r\n",
    "chunks and a trailer": CHUNKED + b"retry-after: 9999\r\n\r\n",
    "no reason phrase": REPLY.replace(b" OK", b""),
    "names in capitals": REPLY.replace(b"content-length", b"CONTENT-LENGTH"),
    "bytes that are no UTF-8": REPLY.replace(b"\r\ncon", b"\r\nx-a: \xff\xe9\x80\r\ncon"),
    "a type that is none": REPLY.replace(b"\r\ncon", b"\r\ncontent-type: ;;//\xff\r\ncon"),
    "cookies that are none": REPLY.replace(b"\r\ncon", b"\r\nset-cookie: \x1b[]=;;\r\ncon"),
    "a header of 60 kB": REPLY.replace(b"\r\ncon", b"\r\nx-a: " + b"a" * 60_000 + b"\r\ncon"),
}


@pytest.mark.parametrize("reply", ODD.values(), ids=list(ODD))
async def test_an_odd_reply_is_read_as_any_other(
    server: Server, pool: New, caplog: pytest.LogCaptureFixture, reply: bytes
) -> None:
    connections = pool()
    server.reply = reply
    for _ in range(2):
        assert await post(connections, server.url) == b"{}"

    assert server.connections == 1
    assert caplog.messages == []


async def test_a_reply_without_a_length_ends_with_its_connection(server: Server, pool: New) -> None:
    server.reply, server.hangs_up = b"HTTP/1.0 200 OK\r\n\r\n{}", True

    assert await post(pool(), server.url) == b"{}"


async def test_headers_are_found_in_lower_case_and_bodies_may_be_missing(
    server: Server, pool: New
) -> None:
    server.reply = b"HTTP/1.1 204 None\r\nRetry-AFTER: 7\r\n\r\n"
    reply = await pool().post(server.url, {}, b"{}")
    await reply.aclose()

    assert (reply.status, reply.headers) == (204, {"retry-after": "7"})


async def test_a_call_that_is_cancelled_takes_its_connection_with_it(
    server: Server, pool: New
) -> None:
    connections = pool()
    server.latency_s = 0.1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(post(connections, server.url), 0.03)
    server.latency_s, server.reply = 0.0, REPLY.replace(b"{}", b"[]")

    assert await post(connections, server.url) == b"[]"
    assert server.connections == 2


async def test_what_is_asked_is_what_was_given(server: Server) -> None:
    wire = Wire(Policy(), Network())
    headers = {"accept": "application/json", "x-key": "k"}
    await wire.post(server.url + "/a%2Fb?c=%20d", headers, b'{"a": 1}')
    await wire.aclose()
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    first, *fields = head.decode().lower().split("\r\n")

    assert first == "post /v1/a%2fb?c=%20d http/1.1"
    assert {"accept: application/json", "x-key: k", "content-length: 8"} <= set(fields)
    assert not [field for field in fields if field.startswith(("cookie", "transfer-encoding"))]
    assert body == b'{"a": 1}'


async def test_cookies_are_not_sent_back(server: Server, pool: New) -> None:
    connections = pool()
    server.reply = REPLY.replace(b"\r\ncon", b"\r\nset-cookie: a=b; path=/\r\ncon")
    await post(connections, server.url)
    await post(connections, server.url)

    assert b"cookie" not in server.asked[1].lower()


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_refused_connection_is_unpaid(pool: New, nobody: str) -> None:
    with pytest.raises(httpx.ConnectError, match=r"cannot connect to 127\.0\.0\.1:"):
        await post(pool(), nobody)


async def test_an_unknown_name_is_unpaid(pool: New) -> None:
    with pytest.raises(httpx.ConnectError, match=r"cannot connect to no-such-host\.invalid:80"):
        await post(pool(), "http://no-such-host.invalid")


@asynccontextmanager
async def saying(what: bytes) -> AsyncIterator[str]:
    """A server that says something at once and then nothing; yields its address over TLS."""
    writers: list[asyncio.StreamWriter] = []

    def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(what)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


async def test_a_server_that_does_not_speak_tls_is_unpaid(pool: New) -> None:
    async with saying(b"HTTP/1.1 400 This is plain\r\n\r\n") as url:
        with pytest.raises(httpx.ConnectError, match="cannot connect"):
            await post(pool(), url)


async def test_a_handshake_that_takes_too_long_is_unpaid(pool: New) -> None:
    async with saying(b"") as url:
        with pytest.raises(httpx.ConnectTimeout):
            await post(pool(connect_s=0.1), url)


LOST = {
    "before the reply": b"",
    "in the head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "in the body": REPLY.replace(b": 2", b": 9"),
    "with a reply that is no HTTP": b"not HTTP at all\r\n\r\n",
    "in a chunk": CHUNKED[:-14],
    "with a chunk that is none": CHUNKED[:-14] + b"ZZ\r\n\r\n",
    "with two lengths": REPLY.replace(b"\r\ncon", b"\r\ncontent-length: 7\r\ncon"),
    "with a length and chunks": CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-length: 2\r\n\r\n", 1),
    "with a header that does not end": b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 2**20,
}


@pytest.mark.parametrize("reply", LOST.values(), ids=list(LOST))
async def test_a_connection_lost_after_sending_may_have_been_billed(
    server: Server, pool: New, reply: bytes
) -> None:
    server.reply, server.hangs_up = reply, True

    with pytest.raises(httpx.TransportError) as lost:
        await post(pool(), server.url)
    assert not isinstance(lost.value, (httpx.ConnectError, httpx.ConnectTimeout))
    assert re.fullmatch(r"the (reply|server) [\w ,:'/-]+", str(lost.value)), lost.value


async def test_a_head_that_cannot_be_read_is_told_without_what_it_held(
    server: Server, pool: New
) -> None:
    server.reply = b"HTTP/1.1 200 OK\r\nx y: sk-canary-7f3a9c51\r\n\r\n"

    with pytest.raises(httpx.RemoteProtocolError, match="no proper HTTP: illegal header") as lost:
        await post(pool(), server.url)
    assert "canary" not in str(lost.value)
    assert server.url not in str(lost.value)


@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_the_environment_s_proxy_is_asked_for_a_whole_address(
    server: Server, pool: New, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    address = server.url.removeprefix("http://").removesuffix("/v1")
    monkeypatch.setenv("http_proxy", f"{scheme}user:pa55@{address}")
    await post(pool(), "http://model.example.invalid/v1")

    assert server.asked[0].startswith(b"POST http://model.example.invalid/v1 HTTP/1.1")
    assert b"\r\nproxy-authorization: basic dxnlcjpwytu1" in server.asked[0].lower()


async def test_hosts_that_need_no_proxy_are_reached_without_one(
    server: Server, pool: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert await post(pool(), server.url) == b"{}"


async def test_a_proxy_that_refuses_is_unpaid(
    server: Server, pool: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply = b"HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n"
    monkeypatch.setenv("https_proxy", server.url)

    with pytest.raises(FinalForRun, match="refused: 407 Who are you"):
        await post(pool(), "https://model.example.invalid/v1")


async def test_socks_without_its_package_is_told_of_without_the_password(
    pool: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:pa55@127.0.0.1:9")
    monkeypatch.setattr("rmjudge.providers.sending.proxies.find_spec", lambda _name: None)

    with pytest.raises(FinalForRun, match=r"pip install 'rmjudge\[socks\]'") as refused:
        await post(pool(), "http://model.example.invalid/v1")
    assert "pa55" not in str(refused.value)


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "[::1", "127.0.0.1:x", "h..h", "", "h\\h"])
async def test_a_proxy_that_is_no_address_is_told_of_without_its_password(
    pool: New, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:pa55@{address}")

    with pytest.raises(FinalForRun, match="a proxy that is no address") as refused:
        await post(pool(), "http://model.example.invalid/v1")
    assert "pa55" not in str(refused.value)
