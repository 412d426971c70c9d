"""`anthropic/MODEL`: a judge behind Anthropic's Messages API.

Wire: https://platform.claude.com/docs/en/api/messages and .../versioning, read in the official
SDK 2.12. Since version 2026-10-21 every sampling parameter is refused, whatever its value.
"""

from __future__ import annotations

from typing import Final

from rmjudge.calls import Json, Unscored, Usage
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import ChatReply
from rmjudge.providers.base import MalformedBodyError, Request, count, member, text_or_none
from rmjudge.providers.finishing import unknown_reason, withheld_for
from rmjudge.providers.judge import JudgeProvider

VERSION: Final = "2026-10-21"
SAMPLING_VERSION: Final = "2023-06-01"
"""The last version that takes sampling parameters, on models that have them."""
MAX_TOKENS: Final = 8192
MAX_TOKENS_SHORT: Final = 16


class Anthropic(JudgeProvider):
    """Judge over `/v1/messages`; `--param anthropic_version=...` chooses another version."""

    name = "anthropic"
    dialect_version = "anthropic-messages/2"
    default_url = "https://api.anthropic.com"
    models_path = "/v1/models?limit=1000"
    url_variable = "ANTHROPIC_BASE_URL"
    key_variables = ("ANTHROPIC_API_KEY",)
    proved_by = "servers: LiteLLM, aimock; types: anthropic SDK"
    local_params = frozenset(("anthropic_version",))
    prompt_cache_tokens = 1024

    def auth(self, key: str) -> dict[str, str]:
        """The key's header, which wins over `Authorization` where both are sent."""
        return {"x-api-key": key}

    def chat_request(self, prompt: JudgePrompt) -> Request:
        """Instructions as system, the shared prompt as a cached block, then the responses."""
        version = self.target.params.get("anthropic_version") or VERSION
        material: list[Json] = [{"type": "text", "text": prompt.responses}]
        if prompt.prompt:
            shared: dict[str, Json] = {"type": "text", "text": prompt.prompt}
            if self.leads(prompt):
                shared["cache_control"] = {"type": "ephemeral"}
            material.insert(0, shared)
        body: dict[str, Json] = {
            "model": self.target.model,
            "max_tokens": MAX_TOKENS if self.judging.reasons else MAX_TOKENS_SHORT,
            "messages": [{"role": "user", "content": material}],
        }
        if prompt.system:
            body["system"] = [{"type": "text", "text": prompt.system}]
        if version == SAMPLING_VERSION:
            body["temperature"] = self.temperature
        headers = {"anthropic-version": str(version)}
        return Request("/v1/messages", self.with_params(body), headers)

    def chat_reply(self, body: Json) -> tuple[ChatReply, Usage, str | None]:
        """Join the text blocks; thinking blocks are never read."""
        blocks = member(body, "content")
        if member(body, "type") != "message" or not isinstance(blocks, list):
            raise MalformedBodyError("a message has `type: message` and a `content` list")
        texts = [member(block, "text") for block in blocks if member(block, "type") == "text"]
        text = "".join(part for part in texts if isinstance(part, str))
        odd = unknown_reason(member(body, "stop_reason"))
        reply = ChatReply(text, _withheld(body, text), odd_reason=odd)
        return reply, _usage(body), text_or_none(member(body, "model"))


def _withheld(body: Json, text: str) -> Unscored | None:
    reason = member(body, "stop_reason")
    if reason == "refusal":
        category = member(body, "stop_details", "category")
        return Unscored("refusal", f"category {category}" if category else "")
    if (withheld := withheld_for(reason)) is not None:
        return withheld
    return None if text.strip() else Unscored("empty", "no text block")


def _usage(body: Json) -> Usage:
    """`input_tokens` leaves cached ones out here, so they are added up."""
    usage = member(body, "usage")
    fresh = count(member(usage, "input_tokens"))
    read = count(member(usage, "cache_read_input_tokens"))
    stored = count(member(usage, "cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (stored or 0),
        output_tokens=count(member(usage, "output_tokens")),
        cached_tokens=read,
        stored_tokens=stored,
    )
