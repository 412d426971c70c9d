"""What broke between here and the server, said so that somebody can put it right.

An error keeps its class where that tells about money: `httpx.ConnectError` and
`httpx.ConnectTimeout` cost nothing. What no further attempt can mend is `FinalForRun`.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

from rmjudge.providers.sending.messages import FinalForRun
from rmjudge.providers.sending.proxies import PROXY_VARIABLES

_REFUSED_CERTIFICATE: Final = (
    "CERTIFICATE_REQUIRED",
    "HANDSHAKE_FAILURE",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "UNSUPPORTED_CERTIFICATE",
)


LOST: Final = (httpx.TransportError, OSError)
"""What httpx raises; errors of TLS after the handshake come through it as they are."""


def what_broke(
    error: Exception,
    address: httpx.URL,
    dialled: tuple[str, int] | None,
    *,
    sent: bool,
) -> httpx.TransportError | FinalForRun:
    """The error to raise; `dialled` is whom the connection was made with, `sent` the request."""
    server = address.host, address.port or (443 if address.scheme == "https" else 80)
    where, through = _name(*(dialled or server)), dialled not in (None, server)
    final = _of_tls(error, _name(*server), address.host) or _of_proxy(error, where)
    if final is not None:
        return final
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)) or not sent:
        return _unpaid(error, _the_proxy(where) if through else where)
    if isinstance(error, httpx.RemoteProtocolError):
        return httpx.RemoteProtocolError(_protocol(error))
    reason = _reason(error)
    return httpx.ReadError(f"the server closed the connection{f': {reason}' if reason else ''}")


def _unpaid(error: Exception, whom: str) -> httpx.TransportError:
    if isinstance(error, httpx.TimeoutException):
        return httpx.ConnectTimeout(f"no connection with {whom} in time")
    if isinstance(error, httpx.RemoteProtocolError):
        return httpx.ConnectError(f"{whom}: {_protocol(error)}")
    return httpx.ConnectError(f"cannot connect to {whom}: {_reason(error)}")


def _name(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _the_proxy(where: str) -> str:
    return f"the proxy at {where} (of {PROXY_VARIABLES})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it, the first cause last."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        each = todo.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            todo.extend(each.exceptions)
        # httpcore raises its errors again `from None`: the context is what it keeps.
        todo.extend(other for other in (each.__cause__, each.__context__) if other is not None)


def _reason(error: BaseException) -> str:
    """The deepest reason of the operating system or of TLS, without anybody's bytes."""
    found = ""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return cause.reason.replace("_", " ").lower()
        if isinstance(cause, ssl.SSLError):  # such as "not read yet", which is no reason
            continue
        if isinstance(cause, OSError) and cause.strerror:
            # asyncio puts the address in its text; the resolver's errors have numbers below 0.
            number = cause.errno or 0
            found = os.strerror(number) if number > 0 else cause.strerror
    return found or ("" if isinstance(error, httpx.ReadError) else str(error)[:200])


def _protocol(error: httpx.RemoteProtocolError) -> str:
    text = str(error)
    if text.startswith("Server disconnected"):
        return "the server closed the connection without a reply"
    if text.startswith("peer ") or not text:
        return "the reply broke off"
    # What follows quotes the server's bytes, cut: half a key is no longer one.
    what = re.split("[:'\"(]", text)[0].strip()
    return f"the reply is no proper HTTP: {what}"


def _of_tls(error: BaseException, where: str, host: str) -> FinalForRun | None:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or cause.reason or "it is not trusted"
            # X509_V_ERR_HOSTNAME_MISMATCH, ..._IP_ADDRESS_MISMATCH, ..._CERT_HAS_EXPIRED
            if cause.verify_code in (62, 64):
                hint = f"ask for it by a name that the certificate holds, not as {host}"
            elif cause.verify_code == 10:
                hint = "its owner has to renew it, or the clock here is wrong"
            else:
                hint = (
                    "set SSL_CERT_FILE to a PEM file with the certificate of the authority that "
                    "issued it (SSL_CERT_DIR to a folder of them), or add that one to the "
                    "system's store"
                )
            return FinalForRun("certificate", f"the certificate of {where} fails: {why}; {hint}")
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            alert = (cause.reason or "").partition("ALERT_")[2]
            if alert in _REFUSED_CERTIFICATE:
                return FinalForRun(
                    "certificate",
                    f"{where} refuses the client certificate, or wants one "
                    f"({alert.replace('_', ' ').lower()}): set client_cert and client_key below "
                    "[network] in rmjudge.toml",
                )
    return None


_AGAIN = re.compile(r"5\d\d |Proxy Server could not connect: (?!Connection not allowed)")
"""A proxy that cannot reach the server now: a status of HTTP; of SOCKS, in httpcore's words."""


def _of_proxy(error: Exception, where: str) -> FinalForRun | None:
    """A refusal that stays one: not a proxy's word that it cannot reach the server now."""
    if not isinstance(error, httpx.ProxyError):
        return None
    if _AGAIN.match(f"{error} "):
        return None
    hint = "is its user and password in the address, as http://user:password@host:port?"
    return FinalForRun(
        "proxy",
        f"the proxy at {where} refused: {str(error)[:200]}; {hint} "
        f"({PROXY_VARIABLES}; NO_PROXY excepts hosts)",
    )
