"""From a server's raw reply to an endpoint's replies: keys out, status, JSON, what it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rmjudge.calls import Json, Reply, Unscored
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
    """Reads what one endpoint sends; no secret of its requests gets past it.

    What a reply means is read from the reply as it came: a secret may be a word of the vendor's.
    What is shown or kept is read from it once more, with every secret struck out. Nothing is cut
    to a length before that: half a key is no longer recognised as one.
    """

    policy: Policy
    secrets: Sequence[Secret]

    def read(self, reply: RawReply, parse: Parse) -> Sequence[Reply]:
        """Check status, JSON and schema, in that order; the size was checked on the way in.

        Raises:
            CallError: it is an error, cannot be read, or has an empty reply in it.
        """
        replies = self.answers(reply, parse)
        if any(is_empty(reply) for reply in replies):
            raise Retryable(
                "empty",
                "a reply without an answer in it",
                attempts=COUNTED_APART,
                paid_for=replies,
            )
        return replies

    def answers(self, reply: RawReply, parse: Parse) -> Sequence[Reply]:
        """The replies, empty ones too.

        Raises:
            CallError: it is an error, or cannot be read.
        """
        reply = self._as_one(reply)
        clean = self.without_secrets(reply)
        try:
            replies = self._parsed(reply, parse)
        except CallError as error:
            if clean is not reply:
                error.show(self._shown(clean, parse))
            raise
        if clean is reply:
            return replies
        # What is kept is read again one day, and was paid for: a common word stays in it where
        # without it something else would be read.
        sure = [secret for secret in self.secrets if not secret.common]
        for kept in (clean, self._without(sure, reply)):
            others = self._read_alike(replies, kept, parse)
            if others is not None:
                return others
        return [_struck(sure, reply) for reply in replies]

    def _parsed(self, reply: RawReply, parse: Parse) -> Sequence[Reply]:
        error = classify(reply, self.policy)
        if error is not None:
            raise error
        try:
            return parse(json.loads(reply.body))
        except (ValueError, RecursionError) as cause:
            raise self._unreadable(reply, cause) from None

    def _shown(self, clean: RawReply, parse: Parse) -> str:
        """What is said of a reply that is an error."""
        try:
            self._parsed(clean, parse)
        except CallError as error:
            return error.message
        return f"HTTP {clean.status}: what it says cannot be shown"

    def _as_one(self, reply: RawReply) -> RawReply:
        """The reply itself, or what a stream of events amounts to."""
        if not (200 <= reply.status < 300 and is_stream(reply.body)):
            return reply
        try:
            body = json.dumps(put_together(reply.body)).encode("ascii")
        except MalformedBodyError as error:
            raise self.malformed(error) from None
        return RawReply(reply.status, reply.headers, body)

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

    def _read_alike(
        self, replies: Sequence[Reply], clean: RawReply, parse: Parse
    ) -> Sequence[Reply] | None:
        """The replies as they are read from what may be kept; None where they are others."""
        try:
            others = self._parsed(clean, parse)
        except CallError:
            return None
        if [_found(reply) for reply in others] != [_found(reply) for reply in replies]:
            return None
        return [
            replace(other, usage=reply.usage) for reply, other in zip(replies, others, strict=True)
        ]

    def without_secrets(self, reply: RawReply) -> RawReply:
        """The same with every secret struck out; the reply itself where there is none in it."""
        return self._without(self.secrets, reply)

    @staticmethod
    def _without(secrets: Sequence[Secret], reply: RawReply) -> RawReply:
        if not secrets:
            return reply
        body = reply.body.decode("latin-1")
        clean = strike(secrets, body)
        headers = {name: strike(secrets, value) for name, value in reply.headers.items()}
        if clean == body and headers == reply.headers:
            return reply
        return RawReply(reply.status, headers, clean.encode("latin-1"))

    def clean(self, text: str) -> str:
        """`text` with every secret struck out."""
        return strike(self.secrets, text)

    def malformed(self, why: object, *, away: bool = False) -> Retryable:
        """The error of a reply that is none; `away`: it may come from something else."""
        return Retryable(
            "malformed",
            f"the reply cannot be read: {why}",
            attempts=self.policy.attempts_malformed,
            away=away,
            maybe_billed=True,
        )


def strike(secrets: Iterable[Secret], text: str) -> str:
    """`text` with these secrets struck out."""
    for secret in secrets:
        text = secret.strike(text)
    return text


def _found(reply: Reply) -> object:
    """What was read from a reply, without the words of one that holds no score."""
    return reply.answer.status if isinstance(reply.answer, Unscored) else reply.answer


def _struck(secrets: Sequence[Secret], reply: Reply) -> Reply:
    """A reply that cannot be read again without its secrets: it is kept as it was read."""
    answer = reply.answer
    if isinstance(answer, Unscored):
        answer = replace(answer, detail=strike(secrets, answer.detail))
    model = reply.model and strike(secrets, reply.model)
    return replace(reply, answer=answer, raw=strike(secrets, reply.raw), model=model)


def is_empty(reply: Reply) -> bool:
    """Whether there is nothing in a reply that a verdict could be read from."""
    return getattr(reply.answer, "status", "") == "empty"
