"""httpx with one connection a call: a stack of lanes, each an `httpx.AsyncClient` of its own.

One client with many connections looks at all of them at every event: at 64 calls in flight that
costs more than the calls themselves. A lane has one connection. A call takes the lane that came
back last, and a lane that failed is closed and thrown away. Which proxy stands between is read
from the environment by httpx, and by httpx alone.

What a failure says about money: a request whose body nobody has begun to read was not sent, so
its failure is an `httpx.ConnectError` or an `httpx.ConnectTimeout`; no other failure is one.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from http.cookiejar import CookieJar
from typing import Any, Final

import httpcore
import httpx

from rmjudge.providers.sending.breaks import LOST, what_broke
from rmjudge.providers.sending.network import Identity
from rmjudge.providers.sending.proxies import check_proxies
from rmjudge.providers.sending.tls import trust

SLEEP_S: Final = 5.0
"""The wall clock ran ahead of the monotonic one by this much: the machine was asleep."""
PIECE: Final = 2**16
"""Bytes of a body that are sent without a look at whether the reply is there already."""
LOOK_S: Final = 0.01
_ONE: Final = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)


class Lanes:
    """As many connections as calls are in flight; the caller bounds those.

    No redirects, no cookies, no decompression, no limit on the time of a whole call: all that is
    the caller's. After the machine slept, connections from before are not used again.
    `transport` is the user's own: then all calls go through it, and it stays the user's to close.
    """

    def __init__(
        self,
        *,
        connect_s: float,
        keepalive_s: float,
        identity: Identity | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect_s = connect_s
        self._keepalive_s = keepalive_s
        self._identity = identity
        self._own = None if transport is None else _OwnLane(_client(transport=transport))
        self._wall_clock = wall_clock
        self._drift = wall_clock() - time.monotonic()
        self._wakes = 0
        self._idle: deque[Lane] = deque()
        self._addresses: dict[str, httpx.URL] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Arriving:
        """Send a POST; see `send`."""
        return await self.send("POST", url, headers, body)

    async def send(self, verb: str, url: str, headers: Mapping[str, str], body: bytes) -> Arriving:
        """Send a request; return when the head of its reply is there.

        Raises:
            FinalForRun: no call will get through: a certificate, a proxy.
            httpx.ConnectError: nothing was sent. httpx.ConnectTimeout: nor here.
            httpx.TransportError: the connection was lost afterwards.
        """
        address = self._address(url)
        lane = self._own or await self._lane(address)
        limit = asyncio.timeout(None if lane.opened or self._own else self._connect_s)
        content = _Body(body, lane, limit)
        request = httpx.Request(
            verb,
            address,
            headers=headers,
            stream=content,
            extensions=lane.extensions,
        )
        request.headers.setdefault("host", address.netloc.decode("ascii"))
        request.headers["content-length"] = str(len(body))
        try:
            async with limit:
                response = await lane.client.send(request, stream=True)
        except BaseException as error:
            await lane.aclose()
            if isinstance(error, TimeoutError) and not content.begun:
                raise httpx.ConnectTimeout("no connection in time") from None
            if isinstance(error, LOST):
                raise what_broke(error, address, lane.dialled, sent=content.begun) from error
            raise
        if lane.used and not content.is_awaited:
            # It lay behind the last reply, in one piece with it, and answers nothing.
            await lane.aclose()
            raise httpx.RemoteProtocolError("a reply was there before it was asked for")
        return Arriving(self, lane, response, address)

    def _address(self, url: str) -> httpx.URL:
        address = self._addresses.get(url)
        if address is None:
            address = self._addresses[url] = httpx.URL(url)
        if not address.host:
            raise httpx.ConnectError("the address names no host")
        return address

    async def _lane(self, address: httpx.URL) -> Lane:
        drift = self._wall_clock() - time.monotonic()
        slept, self._drift = drift - self._drift > SLEEP_S, drift
        self._wakes += slept
        while self._idle:
            lane = self._idle.pop()
            if self._may_be_used(lane) and lane.is_silent():
                return lane
            await lane.aclose()
        check_proxies()
        # httpx makes no context where it is handed one; plain HTTP needs none of ours.
        context = trust(self._identity) if address.scheme == "https" else _PLAIN
        return Lane(_client(verify=context, limits=_ONE), self._wakes)

    def _may_be_used(self, lane: Lane) -> bool:
        young = time.monotonic() - lane.idle_since < self._keepalive_s
        return young and lane.wakes == self._wakes

    async def back(self, lane: Lane) -> None:
        """Take a lane whose call is over; those that lay idle for too long are closed."""
        if lane is self._own:
            return
        lane.used = True
        lane.idle_since = time.monotonic()
        self._idle.append(lane)
        while not self._may_be_used(self._idle[0]):
            await self._idle.popleft().aclose()
            if not self._idle:
                break

    async def aclose(self) -> None:
        """Close every connection that is idle."""
        while self._idle:
            await self._idle.pop().aclose()


class Lane:
    """One client with one connection, and what httpcore tells of that connection."""

    def __init__(self, client: httpx.AsyncClient, wakes: int) -> None:
        self.client = client
        self.wakes = wakes
        self.idle_since = 0.0
        self.used = False
        """Whether it has carried a call to its end."""
        self.dialled: tuple[str, int] | None = None
        """Whom the connection was made with: the server or a proxy."""
        self._stream: httpcore.AsyncNetworkStream | None = None
        self._socket: socket.socket | None = None

    @property
    def opened(self) -> bool:
        """Whether there is a connection."""
        return self._stream is not None

    @property
    def extensions(self) -> dict[str, Any]:
        """What a request says to httpcore: to report how its connection comes about."""
        return {} if self.used else {"trace": self._heard}

    async def _heard(self, event: str, info: Mapping[str, Any]) -> None:
        # The events and their names: https://www.encode.io/httpcore/extensions/#trace
        if event.endswith("connect_tcp.started"):
            self.dialled = info["host"], info["port"]
        elif event.endswith(("connect_tcp.complete", "start_tls.complete")):
            stream: httpcore.AsyncNetworkStream = info["return_value"]
            self._stream, self._socket = stream, stream.get_extra_info("socket")

    def is_silent(self) -> bool:
        """Whether nothing waits to be read, not even the end: a busy loop has not looked yet."""
        here = self._socket
        return here is not None and here.fileno() >= 0 and not _ready(here)[0]

    def plain_socket(self) -> socket.socket | None:
        """The socket, where what arrives on it is the reply and no part of TLS's own talk."""
        if self._stream is None or self._stream.get_extra_info("ssl_object") is not None:
            return None
        return self._socket

    async def aclose(self) -> None:
        """Close the connection now."""
        await self.client.aclose()
        if self._stream is not None:  # httpcore forgets one whose handshake was cancelled
            await self._stream.aclose()


