"""Content-addressed keys: a key is exactly what changes the answer, and nothing else.

A row's key is `a:<scorer>:<call>`; the scorer's identity stands once, under `s:<scorer>`.
Both parts are SHA-256 cut to 128 bits: among 10^12 calls a collision has odds of 10^-15.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rmjudge.addresses import spellings
from rmjudge.calls import Json
from rmjudge.vocabulary import READS

HEX_DIGITS = 32


def canonical(value: Mapping[str, Json]) -> str:
    """The one JSON text of a value: sorted, ASCII, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def scorer_key(identity: Mapping[str, Json]) -> str:
    """Hash a scorer's identity, but for what is only read of its replies."""
    asked = {name: value for name, value in identity.items() if name != READS}
    return hashlib.sha256(canonical(asked).encode("ascii")).hexdigest()[:HEX_DIGITS]


def scorer_keys(identity: Mapping[str, Json]) -> tuple[str, ...]:
    """The keys that a scorer's answers may be under, the one of today first.

    Older versions counted what is only read of a hosted model's replies among its parameters.
    """
    params, reads = identity.get("params"), identity.get(READS)
    older: Iterable[Mapping[str, Json]] = ()
    if isinstance(params, Mapping) and isinstance(reads, Mapping):
        older = spellings({**identity, "params": {**params, **reads}})
    return tuple(map(scorer_key, (*spellings(identity), *older)))


def call_key(fields: Sequence[str]) -> str:
    """Hash a call's texts; their boundaries count."""
    return hashlib.sha256(b"".join(map(_digest, fields))).hexdigest()[:HEX_DIGITS]


@lru_cache(maxsize=4096)
def _digest(text: str) -> bytes:
    # The nine comparisons of a tuple share seven texts: each is hashed once.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def answer_row(scorer: str, call: str) -> str:
    """Name the row of an answer."""
    return f"a:{scorer}:{call}"


def identity_row(scorer: str) -> str:
    """Name the row of a scorer's identity."""
    return f"s:{scorer}"
