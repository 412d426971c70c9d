"""Scorers of a user's own, a tuple of theirs, and what their runs write."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import rmjudge


class Politeness(rmjudge.PointwiseScorer):
    name = "mine/politeness"
    version = "1"

    async def reward(self, prompt: str, response: str) -> float:
        return float(response.lower().count("please"))


class Shorter(rmjudge.PairwiseScorer):
    name = "mine/shorter"
    version = "1"
    batch = 64

    def compare(self, prompt: str, first: str, second: str) -> float:
        return (len(first) < len(second)) + (len(first) == len(second)) / 2


class Counting(rmjudge.PointwiseScorer):
    """Counts its calls; can be told to fail at one."""

    name = "mine/counting"
    version = "1"

    def __init__(self, fails_at: int = 0, error: Exception | None = None) -> None:
        super().__init__()
        self.calls = 0
        self.fails_at = fails_at
        self.error = error

    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        self.calls += 1
        if self.error and self.calls == self.fails_at:
            raise self.error
        return float(len(response))


def files(folder: Path) -> dict[str, bytes]:
    """The files that are equal for equal runs."""
    found = [*folder.rglob("metrics.json"), *folder.rglob("results.jsonl")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def tuple_of(id: int) -> dict[str, Any]:
    return {
        "id": id,
        "domain": "chat",
        "prompt": "p",
        "chosen": ["a", "bb", "ccc"],
        "rejected": ["d", "ee", "fff"],
    }
