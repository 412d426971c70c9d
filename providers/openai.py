"""`openai/MODEL`: a judge behind OpenAI chat completions, or any server that speaks them.

Wire: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from rmjudge.calls import Answer, Call, CompareCall, Json, Unscored, Usage
from rmjudge.judging.prompt import CLOSING, RUBRIC, pairwise_prompt
from rmjudge.judging.verdict import PARSER, parse_verdict
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    count,
    member,
    text_or_none,
)

OFFICIAL_URL: Final = "https://api.openai.com/v1"
MAX_TOKENS: Final = 4096
MAX_TOKENS_REASONING: Final = 16384
"""Covers hidden reasoning; too few give an empty answer that is paid for."""
_REASONING_MODEL: Final = re.compile(r"(^|/)(o\d|gpt-[5-9])")


class OpenAI(Provider):
    """Pairwise judge over chat completions."""

    name = "openai"
    method = "pairwise"
    parser = f"openai-chat/1+{PARSER}"
    default_url = OFFICIAL_URL
    url_variable = "OPENAI_BASE_URL"
    key_variable = "OPENAI_API_KEY"
    output_tokens_estimate = 400

    @property
    def template(self) -> str:
        """The rubric and the closing line."""
        return f"{RUBRIC}\n\n{CLOSING}"

    def build(self, calls: Sequence[Call]) -> Request:
        """One comparison a request."""
        (call,) = calls
        if not isinstance(call, CompareCall):
            raise TypeError("a pairwise judge compares two responses")
        prompt = pairwise_prompt(call)
        return Request(
            "/chat/completions",
            self.with_params(
                {
                    "model": self.target.model,
                    "messages": [
                        {"role": "system", "content": prompt.system},
                        {"role": "user", "content": prompt.user},
                    ],
                    **self._sampling(),
                }
            ),
        )

    def _sampling(self) -> dict[str, Json]:
        official = self.target.base_url.startswith(OFFICIAL_URL)
        limit = "max_completion_tokens" if official else "max_tokens"
        if official and _REASONING_MODEL.search(self.target.model):
            # These models refuse a temperature.
            return {limit: MAX_TOKENS_REASONING}
        return {limit: MAX_TOKENS, "temperature": 0}

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read a completion."""
        if not isinstance(part, dict) or not isinstance(part.get("choices"), list):
            raise MalformedBodyError("a completion has `choices`")
        reason = member(part, "choices", 0, "finish_reason")
        if reason in ("error", "abort", "insufficient_system_resource"):
            raise MalformedBodyError("the server gave up on the answer half way")
        return _answer(part), _usage(part), _model(part)


def _answer(body: dict[str, Json]) -> Answer:
    choice = member(body, "choices", 0)
    message = member(choice, "message")
    reason = member(choice, "finish_reason")
    refusal = text_or_none(member(message, "refusal"))
    content = _content(member(message, "content"))
    if reason == "content_filter":
        return Unscored("content-filter", "the provider withheld the answer")
    if reason in ("length", "model_length"):
        return Unscored("truncated", "the answer ran into the token limit")
    if refusal is not None:
        return Unscored("refusal", " ".join(refusal.split())[:160])
    if content is None:
        return Unscored("empty", "no content")
    return parse_verdict(content)


def _content(content: Json) -> str | None:
    """Visible text; some servers send a list of chunks, thinking among them."""
    if isinstance(content, list):
        chunks = [member(chunk, "text") for chunk in content if member(chunk, "type") == "text"]
        content = "".join(chunk for chunk in chunks if isinstance(chunk, str))
    return text_or_none(content)


def _usage(body: dict[str, Json]) -> Usage:
    usage = body.get("usage")
    return Usage(
        input_tokens=count(member(usage, "prompt_tokens")),
        output_tokens=count(member(usage, "completion_tokens")),
        cached_tokens=count(member(usage, "prompt_tokens_details", "cached_tokens")),
    )


def _model(body: dict[str, Json]) -> str | None:
    model = text_or_none(body.get("model"))
    fingerprint = text_or_none(body.get("system_fingerprint"))
    return f"{model} ({fingerprint})" if model and fingerprint else model
