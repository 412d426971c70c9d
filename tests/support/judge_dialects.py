"""The dialects that judges speak: one row each, with the dialect's words for what all can say.

`providers/test_dialects.py` holds every row to the same answers. Another dialect is another row
of `DIALECTS`; what it alone can say is for a test file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from judge_replies import (
    A_WINS,
    B_WINS,
    DECLINED,
    REASONING,
    THINKING,
    THOUGHT,
    candidate,
    completion,
    entries,
    generated,
    incomplete,
    likely,
    message,
    output_text,
    response,
    text_block,
    texts,
)
from outcomes import CALL

from rmjudge.calls import Answer, Json, Unscored, Usage
from rmjudge.judging.methods import METHODS
from rmjudge.providers.base import Target
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import provider_class

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One provider that speaks it, and what it says."""

    provider: str
    model: str
    answered_by: str
    """The model that every reply names."""
    behind: str
    """What an address ends in, before the path."""
    path: str
    """Behind a server's root, for a model `m`."""
    needs: str
    """What is told of a body that lacks it."""
    said: Callable[..., Body]
    """A whole reply of so many visible texts, none among them."""
    reasoned: Body
    """Reasoning for B, then a verdict for A."""
    reasoned_only: Body
    cut: Body
    """A verdict for A, and then the limit of tokens."""
    cut_reasoning: Body
    declined: tuple[Body, Unscored]
    """The model or the vendor would not, and how that reads."""
    silent: str
    """The detail of a reply without text."""
    counted: Body
    """The part of a reply that counts 100 tokens, 64 of them cached, and 20 of answer."""
    stored: int | None = 6
    """How many of the 100 it says were written to the cache; None where no vendor of it does."""
    error: Callable[[int], Any]
    """The body of an HTTP error."""
    likely: Callable[..., Body] | None
    """A reply with tokens and the probabilities of what stands there, if the vendor tells them."""

    def judge(
        self,
        method: str = "pairwise",
        *,
        model: str | None = None,
        url: str | None = None,
        sampled: bool = False,
        **params: Json,
    ) -> JudgeProvider:
        """A judge at the vendor's own address, if no other is given."""
        kind = provider_class(self.provider)
        assert issubclass(kind, JudgeProvider)
        assert kind.default_url is not None
        target = Target(model or self.model, url or kind.default_url, params)
        return kind(target, METHODS[method], sampled=sampled)

    def read(self, part: Json, method: str = "pairwise") -> tuple[Answer, Usage, str | None]:
        """What a judge makes of a reply."""
        return self.judge(method).read(part, CALL)

    @property
    def replies(self) -> Mapping[str, Body]:
        """Every reply that has to read alike in every dialect."""
        return {
            "a verdict": self.said(A_WINS),
            "a verdict in two parts": self.said("So: \\box", "ed{A>B}"),
            "reasoning, then a verdict": self.reasoned,
            "no verdict": self.said("Both."),
            "a verdict, then cut": self.cut,
            "cut while reasoning": self.cut_reasoning,
            "reasoning alone": self.reasoned_only,
            "nothing": self.said(),
            "declined": self.declined[0],
        }


def chat_said(*said: str) -> Body:
    if len(said) > 1:
        return completion({"content": [{"type": "text", "text": text} for text in said]})
    return completion({"content": said[0] if said else None})


def chat_likely(*probabilities: dict[str, float]) -> Body:
    reply = chat_said("".join(map(min, probabilities)))
    reply["choices"][0]["logprobs"] = {"content": entries(*probabilities), "refusal": None}
    return reply


def openai_error(status: int) -> Body:
    code = {429: "rate_limit_exceeded", 500: "server_error"}.get(status)
    return {"error": {"message": "it said so", "type": "t", "param": None, "code": code}}


