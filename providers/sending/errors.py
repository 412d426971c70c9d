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
    )
)
WITHHELD: Final = frozenset(
    ("content_filter", "content_policy", "content_policy_violation", "data_inspection_failed")
)


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
    if b'"error"' not in reply.body[:4096]:
        return None
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None  # told as a malformed body by whoever parses it
    if not isinstance(body, dict) or not body.get("error"):
        return None
    said = _read_object(body)
    inner = next((int(code) for code in said.codes if code.isdigit() and len(code) == 3), 500)
    return _of_status(inner, said, reply.headers, policy)


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
    text = message if isinstance(message, str) else json.dumps(message) if message else ""
    return Said(text, frozenset(codes), _retry_delay(details))


def _retry_delay(details: Any) -> float | None:
    """`RetryInfo.retryDelay` of Google's errors, such as "34s"."""
    for part in details if isinstance(details, list) else ():
        delay = part.get("retryDelay") if isinstance(part, dict) else None
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            return float(delay[:-1])
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
