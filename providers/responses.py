"""`openai-responses/MODEL`: a judge behind OpenAI's Responses API, or a server that speaks it.

Wire: https://platform.openai.com/docs/api-reference/responses, read in the official SDK 3.54.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rmjudge.calls import Json, Unscored, Usage
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import ChatReply
from rmjudge.providers.base import (
    MalformedBodyError,
    Request,
    as_list,
    count,
    member,
    text_or_none,
)
from rmjudge.providers.charges import dollars_told
from rmjudge.providers.chat import (
    MAX_TOKENS,
    MAX_TOKENS_REASONING,
    MAX_TOKENS_SHORT,
    REFUSAL_SHOWN,
    TOP_LOGPROBS,
    is_reasoning_model,
    token_alternatives,
)
from rmjudge.providers.finishing import unknown_reason, withheld_for
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.sending.signs import DECLINED

_STATES: Final = ("completed", "failed", "incomplete", "in_progress", "queued", "cancelled")


class OpenAIResponses(JudgeProvider):
    """Judge over `/responses`; nothing is kept at the vendor (`store: false`)."""

    name = "openai-responses"
    dialect_version = "openai-responses/2"
    models_path = "/models"
    address_hint = "is the address right? It ends in /v1 for most servers of this kind"
    default_url = "https://api.openai.com/v1"
    url_variable = "OPENAI_BASE_URL"
    key_variables = ("OPENAI_API_KEY",)
    has_logprobs = True
    proved_by = "servers: transformers serve, LiteLLM, aimock; types: openai SDK"
    prompt_cache_tokens = 1024

    def chat_request(self, prompt: JudgePrompt) -> Request:
        """Instructions apart from the input."""
        body: dict[str, Json] = {
            "model": self.target.model,
            "input": prompt.user,
            "store": False,
            "stream": False,  # transformers serve streams by default
            **self._sampling(),
        }
        if prompt.system:
            body["instructions"] = prompt.system
        return Request("/responses", self.with_params(body))

    def _sampling(self) -> dict[str, Json]:
        reasoning = is_reasoning_model(self.target.model)
        if reasoning and not self.judging.needs_logprobs:
            return {"max_output_tokens": MAX_TOKENS_REASONING}
        room = MAX_TOKENS if self.judging.reasons else MAX_TOKENS_SHORT
        sampling: dict[str, Json] = {"max_output_tokens": room}
        if reasoning:
            sampling["reasoning"] = {"effort": "none"}
        else:
            sampling["temperature"] = self.temperature
        if self.judging.needs_logprobs:
            sampling |= {
                "top_logprobs": TOP_LOGPROBS,
                "include": ["message.output_text.logprobs"],
            }
        return sampling

    def chat_reply(self, body: Json) -> tuple[ChatReply, Usage, str | None]:
        """Read the message among the output items; the first item is often reasoning."""
        if not isinstance(body, dict) or not isinstance(body.get("output"), list):
            raise MalformedBodyError("a response has `output`")
        failed = _failed(body)
        if body.get("status") == "failed" and failed is None:
            code = member(body, "error", "code")
            raise MalformedBodyError(f"the response failed: {code}")
        parts = list(_parts(body))
        texts = [member(part, "text") for part in parts if member(part, "type") == "output_text"]
        text = "".join(part for part in texts if isinstance(part, str))
        tokens = tuple(
            token_alternatives(entry)
            for part in parts
            for entry in as_list(member(part, "logprobs"))
        )
        odd = unknown_reason(body.get("status")) if body.get("status") not in _STATES else ""
        reply = ChatReply(text, failed or _withheld(body, parts, text), tokens, odd)
        return reply, _usage(body), text_or_none(body.get("model"))


def _parts(body: dict[str, Json]) -> Iterator[Json]:
    for item in member(body, "output"):
        content = member(item, "content")
        if member(item, "type") == "message" and isinstance(content, list):
            yield from content


def _failed(body: dict[str, Json]) -> Unscored | None:
    code = member(body, "error", "code")
    if body.get("status") == "failed" and code in DECLINED:
        return Unscored("content-filter", f"the response failed: {code}")
    return None


def _withheld(body: dict[str, Json], parts: list[Json], text: str) -> Unscored | None:
    reason = member(body, "incomplete_details", "reason")
    if (withheld := withheld_for(reason)) is not None:
        return withheld
    # Some servers say that it is incomplete, and no more; a response that is not completed is cut.
    if body.get("status") in ("incomplete", "in_progress", "queued", "cancelled"):
        return Unscored("truncated", "the answer ran into the token limit")
    for part in parts:
        if member(part, "type") == "refusal":
            said = str(member(part, "refusal") or "")
            return Unscored("refusal", " ".join(said.split())[:REFUSAL_SHOWN])
    return None if text.strip() else Unscored("empty", "no output text")


def _usage(body: dict[str, Json]) -> Usage:
    usage = body.get("usage")
    return Usage(
        input_tokens=count(member(usage, "input_tokens")),
        output_tokens=count(member(usage, "output_tokens")),
        cached_tokens=count(member(usage, "input_tokens_details", "cached_tokens")),
        stored_tokens=count(member(usage, "input_tokens_details", "cache_write_tokens")),
        dollars=dollars_told(usage),
    )
