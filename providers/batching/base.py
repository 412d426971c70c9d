"""What a batch dialect is: pure requests, and pure reading of states and rows.

A dialect knows nothing of ledgers, clocks, files or sockets. Who sends is `batching.client`; who
decides is the engine of a run.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, TypeAlias

import httpx

from rmjudge.calls import Json
from rmjudge.providers.base import PROBES, Provider, as_list, count, member, text_or_none
from rmjudge.providers.sending.exchange import Ask
from rmjudge.providers.sending.messages import JsonObject, RawReply, Request
from rmjudge.providers.sending.said import read_object

Phase: TypeAlias = Literal["under way", "ended", "failed"]

ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
JSON_HEADERS: Final[Mapping[str, str]] = {"content-type": "application/json"}
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the vendor tells it; times are Unix times, `results` what `result` takes.

    `word` is the vendor's own for the state. A `failed` one ran nothing, and `why` says why, with
    `shown` for people; `queue_full` is no fault of it. `file` and `nonce` tell whose it is, where
    the vendor does.
    """

    id: str
    phase: Phase
    word: str
    total: int | None = None
    done: int | None = None
    results: tuple[str, ...] = ()
    why: str = ""
    shown: str = ""
    queue_full: bool = False
    created: float | None = None
    expires: float | None = None
    file: str = ""
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A result: whose it is, and what a live call would have been answered.

    `status` 0 says that it never ran and is not billed: expired, cancelled.
    """

    custom_id: str
    status: int
    body: bytes
    why: str = ""


class NotABatchError(ValueError):
    """A reply that tells no batch."""


class BatchDialect(ABC):
    """How one vendor's batches are asked for. All is pure."""

    has_files: ClassVar[bool] = True
    """Whether the input is a file that is uploaded first; else it is in the create's body."""
    finds_by_name: ClassVar[bool] = True
    """Whether the vendor's lists tell whose a batch is."""
    most_bytes: ClassVar[int] = 90 * 2**20

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.model = provider.target.model
        self.path = provider.build([PROBES[provider.method]]).path

    @abstractmethod
    def line(self, custom_id: str, request: Request) -> bytes:
        """One call's line of the input, without a line's end."""

    def upload(self, uid: str, data: bytes) -> Ask:
        """Hand the input over."""
        return multipart("/files", {"purpose": "batch"}, uid, data)

    def upload_on(self, reply: RawReply, data: bytes) -> Ask | None:
        """The upload's second request, where it takes two."""
        return None

    def uploaded(self, body: Json) -> str:
        """The file's id.

        Raises:
            NotABatchError: there is none.
        """
        return needed(member(body, "id"), "a file has an id")

    def files(self) -> Ask | None:
        """List what was uploaded lately, to find what a crash left; None where that is no use."""
        return Ask("GET", f"/files?purpose=batch&limit={PAGE}")

    def files_of(self, uid: str, body: Json) -> list[str]:
        """The ids of the files with this nonce in their name."""
        return [
            file
            for entry in as_list(member(body, "data"))
            if uid in str(member(entry, "filename")) and (file := text_or_none(member(entry, "id")))
        ]

    @abstractmethod
    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """Ask for a batch of this file, or of these lines; it is sent once."""

    @abstractmethod
    def batch(self, body: Json) -> Batch:
        """Read a batch, as create, poll and list tell it.

        Raises:
            NotABatchError: this is none.
        """

    @abstractmethod
    def poll(self, batch: str) -> Ask:
        """Ask how a batch is."""

    @abstractmethod
    def batches(self, after: str = "") -> Ask:
        """A page of the list, the newest first."""

    @abstractmethod
    def page(self, body: Json) -> tuple[list[Batch], str]:
        """The batches of a page, and what `batches` takes for the next; empty for the last."""

    def batches_among(self, entries: Sequence[Json]) -> list[Batch]:
        """The batches among what a list has."""
        found: list[Batch] = []
        for entry in entries:
            try:
                found.append(self.batch(entry))
            except NotABatchError:
                continue
        return found

    @abstractmethod
    def cancel(self, batch: str) -> Ask:
        """Ask the vendor to stop."""

    @abstractmethod
    def result(self, result: str) -> Ask:
        """Get one of a batch's results."""

    @abstractmethod
    def row(self, line: Json) -> Row:
        """Read a line of the results.

        Raises:
            NotABatchError: this is none.
        """

    def deletions(self, file: str, batch: str, results: Sequence[str]) -> list[Ask]:
        """What is deleted at the vendor's once all is kept."""
        return [Ask("DELETE", f"/files/{name}") for name in (file, *results) if name]


def multipart(path: str, fields: Mapping[str, str], uid: str, data: bytes) -> Ask:
    """An upload as a form; the file's name has the nonce in it."""
    file = (f"rmjudge-{uid}.jsonl", data, "application/jsonl")
    # Only its encoding is used: httpx knows how a form is written.
    made = httpx.Request("POST", "http://form", data=dict(fields), files={"file": file})
    return Ask("POST", path, made.read(), {"content-type": made.headers["content-type"]})


def json_ask(path: str, body: JsonObject, headers: Mapping[str, str] | None = None) -> Ask:
    """A POST of JSON."""
    return Ask("POST", path, ENCODE(body).encode(), {**JSON_HEADERS, **(headers or {})})


def needed(value: Json, otherwise: str) -> str:
    """An id.

    Raises:
        NotABatchError: it is none, or one that could lead elsewhere.
    """
    text = text_or_none(value)
    if text is None or ".." in text or any(sign in text for sign in "?#\\ \n"):
        raise NotABatchError(otherwise)
    return text


def moment(value: Any) -> float | None:
    """A Unix time, or what an ISO text says."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, TypeError):
        return None


def words_of(error: Json) -> str:
    """What an error says, in one line."""
    if isinstance(error, dict):
        return read_object({"error": error}).message
    return str(error)[:400] if error else ""


def as_bytes(body: Json) -> bytes:
    """A body as it would have come over the wire."""
    return ENCODE(body).encode("ascii")


__all__ = [
    "Ask",
    "Batch",
    "BatchDialect",
    "NotABatchError",
    "Phase",
    "RawReply",
    "Request",
    "Row",
    "as_list",
    "count",
    "member",
    "text_or_none",
]
