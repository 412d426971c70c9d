"""`gemini/MODEL`: a judge behind Google's generateContent.

Wire: https://ai.google.dev/api/generate-content, read in the official SDK 3.4.
"""

from __future__ import annotations

from typing import Final

from rmjudge.calls import Json, Unscored, Usage
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import Alternatives, ChatReply
from rmjudge.providers.base import (
    MalformedBodyError,
    Request,
    as_list,
    count,
    is_logprob,
    member,
    text_or_none,
)
from rmjudge.providers.finishing import unknown_reason, withheld_for
from rmjudge.providers.judge import JudgeProvider

API_VERSION: Final = "v1beta"
"""`--param api_version='"v1"'` chooses the stable one, which tells no log-probabilities."""
MAX_TOKENS: Final = 16384
"""Covers hidden thinking: too few give a reply without parts."""
MAX_TOKENS_SHORT: Final = 16
TOP_LOGPROBS: Final = 20


class Gemini(JudgeProvider):
    """Judge over `/v1beta/models/MODEL:generateContent`."""

    name = "gemini"
    dialect_version = "gemini-generate-content/2"
    default_url = "https://generativelanguage.googleapis.com"
    models_path = f"/{API_VERSION}/models?pageSize=1000"
    url_variable = "GOOGLE_GEMINI_BASE_URL"
    key_variables = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    proved_by = "servers: LiteLLM, aimock; types: google-genai SDK"
    local_params = frozenset(("api_version", "stream"))
    has_logprobs = True
    prompt_cache_tokens = 4096

    def auth(self, key: str) -> dict[str, str]:
        """The key's header; never in the URL."""
        return {"x-goog-api-key": key}

    def chat_request(self, prompt: JudgePrompt) -> Request:
        """Instructions as system, the shared prompt and the responses as parts."""
        config: dict[str, Json] = {
            "maxOutputTokens": MAX_TOKENS if self.judging.reasons else MAX_TOKENS_SHORT,
            "temperature": self.temperature,
        }
        if self.judging.needs_logprobs:
            config |= {"responseLogprobs": True, "logprobs": TOP_LOGPROBS}
        parts: list[Json] = [{"text": text} for text in (prompt.prompt, prompt.responses) if text]
        body: dict[str, Json] = {
            "contents": [{"role": "user", "parts": parts}],
            "generationConfig": config,
        }
        if prompt.system:
            body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
        version = self.target.params.get("api_version") or API_VERSION
        streams = self.target.params.get("stream") is True
        verb = "streamGenerateContent?alt=sse" if streams else "generateContent"
        path = f"/{version}/models/{self.target.model}:{verb}"
        return Request(path, self.with_params(body))

    def chat_reply(self, body: Json) -> tuple[ChatReply, Usage, str | None]:
        """Join the first candidate's parts that are no thoughts."""
        if not isinstance(body, dict) or not {"candidates", "promptFeedback"} & set(body):
            raise MalformedBodyError("a reply has `candidates` or `promptFeedback`")
        parts = member(body, "candidates", 0, "content", "parts")
        texts = [
            member(part, "text") for part in as_list(parts) if member(part, "thought") is not True
        ]
        text = "".join(part for part in texts if isinstance(part, str))
        odd = unknown_reason(member(body, "candidates", 0, "finishReason"))
        reply = ChatReply(text, _withheld(body, text), _tokens(body), odd)
        return reply, _usage(body), text_or_none(body.get("modelVersion"))


def _withheld(body: dict[str, Json], text: str) -> Unscored | None:
    blocked = text_or_none(member(body, "promptFeedback", "blockReason"))
    reason = text_or_none(member(body, "candidates", 0, "finishReason"))
    if blocked and not text:
        return Unscored("content-filter", f"the prompt was blocked: {blocked}")
    withheld = withheld_for(reason)
    if withheld is not None and withheld.status == "content-filter":
        return Unscored("content-filter", f"finish reason {reason}")
    if withheld is not None:
        return withheld
    return None if text.strip() else Unscored("empty", f"no text; finish reason {reason}")


def _usage(body: dict[str, Json]) -> Usage:
    """Thoughts are output that is paid for, but not among the candidates' tokens."""
    usage = body.get("usageMetadata")
    answer = count(member(usage, "candidatesTokenCount"))
    thoughts = count(member(usage, "thoughtsTokenCount"))
    known = answer is not None or thoughts is not None
    return Usage(
        input_tokens=count(member(usage, "promptTokenCount")),
        output_tokens=(answer or 0) + (thoughts or 0) if known else None,
        cached_tokens=count(member(usage, "cachedContentTokenCount")),
    )


def _tokens(body: dict[str, Json]) -> tuple[Alternatives, ...]:
    places = member(body, "candidates", 0, "logprobsResult", "topCandidates")
    return tuple(
        {
            token: float(logprob)
            for entry in as_list(member(place, "candidates"))
            if isinstance(token := member(entry, "token"), str)
            and is_logprob(logprob := member(entry, "logProbability"))
        }
        for place in as_list(places)
    )
