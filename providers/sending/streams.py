"""A reply that came as a stream of events, put together into the body that it would have been.

Shapes, by what the events hold: chat completions (`choices[].delta`), Anthropic (`message_start`
and its blocks), Gemini (`candidates`), OpenAI's responses (`response.completed`). Sources: the
vendors' references of their streaming interfaces; https://html.spec.whatwg.org (event streams).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rmjudge.providers.sending.messages import MalformedBodyError

Event = dict[str, Any]
_START: Final = re.compile(rb"(\xef\xbb\xbf)?\s*(data|event|id|retry)?:")
_LINES: Final = re.compile(rb"\s*\{[^\r\n]*\}\r?\n\s*\{")
"""A stream whose events are lines of JSON, without `data:`."""
_WORD: Final = re.compile(r"\[?[\w .-]*\]?")
"""What is no JSON of an event: `ping`, `[DONE]`, nothing."""
_TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal")
_CUT_SHORT: Final = "the stream of events ends early"


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of events and no JSON."""
    return _START.match(body[:200]) is not None or _LINES.match(body) is not None


def put_together(body: bytes) -> Event:
    """Make one reply of a stream of events, with its usage; an error in it is the whole reply.

    Raises:
        MalformedBodyError: it ends early, or its events are of no known shape.
    """
    text = body.decode("utf-8-sig", "replace")
    if _LINES.match(body):
        text = re.sub(r"(?m)^(?=\s*\{)", "data:", text)
        text = re.sub(r"\r?\n", "\n\n", text)
    datas = list(_datas(text))
    done = any(data.strip("[] ").lower() == "done" for _, data in datas)
    try:
        told = [(kind, json.loads(data)) for kind, data in datas if not _WORD.fullmatch(data)]
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(f"an event of the stream is no JSON: {error}") from None
    events = _dicts([{"error": data} if kind == "error" else data for kind, data in told])
    for event in events:
        if event.get("error") or event.get("type") == "error":
            return event
    if any(str(event.get("type")).startswith("response.") for event in events):
        return _response(events)
    if any(event.get("type") == "message_start" for event in events):
        return _message(events)
    if any("candidates" in event or "promptFeedback" in event for event in events):
        return _candidates(events)
    if any("choices" in event for event in events):
        return _completion(events, done)
    raise MalformedBodyError("a stream of events that hold no reply")


def _datas(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the data of each event; comments and other fields are left out."""
    lines: list[str] = []
    kind = ""
    for line in [*re.split(r"\r\n|\r|\n", text), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].strip())
        elif line.startswith("event:"):
            kind = line[6:].strip()
        elif not line:
            yield from ((kind, data) for data in _apart(lines))
            lines, kind = [], ""


def _apart(lines: Sequence[str]) -> Sequence[str]:
    """The lines of one event as one text, or each, where a server leaves out the blank lines."""
    together = "\n".join(lines)
    try:
        json.loads(together)
    except (ValueError, RecursionError):
        return lines
    return [together]


def _completion(events: Sequence[Event], done: bool) -> Event:
    whole: Event = {}
    choices: dict[int, Event] = {}
    for event in events:
        whole |= {name: value for name, value in event.items() if value is not None}
        for place, part in enumerate(_dicts(event.get("choices"))):
            number = part.get("index", place)
            choice = choices.setdefault(number if isinstance(number, int) else place, _choice())
            _add(choice, part)
    if not done and not any(choice["finish_reason"] for choice in choices.values()):
        raise MalformedBodyError(_CUT_SHORT)
    whole["object"] = "chat.completion"
    whole["choices"] = [{"index": number, **choices[number]} for number in sorted(choices)]
    return whole


def _choice() -> Event:
    return {"message": {"role": "assistant", "content": ""}, "finish_reason": None}


def _add(choice: Event, part: Event) -> None:
    delta = part.get("delta") or part.get("message")
    for name in _TEXTS:
        more = delta.get(name) if isinstance(delta, dict) else None
        if isinstance(more, list):  # Mistral's chunks: thinking among them
            more = "".join(_text(each) for each in _dicts(more) if each.get("type") == "text")
        if isinstance(more, str) and more:
            choice["message"][name] = choice["message"].get(name, "") + more
    if part.get("finish_reason"):
        choice["finish_reason"] = part["finish_reason"]
    if isinstance(part.get("error"), dict):
        choice["error"] = part["error"]
    logprobs = part.get("logprobs")
    for name, more in logprobs.items() if isinstance(logprobs, dict) else ():
        if isinstance(more, list):
            choice.setdefault("logprobs", {}).setdefault(name, []).extend(more)


def _message(events: Sequence[Event]) -> Event:
    whole: Event = {}
    blocks: dict[int, Event] = {}
    ended = False
    for event in events:
        kind, index = event.get("type"), event.get("index")
        if kind == "message_start" and isinstance(event.get("message"), dict):
            whole = dict(event["message"])
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            blocks[index if isinstance(index, int) else len(blocks)] = dict(event["content_block"])
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            block = blocks.setdefault(index if isinstance(index, int) else 0, {"type": "text"})
            for name in ("text", "thinking"):
                if isinstance(event["delta"].get(name), str):
                    block[name] = (block.get(name) or "") + event["delta"][name]
        elif kind == "message_delta":
            whole |= event["delta"] if isinstance(event.get("delta"), dict) else {}
            usage = event.get("usage")
            if isinstance(usage, dict):
                whole["usage"] = {**(whole.get("usage") or {}), **usage}
        ended = ended or kind == "message_stop"
    if not ended:
        raise MalformedBodyError(_CUT_SHORT)
    whole["content"] = [blocks[number] for number in sorted(blocks)]
    return whole


def _candidates(events: Sequence[Event]) -> Event:
    whole: Event = {}
    first: Event = {}
    parts: list[Any] = []
    places: list[Any] = []
    for event in events:
        whole |= event
        for candidate in _dicts(event.get("candidates"))[:1]:
            first |= candidate
            content = candidate.get("content")
            parts += _dicts(content.get("parts")) if isinstance(content, dict) else []
            logprobs = candidate.get("logprobsResult")
            if isinstance(logprobs, dict):
                places += _dicts(logprobs.get("topCandidates"))
    if not first.get("finishReason") and "promptFeedback" not in whole:
        raise MalformedBodyError(_CUT_SHORT)
    if first:
        first["content"] = {"role": "model", "parts": parts}
        if places:
            first["logprobsResult"] = {"topCandidates": places}
        whole["candidates"] = [first]
    return whole


def _response(events: Sequence[Event]) -> Event:
    for event in reversed(events):
        kind = event.get("type")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            response = event.get("response")
            if isinstance(response, dict):
                return response
    raise MalformedBodyError(_CUT_SHORT)


def _dicts(value: Any) -> list[Event]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(part: Event) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else ""
