"""The proxies that the environment names: httpx reads and uses them, here they are checked."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Final
from urllib.request import getproxies

import httpx

from rmjudge.providers.sending.messages import FinalForRun

PROXY_VARIABLES: Final = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"


def check_proxies() -> None:
    """See that httpx can use what the environment names; it would say less, or a password.

    Raises:
        FinalForRun: a proxy is no address, or it speaks SOCKS and the package is missing.
    """
    named = getproxies()
    if "*" in named.get("no", "").split(","):
        return
    for scheme in ("http", "https", "all"):
        text = named.get(scheme)
        if text and not _is_address(text if "://" in text else f"http://{text}"):
            raise FinalForRun(
                "proxy",
                f"the environment names a proxy that is no address ({PROXY_VARIABLES}): write "
                "http://user:password@host:port or socks5://host:port",
            )
        if text and text.startswith("socks") and not find_spec("socksio"):
            raise FinalForRun(
                "proxy",
                f"the environment names a SOCKS proxy ({PROXY_VARIABLES}), and the package that "
                "speaks SOCKS is missing: pip install 'rmjudge[socks]'",
            )


def _is_address(text: str) -> bool:
    try:
        url = httpx.Proxy(text).url
        url.host.encode("idna")  # as whoever looks the name up
    except (ValueError, httpx.InvalidURL):
        return False
    return bool(re.fullmatch(rb"[\w.:-]+", url.raw_host)) and (url.port or 1) < 2**16
