"""What a reward model said of a text beside its reward: the attributes in a stored reply.

Needs no key and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from rmjudge.calls import Json
from rmjudge.providers.base import member
from rmjudge.providers.registry import provider_class
from rmjudge.providers.spec import HOSTED
from rmjudge.providers.vendors import VENDORS

LARGEST: Final = 1e100
"""What is larger, or no number at all, is no attribute."""


def attributes_of(identity: Mapping[str, Json], raw: str) -> dict[str, float]:
    """Find the named numbers in a reply of the scorer with this identity; empty without any."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    provider = str(identity.get("provider"))
    named: object
    if provider in VENDORS or provider in HOSTED:
        named = provider_class(provider).attributes(body)
    else:
        named = member(body, "attributes")
    if not isinstance(named, Mapping):
        return {}
    return {str(name): float(value) for name, value in named.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST
