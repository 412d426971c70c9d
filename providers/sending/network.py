"""How the user's network wants to be spoken to. Imports no HTTP client."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.errors import UsageError
from rmjudge.providers.sending.redaction import Secret

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport

FROM_ENVIRONMENT: Final = "env:"
_OURS: Final = frozenset(
    ("accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding")
)
"""Headers that the request itself needs as they are."""
_COMMON: Final = re.compile(r"[a-z]{1,15}|[A-Z]{1,15}|[A-Z][a-z]{1,14}|[\d.:-]+|.{,5}")
"""A plain word, a number, a date, or a few characters: a model or its vendor may write it too."""
_OF_SECRETS: Final = re.compile(
    r"auth|key|token|secret|cookie|passw|credential|session|sign|jwt", re.IGNORECASE
)
"""What the name of a header has in it whose value is a secret, a plain word or not."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A client certificate and its key, both PEM; one file may hold both."""

    certificate: Path
    key: Path | None = None

    def check(self) -> None:
        """See that both files can be used, before anything is sent.

        Raises:
            UsageError: they cannot.
        """
        import ssl

        try:
            # Without a password OpenSSL would ask for one on the terminal.
            ssl.create_default_context().load_cert_chain(
                self.certificate, self.key, password=lambda: ""
            )
        except OSError as error:
            files = " and ".join(str(path) for path in (self.certificate, self.key) if path)
            raise UsageError(
                f"client_cert, client_key: {files}: {error.strerror or error}; both are PEM files, "
                "the key without a password"
            ) from error


@dataclass(frozen=True, slots=True)
class Network:
    """`headers` go with every request; `headers_from` says which values are as secret as keys.

    `transport` is the user's own and stays the user's to close.
    """

    headers: Mapping[str, Secret] = field(default_factory=dict)
    identity: Identity | None = None
    transport: AsyncBaseTransport | None = None


def headers_from(written: Mapping[str, str]) -> dict[str, Secret]:
    """Read headers as the user wrote them; `env:VARIABLE` stands for what the variable holds.

    All values are struck out of texts. One that anybody may write, is written out here, and has
    a name that speaks of no secret, is `common`.

    Raises:
        UsageError: a name or a value cannot be sent, or a variable is not set.
    """
    return {
        name: Secret(_value(name, text), common=_is_common(name, text))
        for name, text in written.items()
    }


def _is_common(name: str, text: str) -> bool:
    return (
        not text.startswith(FROM_ENVIRONMENT)
        and _OF_SECRETS.search(name) is None
        and _COMMON.fullmatch(text) is not None
    )


def _value(name: str, text: str) -> str:
    if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII):
        raise UsageError(f"header {name!r}: this is no name of a header")
    if name.lower() in _OURS:
        raise UsageError(f"header {name}: the request sets it itself")
    where = "its value"
    if text.startswith(FROM_ENVIRONMENT):
        variable = text.removeprefix(FROM_ENVIRONMENT)
        where = variable
        text = os.environ.get(variable, "")
        if not text:
            raise UsageError(f"header {name}: the environment variable {variable} is not set")
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise UsageError(
            f"header {name}: {where} holds a line break, a blank at an end or a character that "
            "is not ASCII"
        )
    return text
