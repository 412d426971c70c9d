"""What passes between a run and its batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rmjudge.calls import Outcome, Reply
from rmjudge.running.budget import Budget
from rmjudge.running.job import Work

Keep: TypeAlias = Callable[[Sequence[tuple[Work, Outcome]]], Awaitable[list[Work]]]
"""Commits replies, then counts them; returns the follow-up questions."""
Commit: TypeAlias = Callable[[Sequence[tuple[Work, Reply]]], Awaitable[None]]
"""Commits replies, which count for nothing yet."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run allows: dollars and calls, tokens in the vendor's queue, and whether it waits."""

    budget: Budget
    detach: bool = False
    queue_tokens: int | None = None
