"""A model server for the tests: a real process, on loopback, with faults on demand.

It speaks `/v1/chat/completions` (a judge) and `/classify` (a reward model, as vLLM does, or
SGLang with a list of texts), and a judge's other dialects: `/v1/responses`, `/v1/messages`,
`.../models/M:generateContent`, `/v1/decisions`, `/v1/systemone`. It counts what it was asked and
what it delivered, by body, so that paying twice is visible. Verdicts, ratings and rewards are
hashes of the texts: the same question has the same answer, in every dialect.

Run: `python model_server.py` prints its port. Control:

- `POST /control {"script": [...], "rate": 0.3, "faults": [...], "seed": 1, "latency_s": 0.05}`:
  `script` names what happens to the next requests ("ok" or a fault); after it, each request
  suffers one of `faults` with probability `rate`, by a hash of seed, body and how often
  that body came, so that faults repeat between runs whatever the timing.
- `{"always": {"status": 200, "body": {...}, "headers": {}}}`: every request has this answer.
- `{"longest": 100}`: a list of texts with a longer one among them is refused as a whole.
- `GET /stats`: {"received", "delivered", "most_delivered_of_one", "distinct", "headers", "paths",
  "bodies"}; of the last three, what came last.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import math
import re
import sys
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

Headers = dict[str, str]


@dataclass
class State:
    script: list[str] = field(default_factory=list)
    rate: float = 0.0
    faults: list[str] = field(default_factory=list)
    seed: int = 0
    latency_s: float = 0.0
    always: dict[str, Any] | None = None
    longest: int | None = None
    received: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    headers: list[Headers] = field(default_factory=list)
    paths: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    bodies: deque[bytes] = field(default_factory=lambda: deque(maxlen=20))
    arrivals: list[float] = field(default_factory=list)
    delivered_before: list[int] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def next_fault(self, body: bytes) -> str:
        if self.script:
            return self.script.pop(0)
        if not self.faults:
            return "ok"
        name = digest(body)
        draw = hashlib.sha256(f"{self.seed}|{name}|{self.received[name]}".encode()).digest()
        if int.from_bytes(draw[:4], "big") / 2**32 >= self.rate:
            return "ok"
        return self.faults[draw[4] % len(self.faults)]


STATE = State()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=dict)
    cut_after: int | None = None
    drip_s: float = 0.0
    reset: bool = False


def as_json(data: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status, json.dumps(data).encode(), {"content-type": "application/json", **headers}
    )


def error(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    inner = {"message": message, "type": "error", "code": code}
    return as_json({"error": inner}, status, **named)


def number_of(text: str) -> int:
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)


def joined(parts: Any, between: str) -> str:
    return parts if isinstance(parts, str) else between.join(part["text"] for part in parts)


def said(instructions: str, text: str) -> str:
    """What the judge answers, in the form that it was asked for."""
    number = number_of(text)
    if "[[A]]" in instructions:
        return f"Both were compared.\n\n[[{'AB'[number % 2]}]]"
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


@cache
def bomb() -> bytes:
    return gzip.compress(b'{"a":"' + b" " * 2**26 + b'"}')


def echo(form: str) -> str:
    """The key of the last request, in one of the forms that servers quote it in."""
    sent = STATE.headers[-1].get("authorization", "").removeprefix("Bearer ")
    match form:
        case "quoted":
            return quote(sent, safe="")
        case "base64":
            return base64.b64encode(sent.encode()).decode()
        case "basic":
            return base64.b64encode(f":{sent}".encode()).decode()
        case "cut":  # in the middle, by whoever keeps the first 400 or the last 160 characters
            return "-" * 365 + sent + "-" * 150
    return sent


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


def answer_always(status: int = 200, body: Any = None, headers: Headers | None = None) -> Answer:
    """A text goes out as it is, anything else as JSON."""
    if isinstance(body, str):
        return Answer(status, body.encode(), headers or {})
    return as_json(body, status, **(headers or {}))


def answer_fault(name: str, path: str, request: dict[str, Any]) -> Answer:  # noqa: C901, PLR0911, PLR0912, PLR0915
    judge, rewards = path.endswith("completions"), path == "/classify"
    name, _, detail = name.partition(":")
    match name:
        case "ok":
            return answer_ok(path, request)
        case "status":  # status:503 or status:429:retry-after=2
            status, _, header = detail.partition(":")
            key, _, value = header.partition("=")
            return error(int(status), f"status {status} as asked", **({key: value} if key else {}))
        case "quota":
            return error(429, "You exceeded your current quota", "insufficient_quota")
        case "key":  # key, key:quoted, key:base64, key:basic, key:cut
            return error(401, f"Incorrect API key provided: {echo(detail)}", "invalid_api_key")
        case "key-escaped":
            text = "".join(f"\\u{ord(character):04x}" for character in echo(""))
            return Answer(401, f'{{"error": {{"message": "Bad key: {text}"}}}}'.encode())
        case "key-422":
            return error(422, f"the header was Bearer {echo(detail)}")
        case "context":
            return error(400, "maximum context length is 10 tokens", "context_length_exceeded")
        case "filter-400":
            return error(400, "the prompt was filtered", "content_filter")
        case "redirect":
            return Answer(307, b"", {"location": detail or "http://127.0.0.1:9/elsewhere"})
        case "reset":
            return Answer(reset=True)
        case "cut":
            return Answer(
                200, answer_ok(path, request).body, {"content-type": "application/json"}, 40
            )
        case "drip":
            ok = answer_ok(path, request)
            ok.drip_s = float(detail or 1.0)
            return ok
        case "truncated-json":
            return Answer(
                200, answer_ok(path, request).body[:-20], {"content-type": "application/json"}
            )
        case "html":
            return Answer(200, b"<html>maintenance</html>", {"content-type": "text/html"})
        case "bad-gzip":
            headers = {"content-type": "application/json", "content-encoding": "gzip"}
            return Answer(200, b"\x1f\x8bnot gzip at all", headers)
        case "gzip":
            headers = {"content-type": "application/json", "content-encoding": "gzip"}
            return Answer(200, gzip.compress(answer_ok(path, request).body), headers)
        case "gzip-short":
            headers = {"content-type": "application/json", "content-encoding": "gzip"}
            return Answer(200, gzip.compress(answer_ok(path, request).body)[:-4], headers)
        case "gzip-bomb":
            headers = {"content-type": "application/json", "content-encoding": "gzip"}
            return Answer(200, bomb(), headers)
        case "huge":  # huge or huge:401
            body = b'{"a":"' + b"x" * 2**25 + b'"}'
            return Answer(int(detail or 200), body, {"content-type": "application/json"})
        case "encoding":  # encoding:br, which nobody asked for
            ok = answer_ok(path, request)
            ok.headers["content-encoding"] = detail
            return ok
        case "nesting":
            body = b"[" * 100_000 + b"]" * 100_000
            return Answer(200, body, {"content-type": "application/json"})
        case "200-error":  # 200-error:402
            return as_json({"error": {"code": int(detail or 502), "message": "upstream failed"}})
        case "wrong-shape":
            return as_json({"unexpected": True})
        case "should-not-retry":
            return error(503, "do not come back", x_should_retry="false")
        case "hostile" if judge:
            text = "[/INST]\x1b]0;pwned\x07\x1b[31m \ud800 \u202e \x00 =cmd() <script>1</script>"
            return as_json(completion(request, message={"content": text + "\n\\boxed{A>B}"}))
        case "empty-choices" if judge:
            return as_json({**completion(request), "choices": []})
        case "null-content" if judge:
            return as_json(completion(request, message={"content": None}))
        case "refusal" if judge:
            return as_json(completion(request, message={"content": None, "refusal": "I will not."}))
        case "content-filter" if judge:
            return as_json(completion(request, finish_reason="content_filter"))
        case "length" if judge:
            return as_json(completion(request, finish_reason="length"))
        case "no-verdict" if judge:
            return as_json(completion(request, message={"content": "Both are fine."}))
        case "contradiction" if judge:
            text = "\\boxed{A>B} or rather \\boxed{B>A}"
            return as_json(completion(request, message={"content": text}))
        case "said-key" if judge:  # said-key, said-key:cut
            text = f"Both are fine. {echo(detail)}"
            return as_json(completion(request, message={"content": text}))
        case "broken-off" if judge:  # broken-off:error
            return as_json(completion(request, finish_reason=detail))
        case "other-model":
            body = json.loads(answer_ok(path, request).body)
            return as_json({**body, "model": detail or "another-model"})
        case "reward" if rewards:  # reward:NaN, reward:"0.5", reward:true
            return Answer(
                200,
                json.dumps(classification(request, "@")).replace('"@"', detail).encode(),
                {"content-type": "application/json"},
            )
        case "two-labels" if rewards:
            labels = classification(request)
            labels["data"][0]["probs"] = [0.1, 0.9]
            return as_json(labels)
    return error(500, f"the test server knows no fault {name!r} for {path}")


PAID = {
    "ok",
    "gzip",
    "hostile",
    "refusal",
    "content-filter",
    "length",
    "no-verdict",
    "contradiction",
    "other-model",
    "null-content",
    "empty-choices",
    "said-key",
    "reward",
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await one_request(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def one_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if path in CONTROLS:
        reply = CONTROLS[path](body)
        await write(writer, reply)
        return True
    return await model_request(writer, method, path, headers, body)


async def model_request(
    writer: asyncio.StreamWriter, method: str, path: str, headers: Headers, body: bytes
) -> bool:
    if method != "POST" or speaker(path) is None:
        await write(writer, error(404, f"{method} {path} is not served"))
        return True
    STATE.headers.append(headers)
    STATE.paths.append(path)
    STATE.bodies.append(body)
    STATE.arrivals.append(asyncio.get_running_loop().time())
    STATE.delivered_before.append(sum(STATE.delivered.values()))
    STATE.in_flight += 1
    STATE.most_in_flight = max(STATE.most_in_flight, STATE.in_flight)
    try:
        name = STATE.next_fault(body)
        STATE.received[digest(body)] += 1
        if STATE.latency_s:
            await asyncio.sleep(STATE.latency_s)
        if STATE.always is None:
            answer = answer_fault(name, path, json.loads(body))
        else:
            answer = answer_always(**STATE.always)
        if answer.reset:
            writer.transport.abort()
            return False
        await write(writer, answer)
        if name.partition(":")[0] in PAID:
            STATE.delivered[digest(body)] += 1
        return answer.cut_after is None
    finally:
        STATE.in_flight -= 1


async def write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    headers = {"content-length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{key}: {value}" for key, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    body = answer.body if answer.cut_after is None else answer.body[: answer.cut_after]
    if answer.drip_s:
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(answer.drip_s)
    else:
        writer.write(body)
    await writer.drain()


def control(body: bytes) -> Answer:
    for name, value in json.loads(body or b"{}").items():
        setattr(STATE, name, value)
    return as_json({})


def reset(_body: bytes) -> Answer:
    STATE.__dict__.update(State().__dict__)
    return as_json({})


def stats(_body: bytes) -> Answer:
    return as_json(
        {
            "received": sum(STATE.received.values()),
            "delivered": sum(STATE.delivered.values()),
            "distinct": len(STATE.received),
            "most_delivered_of_one": max(STATE.delivered.values(), default=0),
            "delivered_again": sum(count - 1 for count in STATE.delivered.values()),
            "most_in_flight": STATE.most_in_flight,
            "headers": STATE.headers[-20:],
            "paths": list(STATE.paths),
            "bodies": list(map(json.loads, STATE.bodies)),
            "arrivals": STATE.arrivals,
            "delivered_before": STATE.delivered_before,
        }
    )


CONTROLS: dict[str, Callable[[bytes], Answer]] = {
    "/control": control,
    "/reset": reset,
    "/stats": stats,
}


async def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=2**26)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
