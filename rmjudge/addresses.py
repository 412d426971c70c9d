"""Addresses of endpoints: which are one, and where a key may go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from rmjudge.calls import Json

LOOPBACK: Final = "127.0.0.1"
SPELLINGS: Final = (LOOPBACK, "localhost", "[::1]")
"""Of this machine; the first is the one of the keys."""
_PORTS: Final = {"http": 80, "https": 443}
_KEY_LIKE: Final = re.compile(
    r"(?i)(^|[-_.])(api-?key|key|token|secret|password|sig(nature)?)$|code$"
)


def is_loopback(host: str) -> bool:
    """Whether a host's name is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address: what a key is for."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return parts.scheme, LOOPBACK if is_loopback(host) else host, port


def canonical(url: str) -> str:
    """The one spelling of an address in keys of the cache: `localhost` is 127.0.0.1."""
    parts = urlsplit(url)
    scheme, host, port = origin(url)
    if host != LOOPBACK:
        return url.rstrip("/")
    return _at(parts, host, port, scheme)


def _at(parts: SplitResult, host: str, port: int, scheme: str) -> str:
    place = host if port == _PORTS.get(scheme) else f"{host}:{port}"
    return parts._replace(netloc=place).geturl().rstrip("/")


def spellings(identity: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The identities of one scorer under all spellings of its address, the one of today first.

    Older versions kept answers under the address as it was written.
    """
    url = identity.get("url")
    if not isinstance(url, str):
        yield identity
        return
    scheme, host, port = origin(url)
    urls = [canonical(url), url]
    if host == LOOPBACK:
        urls += [_at(urlsplit(url), spelled, port, scheme) for spelled in SPELLINGS]
    for spelled in dict.fromkeys(urls):
        yield {**identity, "url": spelled}


def check_url(url: str) -> str:
    """Return an http(s) address without a trailing slash; a query stays, as `?api-version=...`.

    Raises:
        UsageError: it is none, or it carries a user, a password, a fragment or a key.
    """
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
        if " " in url or not url.isprintable():  # urlsplit drops line breaks, httpx refuses them
            port_is_fine = False
        (parts.hostname or "").encode("idna")  # as whoever looks the name up
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise UsageError(f"{url!r} is no http:// or https:// address")
    secret = parts.username or parts.password or "#" in url or url.endswith("?")
    if secret or any(_KEY_LIKE.search(name) for name, _ in parse_qsl(parts.query, True)):
        raise UsageError(
            "an endpoint's address carries no user, password, key or fragment, since runs keep "
            "it; keys go into environment variables, others into --header NAME=env:VARIABLE"
        )
    base, mark, query = url.partition("?")
    return base.rstrip("/") + (mark + query if query else "")


def sends_in_clear(url: str) -> bool:
    """Whether texts and keys would cross a network unencrypted."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
