"""Judges over chat completions: OpenAI's dialect, and how its many speakers deviate.

Wire: https://platform.openai.com/docs/api-reference/chat. The vendors stand in
`rmjudge.providers.vendors` as data; this module knows the dialect.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import ClassVar, Final

from rmjudge.calls import Json, Unscored, Usage
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import Alternatives, ChatReply
from rmjudge.providers import forms
from rmjudge.providers.base import (
    PROBES,
    MalformedBodyError,
    Request,
    as_list,
    count,
    is_logprob,
    member,
    text_or_none,
)
from rmjudge.providers.charges import dollars_told
from rmjudge.providers.finishing import broke_off, unknown_reason, withheld_for
from rmjudge.providers.forms import SYSTEM_ROLE
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.vendors import VENDORS, Vendor

MAX_TOKENS: Final = 4096
MAX_TOKENS_REASONING: Final = 16384
"""Covers hidden reasoning; too few give an empty answer that is paid for."""
MAX_TOKENS_SHORT: Final = 16
TOP_LOGPROBS: Final = 20
REFUSAL_SHOWN: Final = 160
_REASONING_MODEL: Final = re.compile(r"(^|/)(o\d|gpt-[5-9])")
_EXPLICIT_CACHE_MODEL: Final = re.compile(r"(^|/)gpt-(5\.[6-9]|[6-9])")


class ChatCompletions(JudgeProvider):
    """A judge behind any server that speaks chat completions."""

    vendor: ClassVar[Vendor]
    dialect_version = "openai-chat/4"
    has_roles = True
    address_hint = "is the address right? It ends in /v1 for most servers of this kind"
    local_params = frozenset((SYSTEM_ROLE,))

    @property
    def _official(self) -> bool:
        return self.vendor.name == "openai" and self.target.base_url == self.vendor.base_url

    def auth(self, key: str) -> dict[str, str]:
        """The key's header."""
        if self.vendor.key_header:
            return {self.vendor.key_header: key}
        return {"authorization": f"Bearer {key}"}

    def chat_request(self, prompt: JudgePrompt) -> Request:
        """Instructions as system, material as user."""
        if prompt.turns:
            messages: list[Json] = [{"role": role, "content": text} for role, text in prompt.turns]
        else:
            messages = [{"role": "user", "content": self._content(prompt)}]
            if prompt.system:
                messages.insert(0, {"role": "system", "content": prompt.system})
        if self.target.params.get(SYSTEM_ROLE) == "user":
            messages = _without_system(messages)
        body: dict[str, Json] = {
            "model": self.target.model,
            "messages": messages,
            **self._sampling(),
            **self._caching(prompt),
            **self.vendor.extra,
        }
        if self.target.params.get("stream") is True:
            body["stream_options"] = {"include_usage": True}
        return Request("/chat/completions", self.with_params(body))

    def change_for(self, refusal: str) -> Mapping[str, Json] | None:
        """A known other form for what the server refuses."""
        return forms.change_for(refusal, self._probe, self.target.params, self._room)

    def every_change(self) -> Iterable[Mapping[str, Json]]:
        """All known other forms."""
        return forms.every_change(self._probe, self.target.params, self._room)

    @property
    def _probe(self) -> Mapping[str, Json]:
        return self.chat_request(self.judging.prompt(PROBES[self.method])).body

    @property
    def _room(self) -> int:
        return MAX_TOKENS_REASONING if self.judging.reasons else MAX_TOKENS_SHORT

    def _content(self, prompt: JudgePrompt) -> Json:
        if not (self._caches_explicitly and self.leads(prompt)):
            return prompt.user
        # One breakpoint after the shared part: without it the unique tails are written to the
        # cache as well, at a premium.
        shared: dict[str, Json] = {
            "type": "text",
            "text": f"{prompt.prompt}\n\n",
            "prompt_cache_breakpoint": {"mode": "explicit"},
        }
        return [shared, {"type": "text", "text": prompt.responses}]

    @property
    def _caches_explicitly(self) -> bool:
        return self._official and bool(_EXPLICIT_CACHE_MODEL.search(self.target.model))

    def _caching(self, prompt: JudgePrompt) -> dict[str, Json]:
        if not (self._official and self.leads(prompt)):
            return {}
        shared = f"{prompt.system}\n{prompt.prompt}".encode("utf-8", "surrogatepass")
        options: dict[str, Json] = {"prompt_cache_key": hashlib.sha256(shared).hexdigest()[:32]}
        if self._caches_explicitly:
            options["prompt_cache_options"] = {"mode": "explicit"}
        return options

    def _sampling(self) -> dict[str, Json]:
        limit = "max_completion_tokens" if self._official else self.vendor.limit_field
        if self._official and is_reasoning_model(self.target.model):
            # These models refuse a temperature, and log-probabilities too unless reasoning is off.
            if not self.judging.needs_logprobs:
                return {limit: MAX_TOKENS_REASONING}
            return {limit: MAX_TOKENS_SHORT, "reasoning_effort": "none", **self._logprobs()}
        room = self.vendor.max_tokens if self.judging.reasons else MAX_TOKENS_SHORT
        return {limit: room, "temperature": self.temperature, **self._logprobs()}

    def _logprobs(self) -> dict[str, Json]:
        if not self.judging.needs_logprobs:
            return {}
        if self.vendor.logprobs == "count":
            return {"logprobs": self.vendor.top_logprobs}
        return {"logprobs": True, "top_logprobs": self.vendor.top_logprobs}

    def chat_reply(self, body: Json) -> tuple[ChatReply, Usage, str | None]:
        """Read a completion."""
        if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
            raise MalformedBodyError("a completion has `choices`")
        choice = member(body, "choices", 0)
        if broke_off(member(choice, "finish_reason")):
            raise MalformedBodyError("the server gave up on the answer half way")
        text = _content(member(choice, "message", "content")) or _content(member(choice, "text"))
        tokens = _tokens(member(choice, "logprobs"))
        reply = ChatReply(
            text,
            _withheld(choice, text),
            tokens,
            odd_reason=unknown_reason(member(choice, "finish_reason")),
        )
        return reply, self._usage(body), _model(body)

    def _usage(self, body: dict[str, Json]) -> Usage:
        usage = body.get("usage")
        cached = count(member(usage, "prompt_tokens_details", "cached_tokens"))
        if cached is None:
            cached = count(member(usage, "prompt_cache_hit_tokens"))
        written = count(member(usage, "completion_tokens"))
        if written is not None and self.vendor.reasoning_apart:
            hidden = member(usage, "completion_tokens_details", "reasoning_tokens")
            written += count(hidden) or 0
        stored = count(member(usage, "prompt_tokens_details", "cache_write_tokens"))
        read = count(member(usage, "prompt_tokens"))
        return Usage(read, written, cached, stored, dollars_told(usage))

    def host(self, part: Json) -> str | None:
        """OpenRouter and its kin say who ran the model."""
        return text_or_none(member(part, "provider"))


