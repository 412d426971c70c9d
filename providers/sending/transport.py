"""Bytes over HTTP: a cap on every body, own decompression."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Mapping
from typing import Final

from rmjudge.providers.sending.lanes import Lanes
from rmjudge.providers.sending.messages import MalformedBodyError, RawReply
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.policy import Policy

_WINDOW_BITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BodyTooLargeError(MalformedBodyError):
    """A reply over the cap, compressed or not."""


class Wire:
    """Posts bytes to one endpoint."""

    def __init__(self, policy: Policy, network: Network) -> None:
        self._limit = policy.body_limit
        self._lanes = Lanes(
            connect_s=min(policy.connect_s, policy.deadline_s),
            keepalive_s=policy.keepalive_s,
            identity=network.identity,
            transport=network.transport,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> RawReply:
        """Send one request and read its reply.

        Raises:
            FinalForRun: no call will get through. httpx.TransportError: the connection failed.
            MalformedBodyError: the body is over the cap or does not decompress.
        """
        reply = await self._lanes.post(url, headers, body)
        try:
            data = await self._read(reply.chunks(), reply.headers)
        except MalformedBodyError:
            if 200 <= reply.status < 300:
                raise
            data = b""  # an error's status says enough
        finally:
            await reply.aclose()
        return RawReply(reply.status, reply.headers, data)

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
        await self._lanes.aclose()
