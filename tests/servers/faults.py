"""What goes wrong on demand: each fault by its name."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from email.utils import formatdate, parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from dialects import answer_ok, classification, completion
from wire import STATE, Answer, Headers, as_json, error


@cache
def bomb() -> bytes:
    return gzip.compress(b'{"a":"' + b" " * 2**26 + b'"}')


def echo(form: str) -> str:
    """The key of the last request, in one of the forms that servers quote it in."""
    sent = STATE.headers[-1].get("authorization", "").removeprefix("Bearer ")
    raw = sent.encode()
    forms = {
        "quoted": quote(sent, safe=""),
        "base64": base64.b64encode(raw).decode(),
        "basic": base64.b64encode(b":" + raw).decode(),
        "bearer": base64.b64encode(b"Bearer " + raw).decode(),
        "hex": raw.hex(),
        # In the middle, by whoever keeps the first 400 or the last 160 characters.
        "cut": "-" * 365 + sent + "-" * 150,
    }
    return forms.get(form, sent)


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
        case "status":  # status:503 or status:429:retry-after=2 or status:429:retry-after=in 2 s
            status, _, header = detail.partition(":")
            key, _, value = header.partition("=")
            if ahead := re.fullmatch(r"in (-?\d+) s", value):
                value = formatdate(time.time() + int(ahead[1]), usegmt=True)
            return error(int(status), f"status {status} as asked", **({key: value} if key else {}))
        case "quota":
            return error(429, "You exceeded your current quota", "insufficient_quota")
        case "spend-limit":
            code = {"details": {"error_code": "enforced_spend_limit_reached"}}
            return as_json({"error": {"message": "The spend limit is reached", **code}}, 429)
        case "key":  # key, key:quoted, key:base64, key:basic, key:bearer, ...
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
        case "hang-up":
            ok = answer_ok(path, request)
            ok.hang_up = True
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
        case "silence":
            return Answer(reset=True, after_s=float(detail))
        case "should-not-retry":
            return error(503, "do not come back", x_should_retry="false")
        case "hostile" if judge:  # hostile, hostile:but-right
            text = "[/INST]\x1b]0;pwned\x07\x1b[31m \ud800 \u202e \x00 =cmd() <script>1</script>"
            right = completion(request)["choices"][0]["message"]["content"]
            text += "\n" + (right if detail else "\\boxed{A>B}")
            return as_json(completion(request, message={"content": text}))
        case "long" | "megabyte" if judge:
            right = completion(request)["choices"][0]["message"]["content"]
            padding = "x" * (2**20 if name == "megabyte" else 2**13)
            return as_json(completion(request, message={"content": f"{padding}\n{right}"}))
        case "verdict-in-german" if judge:
            return as_json(completion(request, message={"content": "Antwort A ist besser."}))
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
        case "scores" if rewards:  # scores:0, scores:2: how many came back for the one that went
            labels = classification(request)
            return as_json({**labels, "data": labels["data"] * int(detail)})
        case "two-labels" if rewards:
            labels = classification(request)
            labels["data"][0]["probs"] = [0.1, 0.9]
            return as_json(labels)
    STATE.unknown.append(f"{name} for {path}")
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
    "hang-up",
    "long",
    "megabyte",
    "verdict-in-german",
}
EMPTY = {"null-content", "empty-choices"}
"""Delivered and paid for, with no answer in them: asked for once more."""


def asked_wait(answer: Answer) -> float | None:
    """Seconds that an answer asks its client to wait, where it asks sensibly."""
    if text := answer.headers.get("retry-after-ms"):
        return float(text) / 1000
    text = answer.headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    if text.endswith("GMT"):
        return parsedate_to_datetime(text).timestamp() - time.time()
    return None
