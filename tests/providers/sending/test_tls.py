"""Whose certificates are trusted, which one is shown, and what is said where that fails."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from certificates import Authority

from rmjudge.errors import UsageError
from rmjudge.providers.sending import tls
from rmjudge.providers.sending.lanes import Lanes
from rmjudge.providers.sending.messages import FinalForRun
from rmjudge.providers.sending.network import Identity

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that nobody trusts yet."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return Authority(tmp_path)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n{}"):
            writer.write(OK)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def over_tls(context: ssl.SSLContext, host: str = "127.0.0.1") -> AsyncIterator[str]:
    async with await asyncio.start_server(_serve, host, 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


async def asked(url: str, identity: Identity | None = None) -> bytes:
    lanes = Lanes(connect_s=5.0, keepalive_s=3.0, identity=identity)
    try:
        for _ in range(2):
            reply = await lanes.post(url, {}, b"{}")
            found = b"".join([chunk async for chunk in reply.chunks()])
            await reply.aclose()
    finally:
        await lanes.aclose()
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_authority_of_one_s_own_is_trusted_by_its_file(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with over_tls(authority.server(host), host) as url:
        assert await asked(url) == b"{}"


async def test_an_authority_of_one_s_own_is_trusted_by_its_folder(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "trusted"
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    async with over_tls(authority.server("127.0.0.1")) as url:
        with pytest.raises(FinalForRun, match="SSL_CERT_DIR"):
            await asked(url)
        (folder / f"{_subject_hash(authority.file)}.0").write_bytes(authority.file.read_bytes())
        assert await asked(url) == b"{}"


def _subject_hash(file: Path) -> str:
    """The name under which OpenSSL looks for an authority in a folder."""
    words = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(file)]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


async def test_a_certificate_that_nobody_trusts_ends_the_run_with_what_to_set(
    authority: Authority,
) -> None:
    async with over_tls(authority.server("127.0.0.1")) as url:
        with pytest.raises(FinalForRun, match=r"certificate of 127\.0\.0\.1:\d+ fails: ") as told:
            await asked(url)
    assert "set SSL_CERT_FILE to a PEM file" in told.value.message


async def test_a_certificate_of_another_host_is_told_as_that(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with over_tls(authority.server("model.example")) as url:
        with pytest.raises(FinalForRun, match=r"mismatch.*a name that the certificate holds"):
            await asked(url)


async def test_a_certificate_that_is_over_is_told_as_that(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with over_tls(authority.server("127.0.0.1", days=-1)) as url:
        with pytest.raises(FinalForRun, match="fails: certificate has expired") as told:
            await asked(url)
    assert "SSL_CERT_FILE" not in told.value.message


async def test_a_file_to_trust_that_is_missing_is_told(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    async with over_tls(authority.server("127.0.0.1")) as url:
        with pytest.raises(FinalForRun, match=r"SSL_CERT_FILE=.*missing\.pem"):
            await asked(url)


async def test_a_client_shows_its_certificate(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with over_tls(authority.server("127.0.0.1", asks_clients=True)) as url:
        assert await asked(url, Identity(authority.issued("client"))) == b"{}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_wants_a_certificate_ends_the_run_with_what_to_set(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    context = authority.server("127.0.0.1", asks_clients=True)
    context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection = listener.accept()[0]
            with context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            ) as wrapped:
                with suppress(ssl.SSLError):
                    wrapped.do_handshake()
                gone.wait()  # one that closes at once may reset what it said

        gone, thread = threading.Event(), threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(FinalForRun, match=r"set client_cert and client_key below \[network\]"):
            await asked(f"https://127.0.0.1:{listener.getsockname()[1]}")
        gone.set()
        thread.join()


def test_a_key_with_a_password_is_refused_and_not_asked_for(authority: Authority) -> None:
    with pytest.raises(UsageError, match="the key without a password"):
        Identity(authority.issued("client", password=b"secret")).check()


async def test_without_the_variables_the_system_s_own_certificates_are_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    # OpenSSL's own word for where the system keeps them, read when a context is made.
    tls._context.cache_clear()
    monkeypatch.setattr(
        ssl.SSLContext,
        "load_default_certs",
        lambda self, *_: self.load_verify_locations(authority.file),
    )
    async with over_tls(authority.server("127.0.0.1")) as url:
        assert await asked(url) == b"{}"
    tls._context.cache_clear()
