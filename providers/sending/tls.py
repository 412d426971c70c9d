"""Whose certificates are trusted, and the certificate that this side shows."""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache

from rmjudge.providers.sending.messages import FinalForRun
from rmjudge.providers.sending.network import Identity


def trust(identity: Identity | None = None) -> ssl.SSLContext:
    """One context for all connections.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` name what is trusted, and then nothing else is, as with
    httpx; without them it is the system's own store.

    `identity` was checked before.

    Raises:
        FinalForRun: a file of certificates to trust is missing or holds none.
    """
    found = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return _context(identity, *(value or None for value in found))


@cache
def _context(
    identity: Identity | None, cert_file: str | None, cert_dir: str | None
) -> ssl.SSLContext:
    if cert_file or cert_dir:
        try:
            context = ssl.create_default_context(cafile=cert_file, capath=cert_dir)
        except OSError as error:
            raise FinalForRun(
                "certificate",
                f"SSL_CERT_FILE={cert_file or ''} SSL_CERT_DIR={cert_dir or ''}: "
                f"no certificates to trust can be read there: {error.strerror or error}",
            ) from error
    else:
        context = _system_store()
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


def _system_store() -> ssl.SSLContext:
    if sys.platform not in ("darwin", "win32"):
        context = ssl.create_default_context()
        # truststore reads the same files here, but for each connection again: 20 ms and more.
        if context.cert_store_stats()["x509_ca"]:
            return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
