"""Anthropic's message batches: no files, and lists that do not tell whose a batch is.

Wire: https://platform.claude.com/docs/en/build-with-claude/batch-processing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.providers.base import PROBES
from rmjudge.providers.batching.base import (
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
    member,
    moment,
    needed,
    text_or_none,
)

HOME: Final = "/v1/messages/batches"
_PHASES: Final[dict[str, Phase]] = {
    "in_progress": "under way",
    "canceling": "under way",
    "ended": "ended",
}
_STATUS: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicBatches(BatchDialect):
    """One body with all calls; results at an address that the vendor tells."""

    has_files = False
    finds_by_name = False

    @property
    def _headers(self) -> Mapping[str, str]:
        request = self.provider.build([PROBES[self.provider.method]])
        return {"content-type": "application/json", **request.headers}

    def line(self, custom_id: str, request: Request) -> bytes:
        """The body as live, but for streaming."""
        params = {name: value for name, value in request.body.items() if name != "stream"}
        return as_bytes({"custom_id": custom_id, "params": params})

    def create(self, uid: str, file: str, data: bytes) -> Ask:
        """All lines in one list."""
        body = b'{"requests":[' + b",".join(data.splitlines()) + b"]}"  # ASCII: no other line ends
        return Ask("POST", HOME, body, self._headers)

    def batch(self, body: Json) -> Batch:
        """Counts stay at `processing` until it is ended."""
        word = text_or_none(member(body, "processing_status"))
        if word is None:
            raise NotABatchError("a message batch has a processing_status")
        counts = member(body, "request_counts")
        numbers = (
            [count(value) or 0 for value in counts.values()] if isinstance(counts, dict) else []
        )
        address = text_or_none(member(body, "results_url"))
        return Batch(
            id=needed(member(body, "id"), "a batch has an id"),
            # One that is not known yet: the batch is there, so it is watched, and not bought again.
            phase=_PHASES.get(word, "under way"),
            word=word,
            total=sum(numbers),
            done=sum(numbers) - (count(member(counts, "processing")) or 0),
            results=(address,) if address else (),
            created=moment(member(body, "created_at")),
            expires=moment(member(body, "expires_at")),
        )

    def poll(self, batch: str) -> Ask:
        """By its id."""
        return Ask("GET", f"{HOME}/{batch}", headers=self._headers)

    def batches(self, after: str = "") -> Ask:
        """A page of the workspace's."""
        more = f"&after_id={after}" if after else ""
        return Ask("GET", f"{HOME}?limit=1000{more}", headers=self._headers)

    def page(self, body: Json) -> tuple[list[Batch], str]:
        """What cannot be read is another's."""
        found = self.batches_among(as_list(member(body, "data")))
        more = member(body, "has_more") is True and bool(found)
        return found, found[-1].id if more else ""

    def cancel(self, batch: str) -> Ask:
        """What has not begun is not billed."""
        return Ask("POST", f"{HOME}/{batch}/cancel", headers=self._headers)

    def result(self, result: str) -> Ask:
        """At the vendor's own address, which may be told without its host."""
        return Ask("GET", result, headers=self._headers)

    def row(self, line: Json) -> Row:
        """An error's type stands for its status."""
        custom_id = text_or_none(member(line, "custom_id"))
        kind = member(line, "result", "type")
        if custom_id is None:
            raise NotABatchError("a row has a custom_id")
        if kind == "succeeded":
            return Row(custom_id, 200, as_bytes(member(line, "result", "message")))
        if kind in ("canceled", "expired"):
            return Row(custom_id, 0, b"", str(kind))
        error = member(line, "result", "error")
        inner = member(error, "error")
        said = inner if isinstance(inner, dict) else error
        status = _STATUS.get(str(member(said, "type")), 500)
        return Row(custom_id, status, as_bytes({"error": said}))

    def deletions(self, file: str, batch: str, results: Sequence[str]) -> list[Ask]:
        """The batch itself, its results with it."""
        return [Ask("DELETE", f"{HOME}/{batch}", headers=self._headers)] if batch else []