def _without_system(messages: list[Json]) -> list[Json]:
    """The turns with the instructions at the head of the user's first."""
    system = [member(turn, "content") for turn in messages if member(turn, "role") == "system"]
    others = [turn for turn in messages if member(turn, "role") != "system"]
    if not (system and others):
        return [{"role": "user", "content": text} for text in system] or messages
    text = "\n\n".join(str(part) for part in system)
    content = member(others[0], "content")
    if isinstance(content, list):
        content = [{"type": "text", "text": f"{text}\n\n"}, *content]
    else:
        content = f"{text}\n\n{content}"
    return [{"role": "user", "content": content}, *others[1:]]


def is_reasoning_model(model: str) -> bool:
    """Whether OpenAI's model of this name reasons by default."""
    return bool(_REASONING_MODEL.search(model))


def _content(content: Json) -> str:
    """Visible text; some servers send a chunk or a list of chunks, thinking among them."""
    chunks = content if isinstance(content, list) else [content]
    return "".join(
        text
        for chunk in chunks
        if isinstance(
            text := chunk if isinstance(chunk, str) else _text_of(chunk),
            str,
        )
    )


def _text_of(chunk: Json) -> Json:
    return member(chunk, "text") if member(chunk, "type") in ("text", "output_text") else None


def _withheld(choice: Json, text: str) -> Unscored | None:
    reasons = _reasons(choice)
    withheld = next(filter(None, map(withheld_for, reasons)), None)
    if withheld is not None and withheld.status != "refusal":
        return withheld
    refusal = _refusal(member(choice, "message"))
    if refusal is not None:
        return Unscored("refusal", " ".join(refusal.split())[:REFUSAL_SHOWN])
    if withheld is not None:
        return withheld
    if text.strip():
        return None
    if _is_filtered(choice):
        return Unscored("content-filter", "the provider withheld the answer")
    return Unscored("empty", "no content")


