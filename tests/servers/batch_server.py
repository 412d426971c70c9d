"""A vendor's batches for the tests: a real process, on loopback, with faults on demand.

It speaks three shapes: OpenAI's files and batches, Anthropic's message batches, Gemini's files and
operations; and the live endpoints of the model server, for the call that is bought first. Answers
are those of the model server, so that a batch's are equal to live ones. It counts what it was paid
for, by custom id and by live body, and outlives its clients.

Run: `python batch_server.py` prints its port. `POST /control` sets fields of `State`:

- `run_s`: seconds from a batch's creation to its end. `outcome`: completed, expired, cancelled,
  failed (with `errors`, a list of code and message); `share`: of its rows that are run before it
  ends so. `ends`: outcomes of the next batches alone; "queue" fails since the queue is full.
- `waits`: a state that a vendor tells of batches under way, in place of the usual one.
- `cancel_s`: seconds that a cancel takes. `no_cancels`: so many of the next cancels are a 500.
- `create`: what happens to the next creates: "ok", "lost" (accepted, no reply), "500" (accepted),
  "twice" (accepted two times, no reply), "reset" (not accepted, no reply), "queue" (429, the queue
  is full), "queue of unknown length", "too large" (413), "refused" (400).
- `lag`: so many of the next lists do not show batches. `gone`: so many polls after a create are
  404.
- `rows`: what is done to results: "shuffle", "missing" (the first), "doubled" (the first),
  "foreign", "torn", "swapped" (two answers of one tuple), "status0" (of the first, once), "refused"
  (of the first, once a batch), "as text", "bom", "crlf", "5xx" (of the first, once).
- `pad`: so many characters more in each result.
- `stall`: [pattern, "before" or "after"]: the next request whose method and path fit has no reply;
  it is worked on or not; `skip` lets so many pass before. `stalled` in the stats counts them.
- `fetch`: what happens to the next downloads: "cut", "404", "503".

`GET /stats`: {"paid": {custom id: times}, "live", "batches", "files", "creates", "tokens"}.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dialects import answer_ok, anthropic_message, completion, generated, response
from loopback import listen, read_request, write
from wire import Answer, as_json, error

QUEUE = "Enqueued token limit reached for judge. Limit: 20,000 enqueued tokens."
REFUSALS = {
    "queue": (429, QUEUE, "token_limit_exceeded"),
    "queue of unknown length": (429, "Too many enqueued tokens.", "token_limit_exceeded"),
    "too large": (413, "The request is too large.", "request_too_large"),
    "refused": (400, "this model cannot be used in batches", "model_not_batchable"),
}


@dataclass
class Batch:
    id: str
    lines: list[tuple[str, dict[str, Any]]]
    shape: str
    number: int
    file: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    polls: int = 0
    outcome: str = ""
    results: list[tuple[str, int, Any]] | None = None
    idle: list[str] = field(default_factory=list)
    counted: int = 0
    cancelled: float = 0.0
    errors: list[list[str]] = field(default_factory=list)


@dataclass
class State:
    run_s: float = 0.2
    outcome: str = "completed"
    share: float = 1.0
    errors: list[list[str]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    waits: str = ""
    cancel_s: float = 0.0
    no_cancels: int = 0
    create: list[str] = field(default_factory=list)
    lag: int = 0
    gone: int = 0
    rows: list[str] = field(default_factory=list)
    fetch: list[str] = field(default_factory=list)
    stall: list[str] = field(default_factory=list)
    skip: int = 0
    pad: int = 0
    stalled: int = 0
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    live: Counter[str] = field(default_factory=Counter)
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    live_tokens: list[int] = field(default_factory=lambda: [0, 0])
    creates: int = 0
    once: set[str] = field(default_factory=set)
    numbers: int = 0

    def next_id(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}-{self.numbers:04d}"


STATE = State()


async def one_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    request = await read_request(reader)
    if stalls(f"{request.method} {request.path}"):
        when, STATE.stall = STATE.stall[1], []
        if when == "after":
            answered(request.method, request.path, request.headers, request.body)
        STATE.stalled += 1
        await reader.read()  # until the client is gone
        return False
    answer = answered(request.method, request.path, request.headers, request.body)
    if answer.reset:
        writer.transport.abort()
        return False
    await write(writer, answer)
    return answer.cut_after is None


def stalls(asked: str) -> bool:
    """Whether a request is the one that is to have no reply."""
    if not STATE.stall or not re.search(STATE.stall[0], asked):
        return False
    STATE.skip -= 1
    return STATE.skip < 0


def answered(  # noqa: C901, PLR0911, PLR0912
    method: str, path: str, headers: dict[str, str], body: bytes
) -> Answer:
    match method, path:
        case "POST", "/control":
            for name, value in json.loads(body).items():
                setattr(STATE, name, value)
            return as_json({})
        case "POST", "/reset":
            STATE.__dict__.update(State().__dict__)
            return as_json({})
        case _, "/stats":
            return as_json(
                {
                    "paid": STATE.paid,
                    "live": sum(STATE.live.values()),
                    "most_live": max(STATE.live.values(), default=0),
                    "batches": [batch.id for batch in STATE.batches.values()],
                    "sizes": [len(batch.lines) for batch in STATE.batches.values()],
                    "files": list(STATE.files),
                    "creates": STATE.creates,
                    "stalled": STATE.stalled,
                    "tokens": STATE.tokens,
                    "live_tokens": STATE.live_tokens,
                }
            )
        case "POST", "/v1/files":
            return openai_upload(headers, body)
        case "GET", "/v1/files":
            listed = [{"id": i, "filename": name} for i, (name, _) in STATE.files.items()]
            return as_json({"data": listed})
        case "POST", "/v1/batches":
            request = json.loads(body)
            if request["input_file_id"] not in STATE.files:
                return error(400, "no such file", "invalid_request")
            return created("openai", request, request["input_file_id"])
        case "POST", "/v1/messages/batches":
            return created("anthropic", json.loads(body), "")
        case "GET", "/v1/batches":
            return listing("openai")
        case "GET", "/v1/messages/batches":
            return listing("anthropic")
        case "GET", "/v1beta/batches":
            return listing("gemini")
        case "POST", "/upload/v1beta/files":
            name = json.loads(body)["file"]["displayName"]
            here = f"http://{headers['host']}/upload/of/{name}"
            return Answer(200, b"{}", {"x-goog-upload-url": here})
        case "GET", "/v1beta/files":
            listed = [{"name": i, "displayName": n} for i, (n, _) in STATE.files.items()]
            return as_json({"files": listed})
    if found := re.fullmatch(r"/upload/of/(.+)", path):
        name = STATE.next_id("files/f")
        STATE.files[name] = (found[1], body)
        return as_json({"file": {"name": name}})
    if found := re.fullmatch(r"/v1beta/models/[^/]+:batchGenerateContent", path):
        request = json.loads(body)["batch"]
        return created("gemini", request, request["inputConfig"]["fileName"])
    if found := re.fullmatch(r"/v1/files/([^/]+)/content|/download/v1beta/(.+):download", path):
        return download(found[1] or found[2])
    if found := re.fullmatch(r"/v1/messages/batches/([^/]+)/results", path):
        return download(found[1])
    if method == "DELETE":
        name = re.sub(r"^/v1(beta)?/(files/(?!f-)|messages/batches/)?", "", path)
        gone = STATE.files.pop(name, None)
        if name in STATE.batches and "messages" in path:
            STATE.batches[name].about["deleted"] = True
            return as_json({"deleted": True})
        return as_json({"deleted": True}) if gone else error(404, f"no {name}")
    if found := re.search(r"/batches/([^/:]+)([/:]cancel)?$", path):
        key = found[1] if found[1] in STATE.batches else f"batches/{found[1]}"
        batch = STATE.batches.get(key)
        if batch is None:
            return error(404, f"no batch {key}")
        if found[2]:
            if STATE.no_cancels > 0:
                STATE.no_cancels -= 1
                return error(500, "not now", "server_error")
            batch.cancelled = batch.cancelled or time.time()
            return as_json(told(batch))
        batch.polls += 1
        if batch.polls <= STATE.gone:
            return error(404, "not yet")
        return as_json(told(batch))
    if method == "POST":
        request = json.loads(body)
        STATE.live[body.decode()] += 1
        reply = answer_ok(path, request)
        pay(STATE.live_tokens, json.loads(reply.body))
        return reply
    return error(404, f"{method} {path} is not served")


def openai_upload(headers: dict[str, str], body: bytes) -> Answer:
    mark = headers["content-type"].partition("boundary=")[2].encode()
    for part in body.split(b"--" + mark):
        about, _, data = part.partition(b"\r\n\r\n")
        if found := re.search(rb'filename="([^"]+)"', about):
            name = STATE.next_id("file")
            STATE.files[name] = (found[1].decode(), data.removesuffix(b"\r\n"))
            return as_json({"id": name, "filename": found[1].decode()})
    return error(400, "no file")


def created(shape: str, request: dict[str, Any], file: str) -> Answer:
    fault = STATE.create.pop(0) if STATE.create else "ok"
    if fault == "reset":
        return Answer(reset=True)
    if fault in REFUSALS:
        return error(*REFUSALS[fault])
    batch = taken(shape, request, file)
    if fault == "twice":
        taken(shape, request, file)
    if fault in ("lost", "twice"):
        return Answer(reset=True)
    return error(500, "accepted all the same") if fault == "500" else as_json(told(batch))


def taken(shape: str, request: dict[str, Any], file: str) -> Batch:
    batch = Batch(STATE.next_id("batch"), [], shape, STATE.creates, file, request)
    if shape == "gemini":
        batch.id = f"batches/{batch.id}"
    STATE.creates += 1
    STATE.batches[batch.id] = batch
    if shape == "anthropic":
        batch.lines = [(row["custom_id"], row["params"]) for row in request["requests"]]
    else:
        rows = map(json.loads, STATE.files[file][1].decode().strip().split("\n"))
        for row in rows:
            key = "key" if shape == "gemini" else "custom_id"
            batch.lines.append((row[key], row["request" if shape == "gemini" else "body"]))
    return batch


def listing(shape: str) -> Answer:
    shown = [batch for batch in STATE.batches.values() if batch.shape == shape]
    if STATE.lag:
        STATE.lag -= 1
        shown = []
    entries = [told(batch) for batch in reversed(shown)]
    return as_json({"operations" if shape == "gemini" else "data": entries, "has_more": False})


def pay(tokens: list[int], body: Any) -> None:
    usage = body.get("usage") or {}
    tokens[0] += usage.get("prompt_tokens", usage.get("input_tokens", 0))
    for name in ("cache_read_input_tokens", "cache_creation_input_tokens"):  # Anthropic's, beside
        tokens[0] += usage.get(name) or 0
    tokens[1] += usage.get("completion_tokens", usage.get("output_tokens", 0))
    if told := body.get("usageMetadata"):
        tokens[0] += told["promptTokenCount"]
        tokens[1] += told["candidatesTokenCount"]


def run_one(shape: str, cid: str, request: dict[str, Any]) -> tuple[str, int, Any]:
    STATE.paid[cid] += 1
    if shape == "anthropic":
        body = anthropic_message(request)
    elif shape == "gemini":
        body = generated(request)
    else:
        body = response(request) if "input" in request else completion(request)
    pay(STATE.tokens, body)
    return cid, 200, body


def finish(batch: Batch) -> None:  # noqa: C901, PLR0912
    """Run what is run of it, and make its results."""
    batch.outcome = "cancelled" if batch.cancelled else STATE.outcome
    if STATE.ends and not batch.cancelled:
        batch.outcome = STATE.ends.pop(0)
    batch.errors = STATE.errors
    if batch.outcome == "queue":
        batch.outcome, batch.errors = "failed", [["token_limit_exceeded", QUEUE]]
    lines = batch.lines
    if batch.outcome != "completed":
        share = 0.0 if batch.outcome == "failed" else STATE.share
        lines = lines[: int(share * len(lines))]
        batch.idle = [cid for cid, _ in batch.lines[len(lines) :]]
        if batch.outcome == "failed":  # at validation: it has no files at all
            batch.idle = []
    results: list[tuple[str, int, Any]] = []
    for number, (cid, request) in enumerate(lines):
        status = None
        for name, code in (("status0", 0), ("5xx", 503), ("refused", 400)):
            if name in STATE.rows and not number and f"{name} {cid}" not in STATE.once:
                STATE.once.add(f"{name} {cid}")
                status = code
        if status is None:
            results.append(run_one(batch.shape, cid, request))
        else:
            said = {"error": {"message": f"status {status} as asked", "code": "as_asked"}}
            results.append((cid, status, said))
    if "swapped" in STATE.rows:
        cells = [n for n, (_, status, _) in enumerate(results) if status == 200]
        a, b = cells[0], next(n for n in cells if usage(results[n]) != usage(results[cells[0]]))
        (x, s, one), (y, t, other) = results[a], results[b]
        results[a], results[b] = (x, s, other), (y, t, one)
    batch.counted = sum(status == 200 for _, status, _ in results)
    if "missing" in STATE.rows and f"missing {results[0][0]}" not in STATE.once:
        STATE.once.add(f"missing {results[0][0]}")
        results = results[1:]
    if "doubled" in STATE.rows:
        results.append(results[0])
    if "foreign" in STATE.rows:
        results.append(("c" + "0" * 32, 200, results[0][2]))
    if "shuffle" in STATE.rows:
        random.Random(batch.number).shuffle(results)
    batch.results = results
    good = [row for row in results if row[1] == 200 or batch.shape != "openai"]
    bad = [row for row in results if row[1] != 200 and batch.shape == "openai"]
    if good or batch.idle:
        STATE.files[f"out-{batch.id}"] = ("out", dumped(batch, good, []))
    if batch.shape == "openai" and (bad or batch.idle):
        STATE.files[f"err-{batch.id}"] = ("err", dumped(batch, bad, batch.idle))
    if batch.shape == "anthropic":
        STATE.files[batch.id] = ("results", dumped(batch, results, batch.idle))
        STATE.files.pop(f"out-{batch.id}", None)


def usage(row: tuple[str, int, Any]) -> Any:
    return row[2].get("usage", {}).get("prompt_tokens")


def dumped(batch: Batch, rows: list[tuple[str, int, Any]], idle: list[str]) -> bytes:
    lines = [json.dumps(line_of(batch.shape, *row), ensure_ascii=False).encode() for row in rows]
    for cid in idle:
        code = "batch_expired" if batch.outcome == "expired" else "batch_cancelled"
        kind = "expired" if batch.outcome == "expired" else "canceled"
        line = {"custom_id": cid, "response": None, "error": {"code": code, "message": code}}
        if batch.shape == "anthropic":
            line = {"custom_id": cid, "result": {"type": kind}}
        lines.append(json.dumps(line).encode())
    if "torn" in STATE.rows:
        lines.append(b'{"custom_id": "c12')
    end = b"\r\n" if "crlf" in STATE.rows else b"\n"
    data = end.join(lines) + (b"" if "torn" in STATE.rows else end + end)
    return (b"\xef\xbb\xbf" if "bom" in STATE.rows else b"") + data


def line_of(shape: str, cid: str, status: int, body: Any) -> Any:
    if status == 200:  # U+2028 is no end of a line
        body = {**body, "said": "a\u2028b" + "x" * STATE.pad}
    if shape == "anthropic":
        if status == 200:
            return {"custom_id": cid, "result": {"type": "succeeded", "message": body}}
        kind = "invalid_request_error" if status == 400 else "overloaded_error"
        inner = {"type": "error", "error": {"type": kind, "message": body["error"]["message"]}}
        return {"custom_id": cid, "result": {"type": "errored", "error": inner}}
    if shape == "gemini":
        if status == 200:
            return {"key": cid, "response": body}
        return {"key": cid, "error": {"code": 3 if status == 400 else 13, "message": "as asked"}}
    text = json.dumps(body) if "as text" in STATE.rows else body
    return {"custom_id": cid, "response": {"status_code": status, "body": text}, "error": None}


def download(name: str) -> Answer:
    fault = STATE.fetch.pop(0) if STATE.fetch else "ok"
    if fault in ("404", "503"):
        return error(int(fault), "not now")
    if name not in STATE.files:
        return error(404, f"no file {name}")
    data = STATE.files[name][1]
    return Answer(200, data, cut_after=len(data) // 2 if fault == "cut" else None)


def told(batch: Batch) -> dict[str, Any]:
    now = time.time()
    cancelling = bool(batch.cancelled) and now - batch.cancelled < STATE.cancel_s
    over = batch.cancelled or now - batch.created >= STATE.run_s
    if batch.results is None and over and not cancelling:
        finish(batch)
    done = batch.results is not None
    waiting = STATE.waits or "in_progress"
    if batch.shape == "anthropic":
        counts = {"processing": len(batch.lines), "succeeded": 0, "expired": 0, "canceled": 0}
        if done:
            kind = "expired" if batch.outcome == "expired" else "canceled"
            idle = {kind: len(batch.idle)}
            counts = {"processing": 0, "succeeded": len(batch.lines) - len(batch.idle), **idle}
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if done else "canceling" if cancelling else waiting,
            "request_counts": counts,
            "created_at": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(batch.created)),
            "results_url": f"/v1/messages/batches/{batch.id}/results" if done else None,
        }
    if batch.shape == "gemini":
        word = {"completed": "SUCCEEDED"}.get(batch.outcome, batch.outcome.upper())
        out = f"out-{batch.id}"
        found = {"responsesFile": out} if done and out in STATE.files else {}
        code = {"failed": 8 if batch.errors else 13, "cancelled": 13}.get(batch.outcome)
        words = batch.errors[0][1] if batch.errors else batch.outcome
        return {
            "name": batch.id,
            "metadata": {
                "state": f"BATCH_STATE_{word if done else STATE.waits.upper() or 'RUNNING'}",
                "displayName": batch.about["displayName"],
                "batchStats": {"requestCount": str(len(batch.lines))},
            },
            "done": done,
            "response": found,
            **({"error": {"code": code, "message": words}} if done and code else {}),
        }
    out, err = f"out-{batch.id}", f"err-{batch.id}"
    return {
        "id": batch.id,
        "status": batch.outcome if done else "cancelling" if cancelling else waiting,
        "input_file_id": batch.file,
        "output_file_id": out if out in STATE.files else "",
        "error_file_id": err if err in STATE.files else None,
        "request_counts": {"total": len(batch.lines), "completed": batch.counted, "failed": 0},
        "created_at": int(batch.created),
        "expires_at": int(batch.created) + 86400,
        "metadata": batch.about.get("metadata"),
        "errors": {"data": [{"code": code, "message": said} for code, said in batch.errors]},
    }


if __name__ == "__main__":
    asyncio.run(listen(one_request))
