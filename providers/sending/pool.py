"""aiohttp's connections and its parser, with httpx's words for addresses and errors.

httpx's own pool scans every connection on every event: at 64 calls in flight it costs ten times
as much as one connection a worker, and that still three times as much as aiohttp. aiohttp's
`ClientSession` nearly doubles the price again: for every call it makes a request, a response and a
task that writes, where here a head is made once an address and one write sends it with the body
(docs/performance.md). Errors are mapped so that they tell what may have
been billed: whatever fails before the request is sent is a `ConnectError` or a `ConnectTimeout`,
and nothing else is.
"""

from __future__ import annotations

import asyncio
import re
import select
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import aiohttp
import certifi
import httpx
from aiohttp import hdrs
from aiohttp.http import HttpProcessingError
from yarl import URL

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

HEADER_LIMIT: Final = 2**16
"""Bytes of one header; at aiohttp's 8 KiB a reply that was paid for may be lost for its cookies."""
SLEEP_S: Final = 5.0
"""The wall clock ran ahead of the monotonic one by this much: the machine was asleep."""


class Arriving:
    """A reply whose head is there: status, header names in lower case, and a body to come."""

    def __init__(
        self, connection: Connection, head: RawResponseMessage, content: StreamReader
    ) -> None:
        self._connection = connection
        self._content = content
        self.status = head.code
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in head.raw_headers
        }

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            httpx.TransportError: the connection was lost.
        """
        try:
            while not self._content.at_eof():
                yield await self._content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _mapped(error) from error

    def close(self) -> None:
        """Keep the connection if the request is out and the body read to its end, else drop it.

        What a server that replied early left of a request would go before the next one.
        """
        transport = self._connection.transport
        if self._content.at_eof() and not (transport and transport.get_write_buffer_size()):
            self._connection.release()
        else:
            _drop(self._connection)


class Pool:
    """HTTP/1.1 with as many connections as calls are in flight; the caller bounds those.

    No redirects, no cookies, no decompression, no limit on the time of a whole call: all that is
    the caller's. After the machine slept, connections from before are not used again.
    """

    def __init__(
        self, *, connect_s: float, keepalive_s: float, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_s)
        self._keepalive_s = keepalive_s
        self._wall_clock = wall_clock
        self._drift = wall_clock() - time.monotonic()
        self._connectors: list[_Connector] = []
        self._targets: dict[str, _Target] = {}
        self._ssl: ssl.SSLContext | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Arriving:
        """Send a request; return when the head of its reply is there.

        Raises:
            httpx.ConnectError: nothing was sent. httpx.ConnectTimeout: nor here.
            httpx.TransportError: the connection was lost afterwards.
        """
        try:
            target = self._target(url, headers)
            connection = await self._connector(target).connect(target.request, [], self._timeout)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ConnectError(str(_mapped(error))) from error
        try:
            return await _exchange(connection, target.request_with(body))
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            _drop(connection)
            raise _mapped(error) from error
        except BaseException:
            _drop(connection)
            raise

    def _target(self, url: str, headers: Mapping[str, str]) -> _Target:
        target = self._targets.get(url)
        if target is None or target.headers != headers:
            target = self._targets[url] = _Target(URL(url, encoded=True), headers)
        return target

    def _connector(self, target: _Target) -> _Connector:
        drift = self._wall_clock() - time.monotonic()
        slept, self._drift = drift - self._drift > SLEEP_S, drift
        if slept or not self._connectors:
            # The one before stays open for the calls that it has under way.
            if self._ssl is None and target.request.is_ssl():
                self._ssl = ssl.create_default_context(cafile=certifi.where())
            self._connectors.append(
                _Connector(limit=0, keepalive_timeout=self._keepalive_s, ssl=self._ssl or True)
            )
        return self._connectors[-1]

    async def aclose(self) -> None:
        """Close every connection."""
        connectors, self._connectors = self._connectors, []
        for connector in connectors:
            await connector.close()


class _Target:
    """Where requests go, and all of them but the body: the same for call after call.

    Raises:
        httpx.ConnectError: there is no way to this address.
    """

    def __init__(self, url: URL, headers: Mapping[str, str]) -> None:
        self.headers = dict(headers)
        # For the connector, which reads off it whom to connect with; it is never sent.
        self.request = aiohttp.ClientRequest(
            hdrs.METH_POST,
            url,
            headers=headers,
            proxy=_proxy_for(url),
            loop=asyncio.get_running_loop(),
        )
        self._head = b""

    def request_with(self, body: bytes) -> bytes:
        """The bytes to send over a connection, which may have added the proxy's credentials."""
        if not self._head:
            self._head = _head_of(self.request)
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)