class _OwnLane(Lane):
    """The user's own transport, which may carry many calls at once."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__(client, wakes=0)

    @property
    def extensions(self) -> dict[str, Any]:
        """Nothing: its connections are its own matter."""
        return {}

    async def aclose(self) -> None:
        """Nothing: it is the user's."""


class _Body(httpx.AsyncByteStream):
    """A request's body, which knows whether it was begun, and stops for a reply that is early.

    A server may refuse a long request before it has read it, and read no more. `is_awaited` is
    true as soon as the loop has turned after the end: a reply that came sooner was there before.
    """

    def __init__(self, body: bytes, lane: Lane, limit: asyncio.Timeout) -> None:
        self._body = body
        self._lane = lane
        self._limit = limit
        self.begun = False
        self.is_awaited = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        self._limit.reschedule(None)  # connected: from here on the caller's deadline counts
        try:
            yield self._body[:PIECE]
            if len(self._body) > PIECE:
                connection = self._lane.plain_socket()
                for start in range(PIECE, len(self._body), PIECE):
                    if connection is not None:
                        await _until_writable(connection)
                    yield self._body[start : start + PIECE]
        finally:
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.is_awaited = True


async def _until_writable(connection: socket.socket) -> None:
    """Return when more can be sent.

    Raises:
        httpcore.WriteError: the reply is there; httpcore reads it, then closes the connection.
    """
    while connection.fileno() >= 0:
        readable, writable = _ready(connection)
        if readable:
            raise httpcore.WriteError("the reply came before the request was out")
        if writable:
            return
        await asyncio.sleep(LOOK_S)


def _ready(connection: socket.socket) -> tuple[bool, bool]:
    if not hasattr(select, "poll"):  # Windows
        readable, writable, _ = select.select([connection], [connection], [], 0)
        return bool(readable), bool(writable)
    look = select.poll()  # `select` knows no descriptor above 1,023
    look.register(connection, select.POLLIN | select.POLLOUT)
    events = sum(event for _, event in look.poll(0))
    return bool(events & select.POLLIN), bool(events & ~select.POLLIN)


class Arriving:
    """A reply whose head is there: status, header names in lower case, and a body to come."""

    def __init__(
        self, lanes: Lanes, lane: Lane, response: httpx.Response, address: httpx.URL
    ) -> None:
        self._lanes = lanes
        self._lane = lane
        self._response = response
        self._address = address
        self.status = response.status_code
        self.headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        if "location" in response.extensions:
            self.headers["location"] = response.extensions["location"]
        if response.is_stream_consumed:  # by the user's own transport, which decompressed it
            self.headers.pop("content-encoding", None)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes.

        Raises:
            httpx.TransportError: the connection was lost.
        """
        if self._response.is_stream_consumed:
            yield self._response.content
            return
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except LOST as error:
            raise what_broke(error, self._address, self._lane.dialled, sent=True) from error

    async def aclose(self) -> None:
        """Keep the connection if it can carry another call, else close it."""
        whole = self._response.is_stream_consumed and self._response.is_closed
        await self._response.aclose()
        if whole:
            await self._lanes.back(self._lane)
        else:
            await self._lane.aclose()


class _NoCookies(CookieJar):
    """Keeps none: cookies are never sent back, and reading them costs at every reply."""

    def extract_cookies(self, *_: object) -> None:
        """Do nothing."""


_PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; for addresses without TLS."""


def _client(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=None,  # noqa: S113 - the caller's
        cookies=_NoCookies(),
        event_hooks={"response": [_lay_redirect_aside]},
        **options,
    )


async def _lay_redirect_aside(response: httpx.Response) -> None:
    """Keep where a redirect points from httpx, which does not follow but fails on nonsense."""
    if response.has_redirect_location:
        response.extensions["location"] = response.headers.pop("location")
