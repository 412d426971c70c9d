"""What the orchestrator knows of the place where answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rmjudge.calls import Call, ChooseCall, CompareCall, GenerateCall, Json, Reply


class AnswerStore(Protocol):
    """Replies by content: (scorer key, call key) -> reply. Failures are never stored."""

    def key_of(self, identity: Mapping[str, Json]) -> str:
        """A scorer's key, a hash of its identity."""
        ...

    async def register(self, identity: Mapping[str, Json]) -> str:
        """Keep a scorer's identity and return its key, a hash of it."""
        ...

    async def lookup(self, scorer: str, calls: Sequence[str]) -> dict[str, Reply]:
        """Return the stored replies among these call keys, those that are no answer yet too."""
        ...

    async def commit(self, scorer: str, replies: Sequence[tuple[str, Reply]]) -> None:
        """Return when the replies are on disk for good.

        Raises:
            StorageStopped: they cannot be kept.
        """
        ...

    def claim(self, scorer: str, waiting: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Let one process at a time buy this scorer's answers; the next finds them here.

        `waiting` is called again and again while another process has the claim, and may raise to
        give up. A dead process has no claim.
        """
        ...


def key_fields(call: Call) -> tuple[str, ...]:
    """The content of a call that its key is made of."""
    vote = (f"vote {call.vote}",) if call.vote else ()
    if isinstance(call, CompareCall):
        return ("compare", call.prompt, call.first, call.second, *vote)
    if isinstance(call, ChooseCall):
        return ("choose", call.prompt, *call.responses, *vote)
    if isinstance(call, GenerateCall):
        turns = (part for turn in call.messages for part in turn)
        return ("generate", *turns, *vote)
    if call.turns:
        turns = (part for turn in call.turns for part in turn)
        return ("reward in turns", *turns, call.response, *vote)
    return ("reward", call.prompt, call.response, *vote)
