"""Other forms of a chat completion, for servers that refuse the usual one.

Each is a change of parameters that the user could give with `--param`, so that answers in an
adapted form have the identity of a run with these parameters.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final, TypeAlias

from rmjudge.calls import Json
from rmjudge.providers.sending.hints import says_no

Body: TypeAlias = Mapping[str, Json]
Change: TypeAlias = dict[str, Json]

SYSTEM_ROLE: Final = "system_role"
"""Not sent: with "user" the instructions stand at the head of the user's turn."""
_SYSTEM: Final = re.compile(
    r"system[ _]?(role|message|prompt|instruction|turn).{0,60}(not|n't|unsupported|only|invalid)"
    r"|(not|n't|unsupported|no|invalid)\b.{0,40}\b(system|developer)[ _]?"
    r"(role|message|prompt|instruction|turn)"
    r"|roles? must alternate|only ['\"]?user['\"]?,? (and|or) ['\"]?(assistant|model)",
    re.I,
)
_STREAM: Final = re.compile(
    r"(only|must|need|require|enable|please|has to|set)\w*.{0,60}\bstream|\bstream\w*.{0,60}"
    r"\b(only|must be|required|need|enable|to true|=\s*true)",
    re.I,
)


def change_for(refusal: str, body: Body, given: Body, room: int) -> Change | None:
    """The parameters to change after a refusal in these words; None where nothing is known.

    `body` is what was sent, `given` the user's own parameters, which are never changed; `room` is
    the limit of tokens for a model that names its limit `max_completion_tokens`.
    """
    for name, change in _changes(body, room).items():
        if not given.keys() & change.keys() and _is_refused(name, refusal):
            return change
    return None


def every_change(body: Body, given: Body, room: int) -> Iterator[Change]:
    """All that `change_for` may add up to, the smallest first."""
    known = [one for one in _changes(body, room).values() if not given.keys() & one.keys()]
    taken = sorted(product((False, True), repeat=len(known)), key=sum)
    for take in taken[1:]:
        merged: Change = {}
        for one, is_taken in zip(known, take, strict=True):
            merged |= one if is_taken else {}
        yield merged


def _changes(body: Body, room: int) -> dict[str, Change]:
    """What may be asked otherwise, by what is refused."""
    changes: dict[str, Change] = {}
    if "max_tokens" in body:
        changes["max_tokens"] = {"max_tokens": None, "max_completion_tokens": room}
    elif "max_completion_tokens" in body:
        limit = body["max_completion_tokens"]
        changes["max_completion_tokens"] = {"max_completion_tokens": None, "max_tokens": limit}
    if "temperature" in body:
        changes["temperature"] = {"temperature": None}
    messages = body.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and first.get("role") == "system":
        changes["system"] = {SYSTEM_ROLE: "user"}
    if "stream_options" in body:
        changes["stream_options"] = {"stream_options": None}
    elif body.get("stream") is not True:
        changes["stream"] = {"stream": True}
    return changes


def _is_refused(name: str, refusal: str) -> bool:
    if name == "system":
        return _SYSTEM.search(refusal) is not None
    if name == "stream":
        return _STREAM.search(refusal) is not None
    return re.search(rf"\b{name}\b", refusal) is not None and says_no(refusal)


def written(change: Body) -> str:
    """A change as the options that a user would give."""
    return " ".join(
        f"--param {shlex.quote(f'{name}={json.dumps(value)}')}"
        for name, value in sorted(change.items())
    )
