"""Single requests of any method: each is sent once, and what is not known afterwards is said so.

Batches are made, watched and fetched by it. Nothing here tries anything again: a request that may
have been heard must not be repeated unseen.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

import httpx

from rmjudge.addresses import origin
from rmjudge.providers.sending.lanes import Arriving, Lanes
from rmjudge.providers.sending.messages import FinalForRun, RawReply
from rmjudge.providers.sending.network import Network
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.reading import ReplyReader
from rmjudge.providers.sending.redaction import Secret

Verb: TypeAlias = Literal["GET", "POST", "DELETE"]
ERROR_BYTES: Final = 2**16
"""Of a refusal's body in place of a file."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `path` is below the base URL, or a whole address of the same origin."""

    verb: Verb
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class UnsentError(Exception):
    """The endpoint heard nothing of the request."""


class LostError(Exception):
    """The request may have been heard, and no whole reply came."""


class Exchange:
    """Sends requests to one endpoint, with its key.

    Replies are returned as they came: `reader` has what may be shown or kept of them.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secret: Secret | None,
        policy: Policy,
        network: Network | None,
    ) -> None:
        network = network or Network()
        self._base = base_url
        self._policy = policy
        secrets = (*([secret] if secret else []), *network.headers.values())
        self.reader = ReplyReader(policy, secrets)
        self._headers = {
            "accept-encoding": "identity",
            # Some vendors turn the names of Python's HTTP clients away.
            "user-agent": "rmjudge",
            **headers,
            **{name: value.reveal() for name, value in network.headers.items()},
        }
        self._lanes = Lanes(
            connect_s=min(policy.connect_s, policy.deadline_s),
            keepalive_s=policy.keepalive_s,
            identity=network.identity,
            transport=network.transport,
        )

    async def ask(self, ask: Ask) -> RawReply:
        """Send a request, and return its reply, whatever its status.

        Raises:
            UnsentError: nothing was sent. LostError: it may have been heard.
        """

        async def read(reply: Arriving) -> bytes:
            body = bytearray()
            async for chunk in reply.chunks():
                body += chunk
                if len(body) > self._policy.body_limit:
                    raise LostError(f"the reply is over {self._policy.body_limit} bytes")
            return bytes(body)

        return await self._send(ask, read)

    async def download(self, ask: Ask, file: Path) -> RawReply:
        """Write a reply's body to a file, which is there whole, synced, or not at all.

        The reply is returned without it; the body of a refusal is in the reply.

        Raises:
            UnsentError, LostError: the connection failed; OSError: the file cannot be written.
        """
        draft = file.with_name(f"{file.name}.part")

        async def write(reply: Arriving) -> bytes:
            if reply.status != 200:
                body = bytearray()
                async for chunk in reply.chunks():
                    body += chunk
                    if len(body) > ERROR_BYTES:
                        break
                return bytes(body[:ERROR_BYTES])
            descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                async for chunk in reply.chunks():
                    out.write(chunk)
                out.flush()
                await asyncio.to_thread(os.fsync, out.fileno())
            draft.replace(file)
            _sync_folder(file.parent)
            return b""

        try:
            return await self._send(ask, write)
        finally:
            draft.unlink(missing_ok=True)

    async def _send(self, ask: Ask, read: Callable[[Arriving], Awaitable[bytes]]) -> RawReply:
        url = self._url(ask.path)
        try:
            async with asyncio.timeout(self._policy.deadline_s):
                headers = {**self._headers, **ask.headers}
                reply = await self._lanes.send(ask.verb, url, headers, ask.body)
                try:
                    body = await read(reply)
                finally:
                    await reply.aclose()
        except FinalForRun as error:
            raise UnsentError(self.reader.clean(error.message)) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise UnsentError(self.reader.clean(f"cannot be reached: {error}")) from None
        except (TimeoutError, httpx.TransportError) as error:
            raise LostError(self.reader.clean(str(error)) or type(error).__name__) from None
        return RawReply(reply.status, reply.headers, body)

    def _url(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            if origin(path) != origin(self._base):
                shown = self.reader.clean(path)[:100]
                raise UnsentError(f"the vendor names an address of another host: {shown}")
            return path
        base, mark, query = self._base.partition("?")
        if mark and "?" in path:
            mark = "&"
        return base.rstrip("/") + path + mark + query

    async def aclose(self) -> None:
        """Close every connection."""
        await self._lanes.aclose()


def _sync_folder(folder: Path) -> None:
    """Have a new name in a folder outlive a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
