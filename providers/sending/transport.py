"""Bytes over HTTP: a cap on every body, own decompression, no redirects, no cookies.

httpx's client layer (redirects, cookies, proxies from the environment) is left out on purpose:
this is a transport, a request and a reply.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Mapping
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

    async def post(self, url: httpx.URL, headers: httpx.Headers, body: bytes) -> RawReply:
        """Send one request and read its reply.

        Raises:
            httpx.TransportError: the connection failed.
            MalformedBodyError: the body is over the cap or does not decompress.
        """
        request = httpx.Request("POST", url, headers=headers, stream=httpx.ByteStream(body))
        response = await self._transport.handle_async_request(request)
        told = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("an async transport gives an async body")
        try:
            data = await self._read(stream, told)
        except MalformedBodyError:
            if response.is_success:
                raise
            data = b""  # an error's status says enough
        finally:
            await stream.aclose()
        return RawReply(response.status_code, told, data)

    async def _read(self, stream: AsyncIterable[bytes], headers: Mapping[str, str]) -> bytes:
        coding = headers.get("content-encoding", "").strip().lower()
        inflate = None
        if coding in _WINDOW_BITS:
            inflate = zlib.decompressobj(_WINDOW_BITS[coding])
        elif coding not in ("", "identity"):
            raise MalformedBodyError(f"content-encoding {coding[:40]!r} was not asked for")
        chunks: list[bytes] = []
        size = 0
        async for chunk in stream:
            if inflate is not None:
                try:
                    chunk = inflate.decompress(chunk, self._limit + 1)  # noqa: PLW2901
                except zlib.error as error:
                    raise MalformedBodyError(f"the body does not decompress: {error}") from error
            size += len(chunk)
            if size > self._limit:
                raise BodyTooLargeError(f"the body is over {self._limit} bytes")
            chunks.append(chunk)
        if inflate is not None and not inflate.eof:
            raise MalformedBodyError("the compressed body ends early")
        return b"".join(chunks)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()
