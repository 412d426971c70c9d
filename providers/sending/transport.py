"""Bytes over HTTP: a cap on every body, own decompression, no redirects, no cookies.

httpx's client layer (redirects, cookies, proxies from the environment) is left out on purpose:
this is a transport, a request and a reply.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

import httpx

from rmjudge.providers.sending.messages import MalformedBodyError, RawReply
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.pool import PooledTransport

_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BodyTooLargeError(MalformedBodyError):
    """A reply over the cap, compressed or not."""


class Wire:
    """Posts bytes to one endpoint."""

    def __init__(self, policy: Policy) -> None:
        self._limit = policy.body_limit
        self._transport: httpx.AsyncBaseTransport = PooledTransport(
            connect_s=min(policy.connect_s, policy.deadline_s), keepalive_s=policy.keepalive_s
        )

    async def post(self, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> RawReply:
        """Send one request and read its reply.

        Raises:
            httpx.TransportError: the connection failed.
            MalformedBodyError: the body is over the cap or does not decompress.
        """
        request = httpx.Request("POST", url, headers=dict(headers), stream=httpx.ByteStream(body))
        response = await self._transport.handle_async_request(request)
        try:
            data = await self._read(response)
        except MalformedBodyError:
            if response.is_success:
                raise
            data = b""  # an error's status says enough
        finally:
            await response.stream.aclose()
        return RawReply(response.status_code, dict(response.headers), data)

    async def _read(self, response: httpx.Response) -> bytes:
        coding = response.headers.get("content-encoding", "").strip().lower()
        inflate = None
        if coding in _WINDOW_BITS:
            inflate = zlib.decompressobj(_WINDOW_BITS[coding])
        elif coding not in ("", "identity"):
            raise MalformedBodyError(f"content-encoding {coding[:40]!r} was not asked for")
        limit, chunks, size = self._limit, [], 0
        async for chunk in response.stream:
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
        await self._transport.aclose()
