"""What an error body says, wherever its vendor writes it: words, codes, a delay."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MESSAGE_LENGTH: Final = 400
_READ: Final = 20_000
"""Characters of a body that are looked through."""
_WORDS: Final = (
    "message",
    "msg",
    "error_msg",
    "error_message",
    "errorMessage",
    "errMsg",
    "detail",
    "status_msg",
    "Message",
    "errors",
    "description",
    "reason",
    "title",
    "faultstring",
)
"""Fields that hold a vendor's words, the best first."""
_CODES: Final = (
    "code", "Code", "type", "status", "status_code", "statusCode", "error_code", "error_type",
    "reason",
)  # fmt: skip
_PLAIN: Final = 500
"""Characters of an error that is a text and no JSON, at most."""
_INSIDE: Final = (
    "error", "base_resp", "details", "innererror", "fault",
    "Error", "Response", "result", "header", "meta", "body",
)  # fmt: skip
"""Fields whose object holds more of the same."""


class Said:
    """What an error body says.

    `message` is for people, short and in one line; `text` is all its words, for `signs`; `param`
    is the parameter that it complains of; `found` tells whether any field held words; `is_page`
    whether the body is a page for a browser.
    """

    __slots__ = ("codes", "found", "is_page", "message", "param", "retry_delay_s", "text")

    def __init__(
        self,
        message: str = "",
        codes: frozenset[str] = frozenset(),
        delay: float | None = None,
        *,
        more: str = "",
        param: str = "",
        found: bool = False,
        is_page: bool = False,
    ) -> None:
        words = " ".join(message[:_READ].split())
        self.message = words[:MESSAGE_LENGTH]
        self.text = f"{words} {more[:_READ]}"
        self.codes = codes
        self.retry_delay_s = delay
        self.param = param
        self.found = found
        self.is_page = is_page


def read_error(body: bytes) -> Said:
    """Read any vendor's error body: nested, flat, a string, a list, HTML or nothing."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        text = body[:4000].decode("utf-8", "replace")
        plain = len(body) < _PLAIN and re.match(r"\s*\w", text) is not None
        return Said(re.sub(r"<[^>]*>", " ", text), found=plain, is_page=is_page(body))
    if isinstance(data, list) and data:
        data = data[0]
    if isinstance(data, dict):
        return read_object(data)
    return Said(str(data), found=isinstance(data, str))


def is_page(body: bytes) -> bool:
    """Whether a body is a page for a browser, which a gateway writes in a server's place."""
    return bool(re.match(rb"\s*<(!doctype|html|head|title|body|\?xml)\b", body[:200], re.I))


def read_object(data: dict[str, Any]) -> Said:
    """Read an error that is an object."""
    error = data.get("error")
    places = list(_places(data))
    inner: dict[str, Any] = error if isinstance(error, dict) else data
    message = _words_in(inner)
    if not message and isinstance(error, str):
        message = error
    if not message and isinstance(error, list) and error:
        message = _listed(error)
    if not message:
        message = next(filter(None, (_words_in(each) or _error_in(each) for each in places)), "")
    metadata = inner.get("metadata")
    upstream = metadata.get("raw") if isinstance(metadata, dict) else None
    behind = Said()
    if isinstance(upstream, str) and upstream:  # OpenRouter: "Provider returned error"
        behind = read_error(upstream[:_READ].encode("utf-8", "replace"))
        message = f"{message}: {behind.message}" if message else behind.message
    codes = {
        str(place[key])
        for place in places
        for key in _CODES
        if isinstance(place.get(key), (str, int)) and len(str(place[key])) <= MESSAGE_LENGTH
    }
    if isinstance(metadata, dict) and "flagged_input" in metadata:
        codes.add("content_filter")  # OpenRouter's moderation, a 403 that concerns one call
    details = inner.get("details")
    if _is_of_the_day(details):
        codes.add("quota-of-the-day")
    codes |= {
        str(part["reason"]) for part in _dicts(details) if isinstance(part.get("reason"), str)
    }
    param = inner.get("param")
    return Said(
        message,
        frozenset(codes) | behind.codes,
        _retry_delay(details),
        more=behind.text,
        param=param if isinstance(param, str) else "",
        found=bool(message),
    )


def _places(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The object and those in it that say more about the same error."""
    todo = [data]
    for place in todo:
        yield place
        if len(todo) < 2 * len(_INSIDE):
            todo += [place[name] for name in _INSIDE if isinstance(place.get(name), dict)]


def _words_in(place: Mapping[str, Any]) -> str:
    for name in _WORDS:
        value = place.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and value:
            return _listed(value)
        if isinstance(value, dict) and value:
            return _words_in(value) or json.dumps(value)
    return ""


def _error_in(place: Mapping[str, Any]) -> str:
    error = place.get("error")
    return error if isinstance(error, str) else ""


def _listed(values: list[Any]) -> str:
    if all(isinstance(value, str) for value in values):
        return "; ".join(values)
    if len(values) == 1 and isinstance(values[0], dict) and "loc" not in values[0]:
        return _words_in(values[0]) or json.dumps(values)
    # What FastAPI was given is the prompt: its words are not the server's.
    kept = [
        {name: part for name, part in value.items() if name not in ("input", "ctx", "url")}
        if isinstance(value, dict)
        else value
        for value in values
    ]
    return json.dumps(kept)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    yield from (
        part for part in (value if isinstance(value, list) else ()) if isinstance(part, dict)
    )


def _retry_delay(details: Any) -> float | None:
    """`RetryInfo.retryDelay` of Google's errors, such as "34s"."""
    for part in _dicts(details):
        delay = part.get("retryDelay")
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            seconds = float(delay[:-1])
            return seconds if math.isfinite(seconds) else None
    return None


def _is_of_the_day(details: Any) -> bool:
    """Whether Google's `QuotaFailure` names a quota of the day: its `retryDelay` is no use."""
    return any(
        "PerDay" in str(violation.get("quotaId"))
        for part in _dicts(details)
        for violation in _dicts(part.get("violations"))
    )
