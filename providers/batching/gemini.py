"""Gemini's batches, through files: inline ones lose their keys.

Wire: https://ai.google.dev/gemini-api/docs/batch-api.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.providers.base import PROBES
from rmjudge.providers.batching.base import (
    PAGE,
    Ask,
    Batch,
    BatchDialect,
    NotABatchError,
    Phase,
    RawReply,
    Request,
    Row,
    as_bytes,
    as_list,
    count,
    json_ask,
    member,
    moment,
    needed,
    text_or_none,
    words_of,
)

_PHASES: Final[dict[str, Phase]] = {
    "PENDING": "under way",
    "RUNNING": "under way",
    "UNSPECIFIED": "under way",
    "SUCCEEDED": "ended",
    "FAILED": "failed",
    "CANCELLED": "ended",
    "EXPIRED": "ended",
}
INVALID: Final = frozenset((3, 400))
"""Codes of row errors that are final."""


class GeminiBatches(BatchDialect):
    """A resumable upload, then a batch of the file; whose it is stands in its display name."""

    @property
    def _version(self) -> str:
        return self.provider.build([PROBES[self.provider.method]]).path.split("/")[1]

    def line(self, custom_id: str, request: Request) -> bytes:
        """The body as live."""
        return as_bytes({"key": custom_id, "request": request.body})

    def upload(self, uid: str, data: bytes) -> Ask:
        """Say what is to come."""
        headers = {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(len(data)),
            "x-goog-upload-header-content-type": "application/jsonl",
        }
        return json_ask(
            f"/upload/{self._version}/files", {"file": {"displayName": f"rmjudge-{uid}"}}, headers
        )

    def upload_on(self, reply: RawReply, data: bytes) -> Ask | None:
        """Hand it over, at the address that the vendor told."""
        address = reply.headers.get("x-goog-upload-url", "")
        if not address:
            raise NotABatchError("the upload was told no address")
        headers = {"x-goog-upload-offset": "0", "x-goog-upload-command": "upload, finalize"}
        return Ask("POST", address, data, headers)

    def uploaded(self, body: Json) -> str:
        """`files/ID`."""
        return needed(member(body, "file", "name"), "a file has a name")

    def files(self) -> Ask | None:
        """A page of them."""
        return Ask("GET", f"/{self._version}/files?pageSize={PAGE}")

    def files_of(self, uid: str, body: Json) -> list[str]:
        """By the display name."""
        return [
            name
            for entry in as_list(member(body, "files"))
            if uid in str(member(entry, "displayName"))
            and (name := text_or_none(member(entry, "name")))
        ]

    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """The nonce is the display name."""
        path = f"/{self._version}/models/{self.model}:batchGenerateContent"
        named: dict[str, Json] = {"displayName": uid, "inputConfig": {"fileName": file}}
        return json_ask(path, {"batch": named})

    def batch(self, body: Json) -> Batch:
        """An operation; its metadata tells."""
        told = member(body, "metadata")
        word = text_or_none(member(told, "state"))
        if word is None:
            raise NotABatchError("an operation of a batch has a state")
        # One that is not known yet: the batch is there, so it is watched, and not bought again.
        state = word.removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_")
        phase = _PHASES.get(state, "under way")
        error = member(body, "error")
        if error is not None and phase == "under way":
            phase = "failed"
        place = (
            member(body, "response", "responsesFile")
            or member(told, "output", "responsesFile")
            or member(told, "dest", "fileName")
        )
        results = (needed(place, "a file has a name"),) if text_or_none(place) else ()
        why = words_of(error)
        return Batch(
            id=needed(member(body, "name"), "a batch has a name"),
            phase=phase,
            word=word.lower(),
            total=_number(member(told, "batchStats", "requestCount")),
            done=_number(member(told, "batchStats", "successfulRequestCount")),
            results=results,
            why=why,
            queue_full=member(error, "code") in (8, 429),
            created=moment(member(told, "createTime")),
            file=text_or_none(member(told, "inputConfig", "fileName")) or "",
            nonce=text_or_none(member(told, "displayName")) or "",
        )

    def poll(self, batch: str) -> Ask:
        """`batches/ID`."""
        return Ask("GET", f"/{self._version}/{batch}")

    def batches(self, after: str = "") -> Ask:
        """A page."""
        more = f"&pageToken={after}" if after else ""
        return Ask("GET", f"/{self._version}/batches?pageSize={PAGE}{more}")

    def page(self, body: Json) -> tuple[list[Batch], str]:
        """Operations."""
        found = self.batches_among(as_list(member(body, "operations")))
        return found, text_or_none(member(body, "nextPageToken")) or ""

    def cancel(self, batch: str) -> Ask:
        """The operation ends with an error then."""
        return json_ask(f"/{self._version}/{batch}:cancel", {})

    def result(self, result: str) -> Ask:
        """A file's content."""
        return Ask("GET", f"/download/{self._version}/{result}:download?alt=media")

    def row(self, line: Json) -> Row:
        """Of the errors only a wrong request is final."""
        key = text_or_none(member(line, "key")) or text_or_none(member(line, "metadata", "key"))
        if key is None:
            raise NotABatchError("a row has a key")
        reply, error = member(line, "response"), member(line, "error")
        if isinstance(reply, dict) and error is None:
            return Row(key, 200, as_bytes(reply))
        status = 400 if member(error, "code") in INVALID else 500
        return Row(key, status, as_bytes({"error": {"message": words_of(error)}}))

    def deletions(self, file: str, batch: str, results: Sequence[str]) -> list[Ask]:
        """Both files."""
        return [Ask("DELETE", f"/{self._version}/{name}") for name in (file, *results) if name]


def _number(value: Json) -> int | None:
    """Google writes 64-bit numbers as texts."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return count(value)
