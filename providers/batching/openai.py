"""OpenAI's batches, and those of the many that speak as it does.

Wire: https://platform.openai.com/docs/api-reference/batch. Azure, Groq, DashScope and servers of
one's own deviate by data alone. Two vendors have endpoints of their own: Together and Mistral.
"""

from __future__ import annotations

import json
from typing import ClassVar, Final

from rmjudge.calls import Json
from rmjudge.providers.batching.base import (
    PAGE,
    Ask,
    Batch,
    BatchDialect,
    NotABatchError,
    Phase,
    Request,
    Row,
    as_bytes,
    as_list,
    count,
    json_ask,
    member,
    moment,
    multipart,
    needed,
    text_or_none,
    words_of,
)
from rmjudge.providers.sending.messages import JsonObject

_PHASES: Final[dict[str, Phase]] = {
    "validating": "under way",
    "in_progress": "under way",
    "finalizing": "under way",
    "cancelling": "under way",
    "canceling": "under way",
    "queued": "under way",
    "running": "under way",
    "cancellation_requested": "under way",
    "completed": "ended",
    "expired": "ended",
    "cancelled": "ended",
    "success": "ended",
    "timeout_exceeded": "ended",
    "failed": "failed",
}
QUEUE_FULL: Final = "token_limit_exceeded"
_NEVER_RAN: Final = frozenset(("batch_expired", "batch_cancelled", "batch_canceled"))
NONCE: Final = "rmjudge"
"""The name of the nonce in a batch's metadata."""


class OpenAIBatches(BatchDialect):
    """Files, then batches of them; whose a batch is stands in its metadata and its file."""

    prefix: ClassVar[str] = "/v1"
    """What stands before the path in a row's `url`."""
    home: ClassVar[str] = "/batches"

    @property
    def _endpoint(self) -> str:
        return self.prefix + self.path

    def line(self, custom_id: str, request: Request) -> bytes:
        """The body as live, but for streaming, which batches refuse."""
        body = {
            name: value for name, value in request.body.items() if not name.startswith("stream")
        }
        return as_bytes(
            {"custom_id": custom_id, "method": "POST", "url": self._endpoint, "body": body}
        )

    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """The nonce goes into the metadata."""
        body: JsonObject = {
            "input_file_id": file,
            "endpoint": self._endpoint,
            "completion_window": "24h",
            "metadata": {NONCE: uid},
        }
        return json_ask(self.home, body)

    def batch(self, body: Json) -> Batch:
        """Read states in any case, counts that may be null, ids that may be empty."""
        word = str(member(body, "status")).lower()
        if text_or_none(member(body, "status")) is None:
            raise NotABatchError("a batch has a status")
        # One that is not known yet: the batch is there, so it is watched, and not bought again.
        phase = _PHASES.get(word, "under way")
        errors = as_list(member(body, "errors", "data"))
        codes = [str(member(error, "code")) for error in errors]
        names = (member(body, "output_file_id"), member(body, "error_file_id"))
        results = tuple(needed(name, "a file has an id") for name in names if text_or_none(name))
        # Finished rows of a batch that failed later are kept and charged.
        if phase == "failed" and results:
            phase = "ended"
        return Batch(
            id=needed(member(body, "id"), "a batch has an id"),
            phase=phase,
            word=word,
            total=count(member(body, "request_counts", "total")),
            done=count(member(body, "request_counts", "completed")),
            results=results,
            why="; ".join(map(_error, errors)),
            queue_full=QUEUE_FULL in codes,
            created=moment(member(body, "created_at")),
            expires=moment(member(body, "expires_at")),
            file=text_or_none(member(body, "input_file_id")) or "",
            nonce=text_or_none(member(body, "metadata", NONCE)) or "",
        )

    def poll(self, batch: str) -> Ask:
        """By its id."""
        return Ask("GET", f"{self.home}/{batch}")

    def batches(self, after: str = "") -> Ask:
        """A page."""
        return Ask("GET", f"{self.home}?limit={PAGE}" + (f"&after={after}" if after else ""))

    def page(self, body: Json) -> tuple[list[Batch], str]:
        """What cannot be read is another's."""
        entries = body if isinstance(body, list) else as_list(member(body, "data"))
        found = self.batches_among(entries)
        more = member(body, "has_more") is True and bool(found)
        return found, found[-1].id if more else ""

    def cancel(self, batch: str) -> Ask:
        """Within ten minutes."""
        return json_ask(f"{self.home}/{batch}/cancel", {})

    def result(self, result: str) -> Ask:
        """A file's content."""
        return Ask("GET", f"/files/{result}/content")

    def row(self, line: Json) -> Row:
        """4xx rows stand in the error file with `error: null`: a row's own status decides."""
        custom_id = text_or_none(member(line, "custom_id"))
        if custom_id is None:
            raise NotABatchError("a row has a custom_id")
        code = str(member(line, "error", "code"))
        status, body = member(line, "response", "status_code"), member(line, "response", "body")
        if code in _NEVER_RAN:
            return Row(custom_id, 0, b"", code)
        if isinstance(body, str):
            try:
                body = json.loads(body)
            except (ValueError, RecursionError):
                body = {"error": {"message": body[:400]}}
        if body is None:
            body = {"error": member(line, "error") or {"message": "a row without a reply"}}
        known = isinstance(status, int) and not isinstance(status, bool) and status > 0
        return Row(custom_id, status if known else 500, as_bytes(body))


