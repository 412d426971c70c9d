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
- `{"moody": true}`: some questions are never answered, some at their second attempt; by a hash of
  the question, so that the same question has the same fate whatever else is asked. With
  `"stubborn": true` as well, some are answered at their third attempt. `"memory": path` lets
  the server that comes after this one know how often each was asked.
- `{"longest": 100}`: a list of texts with a longer one among them is refused as a whole.
- `GET /stats`: {"received", "delivered", "most_delivered_of_one", "distinct", "headers", "paths",
  "bodies"}; of the last three, what came last. A reply is delivered when it was written whole to
  a client that had not hung up. "bought_again": requests for what had its answer delivered before
  (an empty reply is none). "arrivals" and "arrived": when which body came, in seconds of the
  server's clock; "asked_to_wait": [body, when it was told, until when]. "unknown": faults that it
  was told to have and does not know.

The dialects are in `dialects.py`, the faults in `faults.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from dialects import speaker
from faults import EMPTY, PAID, answer_always, answer_fault, asked_wait
from loopback import listen, read_request, write
from wire import STATE, Answer, Headers, State, as_json, digest, error


async def one_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    request = await read_request(reader)
    method, path, headers, body = request.method, request.path, request.headers, request.body
    if path in CONTROLS:
        await write(writer, CONTROLS[path](body))
        return True
    if method != "POST" or speaker(path) is None:
        await write(writer, error(404, f"{method} {path} is not served"))
        return True
    note_request(path, headers, body)
    STATE.in_flight += 1
    STATE.most_in_flight = max(STATE.most_in_flight, STATE.in_flight)
    try:
        return await model_request(reader, writer, path, body)
    finally:
        STATE.in_flight -= 1


def note_request(path: str, headers: Headers, body: bytes) -> None:
    STATE.headers.append(headers)
    STATE.paths.append(path)
    STATE.bodies.append(body)
    STATE.arrivals.append(asyncio.get_running_loop().time())
    STATE.arrived.append(digest(body))
    STATE.delivered_before.append(sum(STATE.delivered.values()))


async def model_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: bytes
) -> bool:
    asked = digest(body)
    name = STATE.next_fault(body)
    note_for_the_next(asked)
    STATE.received[asked] += 1
    STATE.bought_again += asked in STATE.answered
    if STATE.latency_s:
        await asyncio.sleep(STATE.latency_s)
    if STATE.always is None:
        answer = answer_fault(name, path, json.loads(body))
    else:
        answer = answer_always(**STATE.always)
    if answer.after_s:
        await asyncio.sleep(answer.after_s)
    if answer.reset or reader.at_eof():
        writer.transport.abort()
        return False
    note_wait(asked, answer)
    await write(writer, answer)
    kind = name.partition(":")[0]
    if kind in PAID:
        STATE.delivered[asked] += 1
    if kind in PAID - EMPTY:
        STATE.answered.add(asked)
    return answer.cut_after is None and not answer.hang_up


def note_for_the_next(asked: str) -> None:
    if STATE.memory:
        with Path(STATE.memory).open("a") as file:
            file.write(f"{asked}\n")


def note_wait(asked: str, answer: Answer) -> None:
    """Write down until when the client was asked to wait."""
    seconds = asked_wait(answer)
    if seconds is not None:
        now = asyncio.get_running_loop().time()
        STATE.asked_to_wait.append((asked, now, now + seconds))


def control(body: bytes) -> Answer:
    for name, value in json.loads(body or b"{}").items():
        setattr(STATE, name, value)
    if STATE.memory and Path(STATE.memory).exists():
        STATE.received = Counter(Path(STATE.memory).read_text().split())
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
            "arrived": STATE.arrived,
            "asked_to_wait": STATE.asked_to_wait,
            "bought_again": STATE.bought_again,
            "delivered_before": STATE.delivered_before,
            "unknown": STATE.unknown,
        }
    )


CONTROLS: dict[str, Callable[[bytes], Answer]] = {
    "/control": control,
    "/reset": reset,
    "/stats": stats,
}


if __name__ == "__main__":
    asyncio.run(listen(one_request))