def _reasons(choice: Json) -> list[Json]:
    """Why the model stopped, in the gateway's word and in that of the host behind it."""
    own = member(choice, "finish_reason")
    behind = member(choice, "native_finish_reason")
    if own in (None, ""):  # vLLM's `stop_reason` of a whole answer is the text that ended it
        return [own, behind, member(choice, "stop_reason")]
    return [own, behind]


def _refusal(message: Json) -> str | None:
    """What a model says that declines, in a field of its own or in a part of the content."""
    parts = [
        part for part in as_list(member(message, "content")) if member(part, "type") == "refusal"
    ]
    for refusal in (member(message, "refusal"), *(member(part, "refusal") for part in parts)):
        if isinstance(refusal, str) and refusal.strip():
            return refusal
        if refusal is True or (isinstance(refusal, (list, dict)) and refusal):
            return "the model declined" if refusal is True else json.dumps(refusal)
    return None


def _is_filtered(choice: Json) -> bool:
    """Whether Azure's annotations say that the answer was taken out."""
    found = member(choice, "content_filter_results")
    verdicts = found.values() if isinstance(found, dict) else ()
    return any(member(verdict, "filtered") is True for verdict in verdicts)


def _model(body: dict[str, Json]) -> str | None:
    model = text_or_none(body.get("model"))
    fingerprint = text_or_none(body.get("system_fingerprint"))
    return f"{model} ({fingerprint})" if model and fingerprint else model


def _tokens(logprobs: Json) -> tuple[Alternatives, ...]:
    """Alternatives of each token: OpenAI's list of entries, or the older list of objects."""
    entries = member(logprobs, "content")
    if isinstance(entries, list):
        return tuple(token_alternatives(entry) for entry in entries)
    legacy = member(logprobs, "top_logprobs")
    if isinstance(legacy, list):
        return tuple(
            {token: float(value) for token, value in place.items() if is_logprob(value)}
            for place in legacy
            if isinstance(place, dict)
        )
    return ()


def token_alternatives(entry: Json) -> Alternatives:
    """One token and the candidates in its place, with log-probabilities."""
    tops = member(entry, "top_logprobs")
    return {
        token: float(value)
        for top in [entry, *as_list(tops)]
        if isinstance(token := member(top, "token"), str)
        and is_logprob(value := member(top, "logprob"))
    }


@cache
def provider_of(name: str) -> type[ChatCompletions]:
    """Make the provider class of a vendor."""
    vendor = VENDORS[name]
    facts = {
        "__doc__": f"A judge at {vendor.name}.",
        "name": vendor.name,
        "vendor": vendor,
        "default_url": vendor.base_url,
        "url_variable": vendor.url_variable,
        "key_variables": vendor.key_variables,
        "key_needed_at_default_url": vendor.key_needed,
        "proved_by": vendor.proved_by,
        "has_logprobs": vendor.logprobs is not None,
        "prompt_cache_tokens": vendor.prompt_cache_tokens,
        "tells_dollars": vendor.tells_dollars,
        "models_path": "/models" if vendor.lists_models else None,
    }
    return type(f"Chat_{name}", (ChatCompletions,), facts)
