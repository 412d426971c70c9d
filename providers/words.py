"""A stored reply as people read it: what the model wrote, its reasoning first where it shows it.

Needs no key and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from rmjudge.calls import Json
from rmjudge.providers.base import MalformedBodyError, Target, as_list, member
from rmjudge.providers.judge import JudgeProvider
from rmjudge.providers.registry import provider_class
from rmjudge.providers.spec import HOSTED
from rmjudge.providers.vendors import VENDORS

OPEN: Final = "<think>\n"
CLOSE: Final = "\n</think>\n\n"


def words_of(identity: Mapping[str, Json], raw: str) -> str:
    """Find what was written in a reply of the scorer with this identity.

    A refusal is shown by what it says. A judge's reply without any text (probabilities alone) is
    shown as the JSON that it is; a reward model's number is no words, and nothing is returned.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return raw
    text = _text(str(identity.get("provider")), str(identity.get("model")), body)
    reasoning = "\n\n".join(filter(None, _reasoning(body)))
    if text and reasoning:
        return f"{OPEN}{reasoning.strip()}{CLOSE}{text}"
    judges = identity.get("method") == "pairwise" or "judging" in identity
    return text or (("\n\n".join(_refusals(body)) or raw) if judges else "")


def _text(provider: str, model: str, body: Json) -> str:
    if provider in VENDORS or provider in HOSTED:
        kind = provider_class(provider)
        if not issubclass(kind, JudgeProvider):
            return ""
        try:
            return kind(Target(model, "")).chat_reply(body)[0].text
        except MalformedBodyError:
            return ""
    text = member(body, "text")
    return text if isinstance(text, str) else ""


def _refusals(body: Json) -> Iterator[str]:
    """What a model said when it declined, in its own field, in OpenAI's dialects."""
    found = [
        member(body, "choices", 0, "message", "refusal"),
        *(
            member(part, "refusal")
            for item in as_list(member(body, "output"))
            for part in as_list(member(item, "content"))
        ),
    ]
    yield from (text for text in found if isinstance(text, str) and text.strip())


def _reasoning(body: Json) -> Iterator[str]:
    """Reasoning that came apart from the answer, in whatever dialect."""
    message = member(body, "choices", 0, "message")
    parts = member(body, "candidates", 0, "content", "parts")
    found = [
        member(message, "reasoning_content") or member(message, "reasoning"),
        *(member(block, "thinking") for block in as_list(member(body, "content"))),
        *(member(part, "text") for part in as_list(parts) if member(part, "thought") is True),
        *(
            member(summary, "text")
            for item in as_list(member(body, "output"))
            if member(item, "type") == "reasoning"
            for summary in as_list(member(item, "summary"))
        ),
    ]
    yield from (text for text in found if isinstance(text, str))
