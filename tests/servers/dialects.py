"""The dialects that the model server speaks. Answers are hashes of the texts they are about."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable
from typing import Any

from wire import STATE, Answer, as_json, error


def number_of(text: str) -> int:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)


def joined(parts: Any, between: str) -> str:
    return parts if isinstance(parts, str) else between.join(part["text"] for part in parts)


def said(instructions: str, text: str) -> str:
    """What the judge answers, in the form that it was asked for."""
    number = number_of(text)
    if "[[A]]" in instructions:
        return f"Both were compared.\n\n[[{'AB'[number % 2]}]]"
    if "letter of the best response" in instructions:
        return "I cannot choose." if number % 10 == 9 else f"Compared.\n\n[[{'ABCD'[number % 4]}]]"
    if "single letter" in instructions:
        return "AB"[number % 2]
    if "rating on a line" in instructions:
        return f"It was read.\n\n\\boxed{{{number % 10 + 1}}}"
    if "single whole number" in instructions:
        return str(number % 10 + 1)
    verdict = ("A>>B", "A>B", "A=B", "B>A", "B>>A")[number % 5]
    return f"Both were compared.\n\n\\boxed{{{verdict}}}"


def alternatives(token: str) -> dict[str, float]:
    """What a word of one token has beside itself; -9999 is what vLLM says of a masked one."""
    other = {"A": "B", "B": "A", "5": "6"}.get(token, "5")
    return {token: math.log(0.75), other: math.log(0.25), "masked": -9999.0}


def logprobs_of(request: dict[str, Any], content: str) -> dict[str, Any] | None:
    asked = request.get("logprobs")
    if not asked:
        return None
    tops = alternatives(content)
    if asked is not True:  # a count: the older form
        return {"tokens": [content], "token_logprobs": [tops[content]], "top_logprobs": [tops]}
    listed = [{"token": token, "logprob": logprob} for token, logprob in tops.items()]
    return {"content": [{**listed[0], "top_logprobs": listed}]}


def completion(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    messages = request["messages"]
    text = joined(messages[-1]["content"], "")
    content = said(messages[0]["content"] if len(messages) > 1 else "", text)
    message: dict[str, Any] = {"role": "assistant", "content": content}
    message.update(changes.pop("message", {}))
    choice = {
        "index": 0,
        "message": message,
        "finish_reason": "stop",
        "logprobs": logprobs_of(request, content),
        **changes,
    }
    words = len(text.split())
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": request["model"],
        "choices": [choice],
        "usage": {
            "prompt_tokens": words,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": words // 2},
        },
    }


def classification(request: dict[str, Any], reward: Any = None) -> dict[str, Any]:
    text = json.dumps(request["messages"])
    number = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    value = number / 2**31 - 1 if reward is None else reward
    return {
        "id": "classify-1",
        "object": "list",
        "model": request["model"],
        "data": [{"index": 0, "label": "LABEL_0", "probs": [value], "num_classes": 1}],
        "usage": {"prompt_tokens": len(text) // 4, "total_tokens": len(text) // 4},
    }


def embeddings(request: dict[str, Any]) -> Answer:
    """SGLang's `/classify`: a reward a text, or a refusal of them all."""
    texts = request["text"]
    if STATE.longest is not None and max(map(len, texts)) > STATE.longest:
        return error(400, f"a text is longer than {STATE.longest} characters")
    return as_json(
        [
            {"embedding": [number_of(text) / 2**31 - 1], "meta_info": {"prompt_tokens": len(text)}}
            for text in texts
        ]
    )


def response(request: dict[str, Any]) -> dict[str, Any]:
    text = said(request.get("instructions", ""), request["input"])
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "object": "response",
        "model": request["model"],
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "role": "assistant", "content": [part]},
        ],
        "usage": {"input_tokens": 10, "output_tokens": 9},
    }


def anthropic_message(request: dict[str, Any]) -> dict[str, Any]:
    text = joined(request["messages"][0]["content"], "\n\n")
    return {
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [{"type": "text", "text": said(joined(request.get("system", ""), ""), text)}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 9, "cache_read_input_tokens": 5},
    }


def generated(request: dict[str, Any]) -> dict[str, Any]:
    instructions = joined(request.get("systemInstruction", {}).get("parts", ""), "")
    text = joined(request["contents"][0]["parts"], "\n\n")
    thought = {"text": "\\boxed{A=B}", "thought": True}
    parts = [thought, {"text": said(instructions, text)}]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 9},
        "modelVersion": "gemini-of-the-tests",
    }


def first_credit(text: str) -> float:
    return number_of(text) % 101 / 100


def openai_decision(request: dict[str, Any]) -> dict[str, Any]:
    first = first_credit(request["input"])
    probabilities = [
        {"value": "A", "probability": first},
        {"value": "B", "probability": 1 - first},
    ]
    name = request["questions"][0]["name"]
    answer = {"type": "choice", "name": name, "choice": "A", "probabilities": probabilities}
    return {"model": request["model"], "answers": [answer], "usage": {"input_tokens": 10}}


def system_one(request: dict[str, Any]) -> dict[str, Any]:
    first = first_credit(json.dumps(request["state"]))
    ((name, _),) = request["questions"].items()
    probabilities = {"A": first, "B": 1 - first}
    return {
        "model": request["model"],
        "answers": {name: {"type": "choice", "choice": "A", "probabilities": probabilities}},
        "usage": {"input_tokens": 10, "output_tokens": 0},
    }


SPOKEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    r"/v1/chat/completions": completion,
    r"/classify": classification,
    r"/v1/responses": response,
    r"/v1/messages": anthropic_message,
    r"/v1(beta)?/models/[^/]+:generateContent": generated,
    r"/v1/decisions": openai_decision,
    r"/v1/systemone": system_one,
}


def speaker(path: str) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    return next((speak for form, speak in SPOKEN.items() if re.fullmatch(form, path)), None)


def answer_ok(path: str, request: dict[str, Any]) -> Answer:
    if "text" in request:
        return embeddings(request)
    speak = speaker(path)
    assert speak is not None
    return as_json(speak(request))
