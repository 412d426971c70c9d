"""Bytes over HTTP: one connection a lane, a cap on every body, no redirects, no cookies.

httpx's shared pool scans every connection on every event, which costs ten times as much at
64 calls in flight. So each lane owns a transport with one connection, and a call takes the
lane that was used last. The client layer above the transport (redirects, cookies,
proxies from the environment) is left out on purpose.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx

from rmjudge.providers.sending.messages import MalformedBodyError, RawReply
from rmjudge.providers.sending.policy import Policy

_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BodyTooLargeError(MalformedBodyError):
    """A reply over the cap, compressed or not."""


class Lanes:
    """A stack of single-connection transports; as many as calls were ever in flight."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._ssl: ssl.SSLContext | None = None

    async def post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> RawReply:
        """Send one request and read its reply.

        Raises:
            httpx.TransportError: the connection failed.
            MalformedBodyError: the body is over the cap or does not decompress.
        """
        lane = self._idle.pop() if self._idle else self._new(url)
        try:
            request = httpx.Request(
                "POST", url, headers=dict(headers), content=body, extensions=self._timeouts()
            )
            response = await lane.handle_async_request(request)
            try:
                data = await self._read(response)
            except MalformedBodyError:
                if response.is_success:
                    raise
                data = b""  # an error's status says enough
            finally:
                await response.aclose()
            return RawReply(response.status_code, _lower(response.headers), data)
        finally:
            self._idle.append(lane)

    def _new(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        if self._ssl is None and url.scheme == "https":
            self._ssl = ssl.create_default_context(cafile=certifi.where())
        lane = httpx.AsyncHTTPTransport(
            verify=self._ssl or False,  # http only: making a context takes 20 ms a lane
            proxy=_proxy_for(url),
            limits=httpx.Limits(
                max_connections=1,
                max_keepalive_connections=1,
                keepalive_expiry=self._policy.keepalive_s,
            ),
        )
        self._all.append(lane)
        return lane

    def _timeouts(self) -> dict[str, dict[str, float]]:
        limit = self._policy.deadline_s
        connect = min(self._policy.connect_s, limit)
        return {"timeout": {"connect": connect, "read": limit, "write": limit, "pool": limit}}

    async def _read(self, response: httpx.Response) -> bytes:
        coding = response.headers.get("content-encoding", "").strip().lower()
        inflate = None
        if coding in _WINDOW_BITS:
            inflate = zlib.decompressobj(_WINDOW_BITS[coding])
        elif coding not in ("", "identity"):
            raise MalformedBodyError(f"content-encoding {coding[:40]!r} was not asked for")
        limit, chunks, size = self._policy.body_limit, [], 0
        async for chunk in response.aiter_raw():
            if inflate is not None:
                try:
                    chunk = inflate.decompress(chunk, limit + 1)  # noqa: PLW2901
                except zlib.error as error:
                    raise MalformedBodyError(f"the body does not decompress: {error}") from error
            size += len(chunk)
            if size > limit:
                raise BodyTooLargeError(f"the body is over {limit} bytes")
            chunks.append(chunk)
        if inflate is not None and not inflate.eof:
            raise MalformedBodyError("the compressed body ends early")
        return b"".join(chunks)

    async def aclose(self) -> None:
        """Close every connection."""
        lanes, self._all, self._idle = self._all, [], []
        for lane in lanes:
            await lane.aclose()


def _proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for this host, as every HTTP tool reads it."""
    if proxy_bypass(url.host):
        return None
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