def _error(error: Json) -> str:
    line = member(error, "line")
    where = f" (line {line})" if line is not None else ""
    return f"{member(error, 'code')}: {words_of(error)}{where}"


class AzureBatches(OpenAIBatches):
    """Azure's rows name the endpoint without a version."""

    prefix = ""


class TogetherBatches(OpenAIBatches):
    """An upload of its own, no metadata, a bare list: a batch is found by its file."""

    def upload(self, uid: str, data: bytes) -> Ask:
        """The purpose is `batch-api`."""
        fields = {"purpose": "batch-api", "file_name": f"rmjudge-{uid}.jsonl"}
        return multipart("/files/upload", fields, uid, data)

    def files(self) -> Ask | None:
        """All of them, in one list."""
        return Ask("GET", "/files")

    def line(self, custom_id: str, request: Request) -> bytes:
        """Rows have a body alone."""
        body = {
            name: value for name, value in request.body.items() if not name.startswith("stream")
        }
        return as_bytes({"custom_id": custom_id, "body": body})

    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """No metadata."""
        return json_ask(self.home, {"input_file_id": file, "endpoint": self._endpoint})

    def batch(self, body: Json) -> Batch:
        """A create's reply has it under `job`."""
        inner = member(body, "job")
        return super().batch(inner if isinstance(inner, dict) else body)

    def batches(self, after: str = "") -> Ask:
        """All of them, in one list."""
        return Ask("GET", self.home)


class MistralBatches(OpenAIBatches):
    """Jobs: the model is the job's, not the row's."""

    home = "/batch/jobs"

    def files(self) -> Ask | None:
        """Its own size of a page."""
        return Ask("GET", f"/files?purpose=batch&page_size={PAGE}")

    def line(self, custom_id: str, request: Request) -> bytes:
        """The body without the model."""
        left = {
            name: value
            for name, value in request.body.items()
            if name != "model" and not name.startswith("stream")
        }
        return as_bytes({"custom_id": custom_id, "body": left})

    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """The nonce goes into the metadata."""
        body: JsonObject = {
            "input_files": [file],
            "endpoint": self._endpoint,
            "model": self.model,
            "metadata": {NONCE: uid},
            "timeout_hours": 24,
        }
        return json_ask(self.home, body)

    def batch(self, body: Json) -> Batch:
        """Other names for the same."""
        if not isinstance(body, dict):
            raise NotABatchError("a job is an object")
        same: JsonObject = {
            **body,
            "output_file_id": body.get("output_file"),
            "error_file_id": body.get("error_file"),
            "input_file_id": member(body, "input_files", 0),
            "request_counts": {
                "total": body.get("total_requests"),
                "completed": body.get("completed_requests"),
            },
            "errors": {"data": as_list(body.get("errors"))},
        }
        return super().batch(same)

    def batches(self, after: str = "") -> Ask:
        """Pages by number."""
        return Ask("GET", f"{self.home}?page_size={PAGE}&page={after or 0}")

    def page(self, body: Json) -> tuple[list[Batch], str]:
        """One page, of the newest: ours was made a moment ago."""
        return self.batches_among(as_list(member(body, "data"))), ""
