"""Why a model stopped writing, under the names that servers and gateways have for it."""

from __future__ import annotations

from typing import Any, Final

from rmjudge.calls import Unscored
from rmjudge.text import shorten

CUT: Final = frozenset(
    (
        "length", "max_tokens", "model_length", "max_output_tokens", "max_completion_tokens",
        "max_new_tokens", "max_length", "max_tokens_reached", "token_limit", "continuation",
        "model_context_window_exceeded", "context_length_exceeded", "context_window_exceeded",
        "context_length", "incomplete", "truncated", "limit", "error_limit", "time_limit",
        "pause_turn", "eviction", "cut",
    )
)  # fmt: skip
FILTERED: Final = frozenset(
    (
        "content_filter", "content_filtered", "guardrail_intervened", "safety", "recitation",
        "prohibited_content", "spii", "blocklist", "language", "other", "escalation",
        "pup_limited_disabled", "malformed_response", "image_safety", "sensitive", "error_toxic",
        "content_moderation", "moderation", "filtered", "guardrails", "data_inspection_failed",
    )
)  # fmt: skip
REFUSED: Final = frozenset(("refusal", "refused"))
WHOLE: Final = frozenset(
    (
        "", "stop", "end_turn", "eos", "eos_token", "stop_sequence", "complete", "completed",
        "finished", "finish", "done", "end", "normal", "stop_token", "stop_string", "success",
        "unspecified", "finish_reason_unspecified", "tool_calls", "tool_use", "function_call",
    )
)  # fmt: skip
BROKEN_OFF: Final = frozenset(
    (
        "error", "abort", "aborted", "cancelled", "canceled", "interrupted", "timeout", "timed_out",
        "insufficient_system_resource", "network_error", "server_error", "internal_error",
        "overloaded", "disconnected", "failed",
    )
)  # fmt: skip
"""The server gave up half way; what came is no answer, and another attempt may bring one."""
_SHOWN: Final = 40


def plain_reason(reason: Any) -> str:
    """`FinishReason.MAX_TOKENS`, `max-tokens` and `MAX_TOKENS` are one word."""
    if isinstance(reason, dict):  # SGLang's own form
        reason = reason.get("type")
    word = reason if isinstance(reason, str) else ""
    word = word.rpartition(".")[2].strip().lower().replace("-", "_").replace(" ", "_")
    return word.removeprefix("finish_reason_") if word != "finish_reason_unspecified" else word


def withheld_for(reason: Any) -> Unscored | None:
    """Why a reply that ended for this reason is not to be read; None where it may be."""
    word = plain_reason(reason)
    if word in CUT:
        return Unscored("truncated", "the answer ran into the token limit")
    if word in FILTERED:
        return Unscored("content-filter", "the provider withheld the answer")
    if word in REFUSED:
        return Unscored("refusal", "the model declined")
    return None


def broke_off(reason: Any) -> bool:
    """Whether the server gave up on the answer half way."""
    return plain_reason(reason) in BROKEN_OFF


def unknown_reason(reason: Any) -> str:
    """A reason that is not known here, in one clean line; empty where it is known."""
    word = plain_reason(reason)
    known = CUT | FILTERED | REFUSED | WHOLE
    return "" if word in known else shorten(word, _SHOWN)
