"""An authority of the test's own, and certificates that it issues."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Keeps its certificate in `file`; what it issues holds the key in the same file."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = _named(f"Test {name}")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._signed(self._name, self._key.public_key(), None))

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, host: str | None, *, days: int = 2
    ) -> bytes:
        begin = datetime.now(UTC) - timedelta(days=30)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            try:
                alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
            except ValueError:
                alternative = x509.DNSName(host)
            built = built.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        signed = built.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def issued(self, host: str, *, days: int = 2, password: bytes | None = None) -> Path:
        """A file with a key and a certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        lock = serialization.BestAvailableEncryption(password) if password else None
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            lock or serialization.NoEncryption(),
        )
        path = self._folder / f"{host.replace(':', '_')}-{days}-{bool(password)}.pem"
        path.write_bytes(private + self._signed(_named(host), key.public_key(), host, days=days))
        return path

    def server(self, host: str, *, days: int = 2, asks_clients: bool = False) -> ssl.SSLContext:
        """What a server at this host shows; with `asks_clients` it wants the same of clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issued(host, days=days))
        if asks_clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context