CHAT: Final = Dialect(
    provider="openai",
    model="gpt-4.1",
    answered_by="gpt-4.1-2025-04-14",
    behind="/v1",
    path="/v1/chat/completions",
    needs="choices",
    said=chat_said,
    reasoned=completion({"reasoning": B_WINS, "content": A_WINS}),
    reasoned_only=completion({"content": None, "reasoning": A_WINS}),
    cut=completion({"content": A_WINS}, "length"),
    cut_reasoning=completion({"content": None, "reasoning": A_WINS}, "length"),
    declined=(
        completion({"content": None, "refusal": "I\nwill not."}),
        Unscored("refusal", "I will not."),
    ),
    silent="no content",
    counted={
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 15},
        }
    },
    error=openai_error,
    likely=chat_likely,
)


def response_likely(*probabilities: dict[str, float]) -> Body:
    said = output_text("".join(map(min, probabilities)))
    said["content"][0]["logprobs"] = entries(*probabilities)
    return response(REASONING, said)


RESPONSES: Final = Dialect(
    provider="openai-responses",
    model="gpt-4.1",
    answered_by="gpt-4.1-2025-04-14",
    behind="/v1",
    path="/v1/responses",
    needs="output",
    said=lambda *said: response(*([output_text(*said)] if said else [])),
    reasoned=response(REASONING, output_text(A_WINS)),
    reasoned_only=response(REASONING),
    cut=incomplete("max_output_tokens", output_text(A_WINS)),
    cut_reasoning=incomplete("max_output_tokens", REASONING),
    declined=(response(DECLINED), Unscored("refusal", "I will not.")),
    silent="no output text",
    counted={
        "usage": {
            "input_tokens": 100,
            "output_tokens": 20,
            "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 6},
            "output_tokens_details": {"reasoning_tokens": 15},
        }
    },
    error=openai_error,
    likely=response_likely,
)


def anthropic_error(status: int) -> Body:
    kinds = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        500: "api_error",
        504: "timeout_error",
    }
    inner = {"type": kinds[status], "message": "it said so"}
    return {"type": "error", "error": inner, "request_id": "req_1"}


ANTHROPIC: Final = Dialect(
    provider="anthropic",
    model="claude-sonnet-5-5",
    answered_by="claude-sonnet-5-5-20261001",
    behind="",
    path="/v1/messages",
    needs="a message has",
    said=lambda *said: message(*map(text_block, said)),
    reasoned=message(THINKING, text_block(A_WINS)),
    reasoned_only=message(THINKING),
    cut=message(text_block(A_WINS), stop="max_tokens"),
    cut_reasoning=message(THINKING, stop="max_tokens"),
    declined=(
        message(stop="refusal", stop_details={"category": "frontier_llm", "explanation": "x"}),
        Unscored("refusal", "category frontier_llm"),
    ),
    silent="no text block",
    counted={
        "usage": {
            "input_tokens": 30,
            "cache_read_input_tokens": 64,
            "cache_creation_input_tokens": 6,
            "output_tokens": 20,
            "output_tokens_details": {"thinking_tokens": 15},
        }
    },
    error=anthropic_error,
    likely=None,
)


def gemini_error(status: int) -> Body:
    named = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        504: "DEADLINE_EXCEEDED",
    }
    inner = {"code": status, "message": "it said so", "status": named[status], "details": []}
    return {"error": inner}


GEMINI: Final = Dialect(
    provider="gemini",
    model="gemini-4-flash",
    answered_by="gemini-4-flash-001",
    behind="",
    path="/v1beta/models/m:generateContent",
    needs="candidates",
    said=texts,
    reasoned=generated(candidate(THOUGHT, {"text": A_WINS})),
    reasoned_only=generated(candidate(THOUGHT)),
    cut=texts(A_WINS, finish="MAX_TOKENS"),
    cut_reasoning=generated({"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}),
    declined=(
        texts(A_WINS, finish="SAFETY"),
        Unscored("content-filter", "finish reason SAFETY"),
    ),
    silent="no text; finish reason STOP",
    counted={
        "usageMetadata": {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 64,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 15,
            "totalTokenCount": 120,
        }
    },
    stored=None,
    error=gemini_error,
    likely=likely,
)

DIALECTS: Final = {dialect.provider: dialect for dialect in (CHAT, RESPONSES, ANTHROPIC, GEMINI)}
