"""What every endpoint shares on the wire: a request, a reply, and the ways a call can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from rmjudge.calls import Json, Reply

JsonObject: TypeAlias = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Request:
    """A POST of a JSON body to `path` below the endpoint's base URL. No secrets in here."""

    path: str
    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawReply:
    """What came over the wire; header names in lower case; the body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class CallError(Exception):
    """One attempt failed. `message` is the provider's own, already shortened.

    `words` are the same for programs to read: they may hold what is not to be shown or kept.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.words = message

    def show(self, message: str) -> None:
        """Have this shown in place of the message, which stays in `words`."""
        self.message = message
        self.args = (message,)  # a traceback shows these


class Retryable(CallError):
    """Worth another attempt, at most `attempts` in all.

    `wait_s` is what the server asked for; `slow_down` says that it is overloaded, `timed_out`
    that no complete reply came in time, `unreachable` that no connection came about, `away` that
    a gateway may have answered for it;
    `maybe_billed` that the request may have been worked on; `paid_for` are replies that
    were delivered and serve if another attempt brings nothing better. The endpoint notes with
    `in_outage` that the attempt says nothing about the call.
    """

    def __init__(
        self,
        status: str,
        message: str,
        *,
        attempts: int,
        wait_s: float | None = None,
        slow_down: bool = False,
        timed_out: bool = False,
        unreachable: bool = False,
        away: bool = False,
        maybe_billed: bool = False,
        paid_for: Sequence[Reply] = (),
    ) -> None:
        super().__init__(status, message)
        self.attempts = attempts
        self.wait_s = wait_s
        self.slow_down = slow_down
        self.timed_out = timed_out
        self.unreachable = unreachable
        self.away = away
        self.in_outage = False
        self.maybe_billed = maybe_billed
        self.paid_for = tuple(paid_for)


class FinalForCall(CallError):
    """This call cannot be answered; the others can.

    `about` is what its words are clearly about.
    """

    def __init__(self, status: str, message: str, *, about: str | None = None) -> None:
        super().__init__(status, message)
        self.about = about


class FinalForRun(CallError):
    """The endpoint will answer nothing more: key, quota, model, address.

    `in_doubt`: its status says so and its words do not, so that it concerns one call where others
    were answered. `about` is what its words are clearly about.
    """

    def __init__(
        self, status: str, message: str, *, in_doubt: bool = False, about: str | None = None
    ) -> None:
        super().__init__(status, message)
        self.in_doubt = in_doubt
        self.about = about


class FormChanged(Exception):
    """The server refuses the form of the requests, and another is known: ask anew."""


class MalformedBodyError(ValueError):
    """A body that is not what the endpoint promises; raised by a provider's `parse`."""
