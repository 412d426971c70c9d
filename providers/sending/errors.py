"""Reading an error: what the provider says, how long to wait, and what class it is.

The classes are those of the failure catalogue: another attempt, final for this call, or
final for the run. Status alone does not decide: a 429 may be an empty purse, a 200 an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from rmjudge.providers.sending.messages import (
    CallError,
    FinalForCall,
    FinalForRun,
    RawReply,
    Retryable,
)
from rmjudge.providers.sending.policy import Policy

MESSAGE_LENGTH: Final = 400

TRANSIENT: Final = frozenset((408, 409, 424, 425, 498, 500, 502, 503, 504, 529))
OVERLOADED: Final = frozenset((429, 498, 503, 529))
FINAL_FOR_RUN: Final = frozenset((401, 402, 403, 404, 405, 407, 410, 412, 501, 505))
EMPTY_PURSE: Final = frozenset(
    (
        "insufficient_quota",
        "enforced_spend_limit_reached",
        "billing_hard_limit_reached",
        "billing_error",
        "access_terminated",
        "account_deactivated",
        "quota-of-the-day",
    )
)
WITHHELD: Final = frozenset(
    ("content_filter", "content_policy", "content_policy_violation", "data_inspection_failed")
)
DECLINED: Final = frozenset(
    ("invalid_prompt", "bio_policy", "misalignment_policy_violation", "content_policy_violation")
)
"""Why a response `failed` that was delivered all the same; its dialect reads it."""
_STATUS_OF: Final[Mapping[str, int]] = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "slow_down": 429,
    "server_is_overloaded": 503,
    "overloaded_error": 529,
}
"""Statuses that errors inside a 200 give by name."""


def classify(reply: RawReply, policy: Policy, now: datetime | None = None) -> CallError | None:
    """Tell what a reply's status and body mean; None when it is a success to be parsed."""
    if 200 <= reply.status < 300:
        return _inside_success(reply, policy)
    said = read_error(reply.body)
    if 300 <= reply.status < 400:
        # Never followed: another host would be sent the key.
        target = reply.headers.get("location", "elsewhere")[:MESSAGE_LENGTH]
        return FinalForRun(
            f"http-{reply.status}",
            f"the endpoint redirects to {target}; redirects are not followed, "
            "since the key would go along: give that address as the base URL if you trust it",
        )
    return _of_status(reply.status, said, reply.headers, policy, now)


def _of_status(
    status: int,
    said: Said,
    headers: Mapping[str, str],
    policy: Policy,
    now: datetime | None = None,
) -> CallError:
    name, message = f"http-{status}", f"HTTP {status}: {said.message or 'no message'}"
    if said.codes & WITHHELD:
        return FinalForCall("content-filter", message)
    told = headers.get("x-should-retry", "").strip().lower()
    passing = status == 429 or status in TRANSIENT or status >= 500
    again = told == "true" or (told != "false" and passing and status not in FINAL_FOR_RUN)
    if said.codes & EMPTY_PURSE or (not again and status in FINAL_FOR_RUN):
        return FinalForRun(name, message)
    if not again:
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
        maybe_billed=status in (500, 502, 504),
    )


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
    said = _read_object(holder)
    if holder.get("status") == "failed" and said.codes & DECLINED:
        return None
    numbers = [int(code) for code in said.codes if code.isdecimal() and len(code) == 3]
    named = [_STATUS_OF[code] for code in said.codes if code in _STATUS_OF]
    return _of_status(min(numbers or named, default=500), said, reply.headers, policy)


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


class Said:
    """What an error body says: a message, its codes and types, a delay."""

    __slots__ = ("codes", "message", "retry_delay_s")

    def __init__(
        self, message: str = "", codes: frozenset[str] = frozenset(), delay: float | None = None
    ) -> None:
        self.message = " ".join(message.split())[:MESSAGE_LENGTH]
        self.codes = codes
        self.retry_delay_s = delay


def read_error(body: bytes) -> Said:
    """Read any vendor's error body: nested, flat, a string, a list, HTML or nothing."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        text = re.sub(r"<[^>]*>", " ", body[:4000].decode("utf-8", "replace"))
        return Said(text)
    if isinstance(data, list) and data:
        data = data[0]
    return _read_object(data) if isinstance(data, dict) else Said(str(data))


def _read_object(data: dict[str, Any]) -> Said:
    error = data.get("error")
    inner: dict[str, Any] = error if isinstance(error, dict) else data
    message = inner.get("message") or data.get("message") or data.get("detail")
    if not message and isinstance(error, str):
        message = error
    details = inner.get("details")
    codes = {
        str(part[key])
        for part in (data, inner, details if isinstance(details, dict) else {})
        for key in ("code", "type", "status", "error_code", "error_type")
        if isinstance(part.get(key), (str, int))
    }
    metadata = inner.get("metadata")
    if isinstance(metadata, dict) and "flagged_input" in metadata:
        codes.add("content_filter")  # OpenRouter's moderation, a 403 that concerns one call
    if _is_of_the_day(details):
        codes.add("quota-of-the-day")
    text = message if isinstance(message, str) else json.dumps(message) if message else ""
    return Said(text, frozenset(codes), _retry_delay(details))


def _retry_delay(details: Any) -> float | None:
    """`RetryInfo.retryDelay` of Google's errors, such as "34s"."""
    for part in details if isinstance(details, list) else ():
        delay = part.get("retryDelay") if isinstance(part, dict) else None
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            seconds = float(delay[:-1])
            return seconds if math.isfinite(seconds) else None
    return None


def _is_of_the_day(details: Any) -> bool:
    """Whether Google's `QuotaFailure` names a quota of the day: its `retryDelay` is no use."""
    for part in details if isinstance(details, list) else ():
        violations = part.get("violations") if isinstance(part, dict) else None
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, dict) and "PerDay" in str(violation.get("quotaId")):
                return True
    return False


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
