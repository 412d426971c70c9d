"""What the model server's parts share: its state, and an answer before it goes out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

Headers = dict[str, str]


@dataclass
class State:
    script: list[str] = field(default_factory=list)
    rate: float = 0.0
    faults: list[str] = field(default_factory=list)
    seed: int = 0
    latency_s: float = 0.0
    always: dict[str, Any] | None = None
    moody: bool = False
    stubborn: bool = False
    memory: str = ""
    longest: int | None = None
    received: Counter[str] = field(default_factory=Counter)
    delivered: Counter[str] = field(default_factory=Counter)
    headers: list[Headers] = field(default_factory=list)
    paths: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    bodies: deque[bytes] = field(default_factory=lambda: deque(maxlen=20))
    arrivals: list[float] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    asked_to_wait: list[tuple[str, float, float]] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    bought_again: int = 0
    delivered_before: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def next_fault(self, body: bytes) -> str:
        if self.script:
            return self.script.pop(0)
        if self.moody:
            return self._mood(digest(body))
        if not self.faults:
            return "ok"
        name = digest(body)
        draw = hashlib.sha256(f"{self.seed}|{name}|{self.received[name]}".encode()).digest()
        if int.from_bytes(draw[:4], "big") / 2**32 >= self.rate:
            return "ok"
        return self.faults[draw[4] % len(self.faults)]

    def _mood(self, name: str) -> str:
        """Of ten questions one is never answered, and three at the second attempt only.

        Where it is stubborn, one more is answered at the third.
        """
        draw = hashlib.sha256(f"mood {name}".encode()).digest()
        match draw[0] % 10:
            case 0:
                return ("null-content", "empty-choices", "length", "no-verdict")[draw[1] % 4]
            case 1 | 2 | 3 if not self.received[name]:
                return ("null-content", "empty-choices", "status:503")[draw[1] % 3]
            case 4 if self.stubborn and self.received[name] < 2:
                return "null-content"
        return "ok"


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
    hang_up: bool = False
    after_s: float = 0.0


def as_json(data: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(
        status, json.dumps(data).encode(), {"content-type": "application/json", **headers}
    )


def error(status: int, message: str, code: str | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    inner = {"message": message, "type": "error", "code": code}
    return as_json({"error": inner}, status, **named)
