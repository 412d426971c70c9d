"""aiohttp's connection pool, with httpx's words for addresses and errors.

httpx's own pool scans every connection on every event: at 64 calls in flight it costs ten times
as much as one connection a worker, and that still three times as much as aiohttp
(docs/performance.md). Errors are mapped so that they tell what may have been billed: whatever
fails before the request is sent is a `ConnectError` or a `ConnectTimeout`, and nothing else is.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi
import httpx
from yarl import URL

if TYPE_CHECKING:
    from aiohttp.connector import Connection

HEADER_LIMIT: Final = 2**16
"""Bytes of one header; at aiohttp's 8 KiB a reply that was paid for may be lost for its cookies."""
SLEEP_S: Final = 5.0
"""The wall clock ran ahead of the monotonic one by this much: the machine was asleep."""


class Arriving:
    """A reply whose head is there: status, header names in lower case, and a body to come."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply
        self.status = reply.status
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in reply.raw_headers
        }

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            httpx.TransportError: the connection was lost.
        """
        try:
            async for chunk in self._reply.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _mapped(error) from error

    def close(self) -> None:
        """Keep the connection if the body was read to its end, else close it."""
        if self._reply.content.at_eof():
            self._reply.release()
        else:
            self._reply.close()


class Pool:
    """HTTP/1.1 with as many connections as calls are in flight; the caller bounds those.

    No redirects, no cookies, no decompression, no limit on the time of a whole call: all that is
    the caller's. After the machine slept, connections from before are not used again.
    """

    def __init__(
        self, *, connect_s: float, keepalive_s: float, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._connect_s = connect_s
        self._keepalive_s = keepalive_s
        self._wall_clock = wall_clock
        self._drift = wall_clock() - time.monotonic()
        self._sessions: list[aiohttp.ClientSession] = []
        self._targets: dict[str, tuple[URL, URL | None]] = {}
        self._ssl: ssl.SSLContext | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Arriving:
        """Send a request; return when the head of its reply is there.

        Raises:
            httpx.ConnectError: nothing was sent. httpx.ConnectTimeout: nor here.
            httpx.TransportError: the connection was lost afterwards.
        """
        target, proxy = self._target(url)
        try:
            reply = await self._session(target).post(
                target, headers=headers, data=body, allow_redirects=False, proxy=proxy
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _mapped(error) from error
        return Arriving(reply)

    def _session(self, url: URL) -> aiohttp.ClientSession:
        drift = self._wall_clock() - time.monotonic()
        slept, self._drift = drift - self._drift > SLEEP_S, drift
        if slept or not self._sessions:
            # The one before stays open for the calls that it has under way.
            self._sessions.append(self._new(url))
        return self._sessions[-1]

    def _new(self, url: URL) -> aiohttp.ClientSession:
        if self._ssl is None and url.scheme == "https":
            self._ssl = ssl.create_default_context(cafile=certifi.where())
        return aiohttp.ClientSession(
            connector=_Connector(
                limit=0, keepalive_timeout=self._keepalive_s, ssl=self._ssl or True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_s),
            auto_decompress=False,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
        )

    def _target(self, url: str) -> tuple[URL, URL | None]:
        target = self._targets.get(url)
        if target is None:
            parsed = URL(url, encoded=True)
            target = self._targets[url] = parsed, _proxy_for(parsed)
        return target

    async def aclose(self) -> None:
        """Close every connection."""
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            await session.close()


class _Connector(aiohttp.TCPConnector):
    """Closes an idle connection on which something came that nobody asked for.

    aiohttp would take it for the reply to the next request, and each reply on that connection
    for that of the one before: answers to other questions.
    """

    async def connect(self, *request: Any, **named: Any) -> Connection:
        while True:
            connection = await super().connect(*request, **named)
            protocol = connection.protocol
            if protocol is None or not protocol.should_close:
                return connection
            connection.close()


def _mapped(error: Exception) -> httpx.TransportError:
    """The httpx error that says the same. Unknown ones count as lost after sending."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout("no connection in time")
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or error.os_error
            return httpx.ConnectError(f"cannot connect to {error.host}:{error.port}: {reason}")
        case aiohttp.ClientHttpProxyError():
            return httpx.ConnectError(f"the proxy refused: {error.status} {error.message}")
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return httpx.RemoteProtocolError(_what_is_wrong(error))
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError("the server closed the connection without a reply")
        case _:
            return httpx.ReadError(str(error))


def _what_is_wrong(error: aiohttp.ClientPayloadError | aiohttp.ClientResponseError) -> str:
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the reply broke off"
    # What follows the colon quotes the server's bytes, cut: half a key is no longer one.
    return f"the reply is no proper HTTP: {error.message.partition(':')[0]}"


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