def _head_of(request: aiohttp.ClientRequest) -> bytes:
    """The head up to the number of bytes in the body, which is its last field."""
    url = request.url
    # A proxy that passes plain HTTP on is told the whole address.
    through = request.proxy is not None and not request.is_ssl()
    lines = [f"POST {url.with_user(None) if through else url.raw_path_qs} HTTP/1.1"]
    for name, value in request.headers.items():
        if name.lower() != "content-length":
            lines.append(f"{name}: {value}")
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "Content-Length: "]).encode()


async def _exchange(connection: Connection, request: bytes) -> Arriving:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise httpx.ConnectError("the connection was closed before anything was sent")
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
    )
    protocol.transport.write(request)
    while True:
        head, content = await protocol.read()
        if not 100 <= head.code < 200 or head.code == HTTPStatus.SWITCHING_PROTOCOLS:
            return Arriving(connection, head, content)


class _Connector(aiohttp.TCPConnector):
    """Drops an idle connection on which something came that nobody asked for.

    aiohttp would take it for the reply to the next request, and each reply on that connection
    for that of the one before: answers to other questions.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._seen: WeakSet[ResponseHandler] = WeakSet()

    async def connect(self, *request: Any, **named: Any) -> Connection:
        while True:
            connection = await super().connect(*request, **named)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._seen:
                self._seen.add(protocol)
                return connection
            if not protocol.should_close and _is_silent(connection.transport):
                return connection
            _drop(connection)


def _is_silent(transport: asyncio.Transport | None) -> bool:
    """Whether nothing waits to be read, not even the end: a busy loop has not looked yet."""
    if transport is None or transport.is_closing():
        return False
    descriptor = transport.get_extra_info("socket").fileno()
    if sys.platform == "win32":
        return not select.select([descriptor], [], [], 0)[0]
    waiting = select.poll()  # `select` knows no descriptor above 1,023
    waiting.register(descriptor, select.POLLIN)
    return not waiting.poll(0)


def _drop(connection: Connection) -> None:
    """Close a connection now; what is not sent of a request would hold it open."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()


def _mapped(error: Exception) -> httpx.TransportError:
    """The httpx error that says the same. Unknown ones count as lost after sending."""
    match error:
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or error.os_error
            return httpx.ConnectError(f"cannot connect to {error.host}:{error.port}: {reason}")
        case aiohttp.ClientHttpProxyError():
            return httpx.ConnectError(f"the proxy refused: {error.status} {error.message}")
        case aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError("the reply broke off")
        case HttpProcessingError() | aiohttp.ClientResponseError():
            # What follows quotes the server's bytes, cut: half a key is no longer one.
            what = re.split("[:'\"]", error.message)[0].strip()
            return httpx.RemoteProtocolError(f"the reply is no proper HTTP: {what}")
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError("the server closed the connection without a reply")
        case _:
            return httpx.ReadError(str(error))


def _proxy_for(url: URL) -> URL | None:
    """The proxy that the environment names for this host, as every HTTP tool reads it."""
    if proxy_bypass(url.host or ""):
        return None
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named:
        return None
    try:
        proxy = URL(named if "://" in named else f"http://{named}")
        (proxy.host or "").encode("idna")  # as whoever looks the name up
    except ValueError:  # whose text may quote the password
        raise httpx.ConnectError("the environment names a proxy that is no address") from None
    if proxy.scheme not in ("http", "https"):
        raise httpx.ConnectError(
            f"the environment names a {proxy.scheme} proxy, and only HTTP proxies are spoken to"
        )
    return proxy
