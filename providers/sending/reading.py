"""From a server's raw reply to an endpoint's replies: keys out, status, JSON, what it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rmjudge.calls import Json, Reply
from rmjudge.providers.sending.errors import classify, unread
from rmjudge.providers.sending.messages import CallError, MalformedBodyError, RawReply, Retryable
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.redaction import Secret
from rmjudge.providers.sending.said import is_page, read_error
from rmjudge.providers.sending.streams import is_stream, put_together

COUNTED_APART: Final = 10**6
"""Attempts where something else than their number ends them."""
Parse = Callable[[Json], Sequence[Reply]]


@dataclass(frozen=True, slots=True)
class ReplyReader:
    """Reads what one endpoint sends; no secret of its requests gets past it."""

    policy: Policy
    secrets: Sequence[Secret]

    def read(self, reply: RawReply, parse: Parse) -> Sequence[Reply]:
        """Check status, JSON and schema, in that order; the size was checked on the way in.

        Raises:
            CallError: it is an error, cannot be read, or has an empty reply in it.
        """
        reply = self._as_one(self._without_key(reply))
        error = classify(reply, self.policy)
        if error is not None:
            raise error
        try:
            replies = parse(json.loads(reply.body))
        except (ValueError, RecursionError) as cause:
            raise self._unreadable(reply, cause) from None
        replies = [self._struck(reply) for reply in replies]
        if any(is_empty(reply) for reply in replies):
            raise Retryable(
                "empty",
                "a reply without an answer in it",
                attempts=COUNTED_APART,
                paid_for=replies,
            )
        return replies

    def _as_one(self, reply: RawReply) -> RawReply:
        """The reply itself, or what a stream of events amounts to."""
        if not (200 <= reply.status < 300 and is_stream(reply.body)):
            return reply
        try:
            body = json.dumps(put_together(reply.body)).encode("ascii")
        except MalformedBodyError as error:
            raise self.malformed(error) from None
        # Each piece of an error may hold a part of the key: they are joined before redaction.
        return self._without_key(RawReply(reply.status, reply.headers, body))

    def _unreadable(self, reply: RawReply, cause: Exception) -> CallError:
        """What a reply with a success means that is none: by its words, where it has some."""
        if isinstance(cause, MalformedBodyError):  # of the dialect: it is JSON
            said = read_error(reply.body)
            words = f"; it says: {said.message}" if said.found else ""
            return unread(reply, self.policy) or self.malformed(f"{cause}{words}")
        refused = unread(reply, self.policy)  # in a plain text
        if refused is not None:
            return refused
        page = is_page(reply.body)
        kind = reply.headers.get("content-type", "")
        what = f"no JSON: {cause}"
        if kind and "json" not in kind.lower():
            what = f"content-type is {kind[:60]!r}, not JSON"
        return self.malformed(what, away=page)

    def _struck(self, reply: Reply) -> Reply:
        raw = self.clean(reply.raw)
        if raw == reply.raw:
            return reply
        return replace(reply, raw=raw)

    def _without_key(self, reply: RawReply) -> RawReply:
        # Before anything is cut to a length: half a key is no longer recognised as one.
        if not self.secrets:
            return reply
        body = reply.body.decode("latin-1")
        clean = self.clean(body)
        headers = {name: self.clean(value) for name, value in reply.headers.items()}
        return RawReply(
            reply.status, headers, reply.body if clean == body else clean.encode("latin-1")
        )

    def clean(self, text: str) -> str:
        """`text` with every secret struck out."""
        for secret in self.secrets:
            text = secret.strike(text)
        return text

    def malformed(self, why: object, *, away: bool = False) -> Retryable:
        """The error of a reply that is none; `away`: it may come from something else."""
        return Retryable(
            "malformed",
            f"the reply cannot be read: {why}",
            attempts=self.policy.attempts_malformed,
            away=away,
            maybe_billed=True,
        )


def is_empty(reply: Reply) -> bool:
    """Whether there is nothing in a reply that a verdict could be read from."""
    return getattr(reply.answer, "status", "") == "empty"
