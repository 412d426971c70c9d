"""How the user's network wants to be spoken to. Imports no HTTP client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rmjudge.providers.sending.redaction import Secret

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport


@dataclass(frozen=True, slots=True)
class Identity:
    """A client certificate and its key, both PEM; one file may hold both."""

    certificate: Path
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """`headers` go with every request, their values as secret as keys.

    `transport` is the user's own and stays the user's to close.
    """

    headers: Mapping[str, Secret] = field(default_factory=dict)
    identity: Identity | None = None
    transport: AsyncBaseTransport | None = None
