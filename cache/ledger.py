"""The ledger of batches: one row a batch, committed before each act that it is about.

A row's key is `b:<scorer>:<uid>`. It says which calls a vendor was handed, so that none of them is
bought again while the vendor may still answer it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from rmjudge.cache.queries import scan
from rmjudge.cache.rows import DamagedRecordError, seal, unseal
from rmjudge.errors import StorageStopped

State: TypeAlias = Literal[
    "planned",  # nothing was sent
    "uploaded",  # the vendor has the file, and was not asked to work on it
    "creating",  # the vendor is asked, or was: whether it heard is not known
    "created",  # the vendor has it, and its id is known
    "ended",  # the vendor is done with it
    "fetched",  # its results are files here
    "aside",  # its results contradict each other: nothing is read before the user decides
    "lost",  # its results are gone from the vendor's
    "collected",  # its answers are kept; the files are still to be deleted
    "released",  # nothing is left to do
    "void",  # the vendor never had it, or failed it as a whole
]
OPEN: Final = frozenset(
    ("planned", "uploaded", "creating", "created", "ended", "fetched", "aside", "lost")
)
"""The calls of a batch in these states are not to be bought in another way."""
AT_VENDOR: Final = frozenset(("creating", "created"))
PREFIX: Final = "b:"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One batch. Times are Unix times, `dollars` is the most that it can cost.

    `uid` is the nonce by which the vendor's lists show it; `key_print` tells keys apart without
    telling a key. `calls` are keys of calls. `refused` holds calls that the vendor refused for
    good, with their status and its words, and `again` how often a call has come back unanswered.
    `limit` is the vendor's limit of queued tokens, where a refusal told it. `not_ours` are batches
    of the vendor that turned out to be another's.
    """

    uid: str
    scorer: str
    model: str
    base_url: str
    key_print: str
    calls: tuple[str, ...]
    size: int = 0
    sha256: str = ""
    tokens: int = 0
    dollars: float | None = None
    state: State = "planned"
    planned: float = 0.0
    creating: float = 0.0
    created: float = 0.0
    ended: float = 0.0
    changed: float = 0.0
    expires: float | None = None
    file: str = ""
    batch: str = ""
    word: str = ""
    total: int | None = None
    done: int | None = None
    results: tuple[str, ...] = ()
    note: str = ""
    limit: int | None = None
    cost: float | None = None
    accepted: bool = False
    not_ours: tuple[str, ...] = ()
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """Its key in the database."""
        return f"{PREFIX}{self.scorer}:{self.uid}"

    @property
    def open(self) -> bool:
        """Whether its calls are not to be bought in another way."""
        return self.state in OPEN


_STATES: Final = frozenset(get_args(State))
_FIELDS: Final = frozenset(Chunk.__dataclass_fields__)


def encode_chunk(chunk: Chunk) -> str:
    """A row's text: checksum, blank, JSON."""
    return seal(json.dumps(asdict(chunk), separators=(",", ":")))


def decode_chunk(text: str) -> Chunk:
    """Read a row's text.

    Raises:
        DamagedRecordError: it is not what was written.
    """
    try:
        record: dict[str, Any] = json.loads(unseal(text))
        known = {name: value for name, value in record.items() if name in _FIELDS}
        for name in ("calls", "results", "not_ours"):
            known[name] = tuple(known.get(name, ()))
        if known.get("state", "planned") not in _STATES:
            raise DamagedRecordError(f"its state {known['state']!r} is none that is known here")
        known["refused"] = {key: (said[0], said[1]) for key, said in known["refused"].items()}
        return Chunk(**known)
    except DamagedRecordError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DamagedRecordError(f"{type(error).__name__}: {error}") from error


def read_chunks(folder: Path, scorer: str = "") -> list[Chunk]:
    """The batches of a scorer, or of all, the one planned first at the head.

    Raises:
        StorageStopped: a row is damaged: what the vendor was handed is not known.
        sqlite3.Error: the database cannot be read.
    """
    prefix = f"{PREFIX}{scorer}:" if scorer else PREFIX
    found: list[Chunk] = []
    for key, text, _ in scan(folder, prefix):
        try:
            found.append(decode_chunk(text))
        except DamagedRecordError as error:
            raise StorageStopped(
                f"the cache {folder}: the row of the batch {key.rpartition(':')[2]} is damaged "
                f"({error}), so that it is not known which calls a vendor was handed; nothing was "
                "bought; bring the row back from a backup, or use another --cache-dir"
            ) from error
    return sorted(found, key=lambda chunk: (chunk.planned, chunk.uid))
