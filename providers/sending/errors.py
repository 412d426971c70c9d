"""Reading an error: how long to wait, and what class it is.

The classes are those of the failure catalogue: another attempt, final for this call, or
final for the run. Status alone does not decide: a 429 may be an empty purse, a 403 one prompt, a
200 an error. Clear words decide before the status.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from rmjudge.providers.sending import signs
from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    RawReply,
    Retryable,
)
from rmjudge.providers.sending.policy import Policy
from rmjudge.providers.sending.said import MESSAGE_LENGTH, Said, read_error, read_object

TRANSIENT: Final = frozenset((408, 409, 424, 425, 498, 500, 502, 503, 504, 529))
OVERLOADED: Final = frozenset((429, 498, 503, 529))
FINAL_FOR_RUN: Final = frozenset((401, 402, 404, 405, 407, 410, 412, 501, 505))
MAYBE_BILLED: Final = frozenset((408, 500, 502, 504, 520, 521, 522, 523, 524))
"""The server, or what stands behind it, may have worked: 520 to 524 are Cloudflare's."""
_OUTRANKS_WORDS: Final = frozenset((401, 402, 407, 410))
_STATUS_OF: Final[Mapping[str, int]] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "slow_down": 429,
    "server_is_overloaded": 503,
    "overloaded_error": 529,
}
"""Statuses that errors inside a 200 give by name."""
_STATUS_FOR: Final[Mapping[signs.About, int]] = {
    "account": 403,
    "prompt": 400,
    "length": 400,
    "model": 404,
    "address": 404,
    "overload": 429,
}
"""Statuses that errors inside a 200 have by what their words are about."""
UNKNOWN: Final = 500
"""What an error inside a 200 counts as where neither its codes nor its words tell."""


def classify(reply: RawReply, policy: Policy, now: datetime | None = None) -> CallError | None:
    """Tell what a reply's status and body mean; None when it is a success to be parsed."""
    if 200 <= reply.status < 300:
        return _inside_success(reply, policy)
    if 300 <= reply.status < 400:
        # Never followed: another host would be sent the key.
        target = reply.headers.get("location", "elsewhere")[:MESSAGE_LENGTH]
        return FinalForRun(
            f"http-{reply.status}",
            f"the endpoint redirects to {target}; redirects are not followed, "
            "since the key would go along: give that address as the base URL if you trust it",
        )
    said = read_error(reply.body)
    message = f"HTTP {reply.status}: {said.message or 'no message'}"
    return _of_status(reply.status, said, message, reply.headers, policy, now=now)


def _of_status(
    status: int,
    said: Said,
    message: str,
    headers: Mapping[str, str],
    policy: Policy,
    *,
    now: datetime | None = None,
) -> CallError:
    name = f"http-{status}"
    about = _about(status, said)
    if about in signs.FOR_ALL:
        return FinalForRun(name, message, about=about)
    if about is not None or (status == 429 and signs.never_fits(said)):
        filtered = about == "prompt" and "invalid_prompt" not in said.codes
        return FinalForCall("content-filter" if filtered else name, message, about=about)
    told = headers.get("x-should-retry", "").strip().lower()
    passing = status == 429 or status in TRANSIENT or status >= 500
    again = told == "true" or (told != "false" and passing and status not in FINAL_FOR_RUN)
    if not again:
        if status in FINAL_FOR_RUN or status == 403:
            return FinalForRun(name, message, in_doubt=status == 403)
        return FinalForCall(name, message)
    wait = retry_after(headers, now)
    if wait is None:
        wait = said.retry_delay_s
    if wait is not None and wait > policy.longest_server_wait_s:
        return FinalForRun(name, f"the endpoint asks to wait {wait / 60:.0f} min: {message}")
    overloaded = status in OVERLOADED
    return Retryable(
        name,
        message,
        attempts=policy.attempts_rate_limited if overloaded else policy.attempts_transient,
        wait_s=wait,
        slow_down=overloaded,
        maybe_billed=status in MAYBE_BILLED,
        away=status >= 500,
    )


def _about(status: int, said: Said) -> signs.About | None:
    """What an error is about, as far as its status lets codes and words decide."""
    by_code = signs.about_by_code(said)
    if by_code is not None:
        return by_code
    if status in _OUTRANKS_WORDS:
        return None
    if status == 429:
        return "account" if signs.ends_a_run(said) else None
    found = signs.about_by_words(said)
    if status in FINAL_FOR_RUN or status in TRANSIENT - {500}:
        return found if found == "model" else None
    # A server that fails may have lost any page; only a refusal is about the path.
    return None if found == "address" and status >= 500 else found


def _inside_success(reply: RawReply, policy: Policy) -> CallError | None:
    """Find an error that came with a 200 (OpenRouter does that once the model has started)."""
    if b'"error"' not in reply.body:
        return None
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None  # whoever parses it reports a malformed body
    holder = _with_error(body)
    if holder is None:
        return None
    said = read_object(holder)
    if holder.get("status") == "failed" and said.codes & signs.DECLINED:
        return None
    return (
        _by_number(said, reply, policy)
        or _by_words(said, reply, policy)
        or _of_status(UNKNOWN, said, _in_success(said), reply.headers, policy)
    )


def unread(reply: RawReply, policy: Policy) -> CallError | None:
    """What a reply means that came with a success and is none; None where unclear."""
    said = read_error(reply.body)
    return _by_words(said, reply, policy) or _by_number(said, reply, policy)


def _by_number(said: Said, reply: RawReply, policy: Policy) -> CallError | None:
    """What an error is that gives its status in its body: `{"code": 401, "msg": ...}`."""
    numbers = [int(code) for code in said.codes if code.isdecimal() and len(code) == 3]
    named = [_STATUS_OF[code] for code in said.codes if code in _STATUS_OF]
    told = [status for status in numbers or named if 400 <= status < 600]
    if not told:
        return None
    message = f"HTTP {min(told)}: {said.message or 'no message'}"
    return _of_status(min(told), said, message, reply.headers, policy)


def _by_words(said: Said, reply: RawReply, policy: Policy) -> CallError | None:
    about = signs.about_in_success(said) if said.found else None
    if about is None:
        return None
    return _of_status(_STATUS_FOR[about], said, _in_success(said), reply.headers, policy)


def _in_success(said: Said) -> str:
    return f"an error with status 200: {said.message or 'no message'}"


def _with_error(body: Any) -> dict[str, Any] | None:
    """The object that has an `error`: the body, or a choice that was broken off."""
    if not isinstance(body, dict):
        return None
    if body.get("error"):
        return body
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and isinstance(choice.get("error"), dict) and choice["error"]:
            return choice
    return None


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the server asks to wait: `retry-after-ms`, seconds, or an HTTP date.

    None when it does not say, or says nothing sensible (negative, NaN, past, words).
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        try:
            seconds = float(text) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return seconds if seconds > 0 else None
