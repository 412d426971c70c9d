"""What rewards of local models have in common: calls to token groups, values to replies."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar

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
from rmjudge.providers.base import as_reward, reward_call
from rmjudge.providers.local.texts import TokenIds, Tokens
from rmjudge.providers.local.threads import LEFT_OUT

if TYPE_CHECKING:
    from rmjudge.providers.local.forward import Forward, States

T = TypeVar("T")

PARSER: Final = "local-reward/1"


@dataclass(frozen=True, slots=True)
class Attributed:
    """A reward and what it is made of, by name: all of it is kept with the answer."""

    reward: float
    attributes: Mapping[str, float]


Value: TypeAlias = float | Attributed
Found: TypeAlias = Callable[[int, Sequence[T]], None]
"""Told the number of a group that is complete and its values, as soon as it is."""


def ignore(number: int, values: Sequence[object]) -> None:
    """Nobody waits for the parts."""


class RewardReplica(ABC):
    """Implements `scorer.Replica` for models that score (prompt, response)."""

    remark: str
    computed: str
    """Way and kernel, kept with each answer: a matrix made of two is flagged."""
    reads: Reads = None

    @abstractmethod
    def encode(self, calls: Sequence[RewardCall]) -> list[Tokens | Failure]:
        """Tokenise the conversations."""

    @abstractmethod
    def rewards(
        self, groups: Sequence[Sequence[Tokens]], stopping: Event, found: Found[Value] = ignore
    ) -> Sequence[Sequence[Value] | None]:
        """Score groups of different texts with one prompt; None for a group left out."""

    def answer(
        self, calls: Sequence[Call], stopping: Event, found: dict[int, Outcome] | None = None
    ) -> Sequence[Outcome]:
        """Score the calls; those with one prompt, or one render, are computed together."""
        asked = [reward_call(call) for call in calls]
        outcomes: dict[int, Outcome] = {} if found is None else found
        texts: dict[int, Tokens] = {}
        groups: dict[str, dict[TokenIds, list[int]]] = {}
        for k, (call, tokens) in enumerate(zip(asked, self.encode(asked), strict=True)):
            if isinstance(tokens, Failure):
                outcomes[k] = tokens
            elif tokens.start >= len(tokens.ids):
                outcomes[k] = self._kept(tokens, None)
            else:
                texts[k] = tokens
                groups.setdefault(call.prompt, {}).setdefault(tokens.ids, []).append(k)
        together = [list(group.values()) for group in groups.values()]

        def keep(number: int, values: Sequence[Value]) -> None:
            for ks, value in zip(together[number], values, strict=True):
                outcomes.update((k, self._kept(texts[k], value)) for k in ks)

        self.rewards([[texts[ks[0]] for ks in group] for group in together], stopping, keep)
        return [outcomes.get(k, LEFT_OUT) for k in range(len(asked))]

    def _kept(self, tokens: Tokens, value: Value | None) -> Reply:
        return _reply(tokens, value, self.computed, parser_of(self.reads), self.reads)


def _reply(tokens: Tokens, value: Value | None, computed: str, parser: str, reads: Reads) -> Reply:
    kept: dict[str, Json] = {"tokens": len(tokens.ids), "truncated": tokens.truncated}
    if isinstance(value, Attributed):
        kept = {"reward": value.reward, **kept, "attributes": dict(value.attributes)}
    else:
        kept = {"reward": value, **kept}
    raw = json.dumps(kept)
    return Reply(read_reply(raw, reads), raw, parser, Usage(input_tokens=len(tokens.ids)), computed)


Reads: TypeAlias = "str | Mapping[str, float] | None"
"""What of a kept reply is the reward: what the model makes of it (None), an attribute, or the sum
of attributes with weights."""


def parser_of(reads: Reads) -> str:
    """The parser's name: replies that were read for another attribute are read again."""
    if reads is None:
        return PARSER
    return f"{PARSER} {reads if isinstance(reads, str) else json.dumps(dict(reads))}"


def read_reply(raw: str, reads: Reads = None) -> Answer:
    """Make an answer of a stored reply; without a reward there was no token to score."""
    kept = json.loads(raw)
    if kept["reward"] is None:
        return Unscored("empty", "the text has no token of the response")
    value = kept["reward"]
    if isinstance(reads, str):
        value = kept["attributes"][reads]
    elif reads is not None:
        value = sum(weight * kept["attributes"][name] for name, weight in reads.items())
    answer = as_reward(value)
    return replace(answer, truncated=kept["truncated"]) if isinstance(answer, Reward) else answer


class Telling(Generic[T]):
    """Tells `found` of each group once, when `done` has all its texts."""

    def __init__(
        self, groups: Sequence[Sequence[TokenIds]], done: Mapping[TokenIds, T], found: Found[T]
    ) -> None:
        self._left = dict(enumerate(groups))
        self._done = done
        self._found = found

    def complete(self) -> None:
        """Look which groups have become complete."""
        for number, group in list(self._left.items()):
            if all(ids in self._done for ids in group):
                del self._left[number]
                self._found(number, [self._done[ids] for ids in group])


class _StoppedError(Exception):
    pass


def run_until_stopped(
    forward: Forward,
    groups: Sequence[Sequence[TokenIds]],
    read: Callable[[States], Sequence[T]],
    stopping: Event,
    found: Found[T] = ignore,
) -> list[list[T] | None]:
    """Run the groups; once asked to stop, return what is complete and None for the rest."""
    done: dict[TokenIds, T] = {}
    tell = Telling(groups, done, found)

    def reading(states: States) -> Sequence[T]:
        values = read(states)
        done.update(zip(states.sequences, values, strict=True))
        tell.complete()
        if stopping.is_set():
            raise _StoppedError
        return values

    try:
        return list(forward.run(groups, reading))
    except _StoppedError:
        return [
            [done[ids] for ids in group] if all(ids in done for ids in group) else None
            for group in groups
        ]


@dataclass(frozen=True, slots=True)
class Way:
    """How a forward pass is done, for the report; `computed` is what an answer is kept with."""

    name: str
    reason: str
    computed: str

    def __str__(self) -> str:
        """A sentence for the report."""
        if self.name == "packed":
            return "texts were computed packed: no padding, beginnings that responses share once"
        return f"texts were computed sorted by length, each in full: {self.reason}"


def way_of(forward: Forward) -> Way:
    """The way that a forward pass has found."""
    kernel = forward.described
    return Way(forward.way, forward.reason, f"{kernel['way']} with {kernel['matmul']} products")
