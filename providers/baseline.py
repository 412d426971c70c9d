"""`baseline/length`, `baseline/markdown`, `baseline/random`: what a judge of pure style gets.

No model: the reward is the number of characters, the number of Markdown marks, or a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rmjudge.calls import (
    Answer,
    Call,
    Failure,
    Json,
    Outcome,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
)
from rmjudge.errors import UsageError
from rmjudge.scorer import Activity
from rmjudge.text import did_you_mean
from rmjudge.vocabulary import Method

_MARKS: Final = re.compile(
    r"^\s{0,3}#{1,6}\s|^\s*[-*+]\s|^\s*\d+[.)]\s|\*\*[^*\n]+\*\*|`[^`\n]+`|^```|^\s*\|.*\|\s*$",
    re.MULTILINE,
)


def length(_prompt: str, response: str) -> float:
    """Characters of the response."""
    return float(len(response))


def markdown(_prompt: str, response: str) -> float:
    """Marks of Markdown in the response: headers, list items, bold, code, fences, table rows."""
    return float(len(_MARKS.findall(response)))


def random(prompt: str, response: str) -> float:
    """A number in [0, 1) that depends on the texts alone, so that runs repeat."""
    texts = (text.encode("utf-8", "surrogatepass") for text in (prompt, response))
    digest = hashlib.sha256(b"".join(hashlib.sha256(text).digest() for text in texts)).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


REWARDS: Final[dict[str, Callable[[str, str], float]]] = {
    "length": length,
    "markdown": markdown,
    "random": random,
}


class Baseline:
    """Implements `rmjudge.scorer.Scorer` without a model."""

    method: Method = "pointwise"
    parser = ""
    concurrency = 1
    batch = 256
    whole_tuples = False
    votes = 1
    lead_characters: int | None = None
    output_tokens_estimate = 0

    def __init__(self, kind: str) -> None:
        if kind not in REWARDS:
            raise UsageError(f"baseline/{kind}: {did_you_mean(kind, REWARDS)}")
        self.name = f"baseline/{kind}"
        self.identity: Mapping[str, Json] = {"provider": "baseline", "model": kind, "version": 1}
        self.activity = Activity()
        self._reward = REWARDS[kind]

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Compute the rewards."""
        return [
            Reply(Reward(self._reward(call.prompt, call.response)))
            if isinstance(call, RewardCall)
            else Failure("unsupported", "a baseline scores single responses")
            for call in calls
        ]

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return Usage(0, 0)

    def parse(self, call: Call, raw: str) -> Answer:
        """Never reached: the stored answer is the reply."""
        return Unscored("empty", "baselines keep no reply text")

    def drain(self) -> None:
        """Nothing waits here."""

    async def aclose(self) -> None:
        """Nothing is open."""
