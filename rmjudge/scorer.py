"""What the orchestrator knows of a scorer, and the two small classes a user extends.

A scorer is a provider, a model, a method and everything else that changes its answers.
"""

from __future__ import annotations

import inspect
import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, runtime_checkable

from rmjudge.calls import (
    Answer,
    Call,
    CompareCall,
    Failure,
    Json,
    Outcome,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.errors import StopRun
from rmjudge.vocabulary import Method

FORM_CHANGED: Final = "form-changed"
"""Of a `Failure`: the call is to be asked again, by the scorer that this one has become."""
ASYNC_CALLS: Final = 16
"""How many calls of an async scorer of the user's own are under way at once, unless it says."""

Gate: TypeAlias = Callable[[Sequence[Call], bool], Awaitable[None]]
"""Given the calls, and whether an attempt at them was paid for; raises StopRun to refuse."""
Keep: TypeAlias = Callable[[Sequence[Call], Sequence[Reply]], Awaitable[None]]
"""Given calls and their replies, empty ones among them, before another try; raises StopRun."""


@dataclass(frozen=True, slots=True)
class KnownPace:
    """How many calls at once an earlier run found right; `limited`: because of the endpoint."""

    limit: int
    limited: bool


@dataclass(slots=True)
class Flow:
    """How many calls an endpoint is sent at once. Counts of attempts; `paused_s` seconds.

    `limit` is what was found so far, at most `ceiling`, and `limited` whether the endpoint set it;
    `most` is the most that was in flight at once.
    """

    ceiling: int
    limit: int = 0
    limited: bool = False
    in_flight: int = 0
    most: int = 0
    refused: int = 0
    timed_out: int = 0
    paused_s: float = 0.0

    def found(self) -> KnownPace | None:
        """What the next run is to know; None where nothing was sent."""
        return KnownPace(self.limit, self.limited) if self.most else None

    def told(self) -> dict[str, Json]:
        """What `run.json` tells."""
        return {
            "ceiling": self.ceiling,
            "limit": self.limit,
            "limited_by_endpoint": self.limited,
            "most_in_flight": self.most,
            "refused": self.refused,
            "timed_out": self.timed_out,
            "paused_s": round(self.paused_s, 3),
        }


@dataclass(slots=True)
class Activity:
    """What a scorer is doing, for the progress display and `run.json`. Counts of calls.

    `note` is about this moment; `remarks` are about how answers came to be, for the report.
    """

    answered: bool = False
    """Whether there ever was an answer, now or in the cache."""
    retried: int = 0
    maybe_billed: int = 0
    outages: int = 0
    note: str = ""
    known_pace: KnownPace | None = None
    """What an earlier run found out, where there was one."""
    batched: bool = False
    """Whether answers come in batches: none tells when the next ones will."""
    flow: Flow | None = None
    """None where no endpoint is asked."""
    gate: Gate | None = None
    """Asked before another attempt at calls; None where nothing limits the run."""
    keep: Keep | None = None
    """Told of an empty reply before its next try, so that no end of the program forgets it."""
    tries: dict[Call, int] = field(default_factory=dict)
    """How many tries earlier runs have used up, of calls whose replies were all empty."""
    remarks: list[str] = field(default_factory=list)


@runtime_checkable
class Scorer(Protocol):
    """The seam between the orchestrator and every provider, hosted or local."""

    name: str
    """`PROVIDER/MODEL`, as people read it."""
    method: Method
    identity: Mapping[str, Json]
    """Everything that changes an answer, and nothing else; its hash is half the cache key."""
    parser: str
    """Parser and version, e.g. `verdict/1`: another value re-reads stored replies for free."""
    concurrency: int
    """How many `answer` calls may be under way at once."""
    batch: int
    """How many calls one `answer` takes at most."""
    whole_tuples: bool
    """Whether one `answer` is given all calls of a tuple, or none."""
    output_tokens_estimate: int
    """Tokens of one reply, roughly; 0 where none are generated."""
    votes: int
    """How often each question is asked, for distinct samples."""
    lead_characters: int | None
    """Prompts of at least this length go ahead of a tuple's other calls, to fill a cache."""
    activity: Activity

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Answer calls, in order, one outcome each.

        Raises:
            StopRun: nothing more can be had from this scorer.
        """
        ...

    def most_tokens(self, call: Call) -> Usage | None:
        """The most tokens that a call can take, by what limits it; None where nothing does."""
        ...

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again. Pure."""
        ...

    def drain(self) -> None:
        """Start nothing new: calls that wait for a retry or a rate limit give up."""
        ...

    async def aclose(self) -> None:
        """Close connections, free models."""
        ...


def read_again(scorer: Scorer, call: Call, reply: Reply) -> Answer:
    """What the current parser makes of a stored reply: it is paid for, so it is never an error."""
    if not reply.raw:
        return reply.answer
    try:
        return scorer.parse(call, reply.raw)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # What an earlier version took for a reply, or another's file brought, and this one does
        # not.
        return Unscored("unparsed", f"{type(error).__name__}: {error}")


@runtime_checkable
class AdaptableScorer(Scorer, Protocol):
    """A scorer that asks in another form, and is another scorer then, where its server wants so.

    `identity` changes while nothing is answered yet; what was asked meanwhile comes back as a
    `Failure` with the status of `FORM_CHANGED`.
    """

    usual_identity: Mapping[str, Json]
    """Its identity before any change."""

    def forms(self) -> Iterable[tuple[Mapping[str, Json], Mapping[str, Json]]]:
        """The forms that it may change to: identity, and what `ask_with` takes."""
        ...

    def ask_with(self, change: Mapping[str, Json]) -> None:
        """Ask in that form from now on."""
        ...


@runtime_checkable
class ConversationScorer(Scorer, Protocol):
    """A scorer of rewards that may take whole conversations: calls with `turns`."""

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        ...


@runtime_checkable
class StreamingScorer(Scorer, Protocol):
    """A scorer that takes everything at once and answers in its own order: a cluster's."""

    def answer_all(self, calls: Sequence[Call]) -> AsyncIterator[Sequence[tuple[int, Outcome]]]:
        """Answer calls part by part; each outcome with the place of its call.

        After `drain` it ends with what is under way, and the other calls stay unanswered.

        Raises:
            StopRun: nothing more can be had from this scorer.
        """
        ...


class _InProcessScorer(ABC):
    """Common ground of scorers that are plain Python: no network, nothing to re-read."""

    name: str = ""
    version: str = ""
    concurrency = 1
    batch = 1
    whole_tuples = False
    votes = 1
    lead_characters: int | None = None
    output_tokens_estimate = 0
    parser = ""

    def __init__(self) -> None:
        cls = type(self)
        if not cls.name or not cls.version:
            raise ValueError(
                f"{cls.__name__} needs `name` and `version` class attributes: answers are kept "
                "under them, so change the version whenever the answers would change"
            )
        self.identity: Mapping[str, Json] = {
            "provider": "python",
            "model": cls.name,
            "version": cls.version,
        }
        self.activity = Activity()
        said = next(base for base in cls.__mro__ if "concurrency" in vars(base))
        if said is _InProcessScorer and inspect.iscoroutinefunction(self._asks):
            self.concurrency = ASYNC_CALLS

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """Answer calls one after the other.

        An error of the scorer's own code, and a value that is no score, are failures of that
        call. They are not kept: mended code is asked again for these alone.

        Raises:
            StopRun: the scorer raised it.
        """
        return [await self._guarded(call) for call in calls]

    async def _guarded(self, call: Call) -> Outcome:
        try:
            return await self._one(call)
        except StopRun:
            raise
        except Exception as error:  # noqa: BLE001  the user's code may raise anything
            what = f"{type(error).__name__}: {error}"
            trace = "".join(traceback.format_exception(error))
            return Failure("error", what, trace=f"asked about {call.prompt[:80]!r}\n{trace}")

    @property
    @abstractmethod
    def _asks(self) -> Callable[..., object]:
        """The user's method."""

    @abstractmethod
    async def _one(self, call: Call) -> Outcome: ...

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return Usage(0, 0)

    def parse(self, call: Call, raw: str) -> Answer:
        """Never reached: the stored answer is the reply."""
        return Unscored("empty", f"{self.name} keeps no reply text to read again")

    def drain(self) -> None:
        """Nothing waits here."""

    async def aclose(self) -> None:
        """Nothing is open."""


class PointwiseScorer(_InProcessScorer):
    """A reward model of your own: define `name`, `version` and `reward`.

    `reward` is a plain or an async method that returns a finite float. An async one is called
    `concurrency` times at once (16, unless the class says another number). Answers are kept under
    name and version: change the version when they would change.
    """

    method: Method = "pointwise"

    @abstractmethod
    def reward(self, prompt: str, response: str) -> float | Awaitable[float]:
        """Return a finite float; higher is better."""

    @property
    def _asks(self) -> Callable[..., object]:
        return self.reward

    async def _one(self, call: Call) -> Outcome:
        if not isinstance(call, RewardCall):
            return Failure("unsupported", f"{self.name} scores single responses only")
        value = self.reward(call.prompt, call.response)
        if inspect.isawaitable(value):
            value = await value
        try:
            return Reply(Reward(value))
        except ValueError as error:
            return Failure("not-a-number", str(error))


class PairwiseScorer(_InProcessScorer):
    """A judge of your own: define `name`, `version` and `compare`.

    `compare` is a plain or an async method that returns P(first is better). An async one is
    called `concurrency` times at once (16, unless the class says another number). Answers are kept
    under name and version: change the version when they would change.
    """

    method: Method = "pairwise"

    @abstractmethod
    def compare(self, prompt: str, first: str, second: str) -> float | Awaitable[float]:
        """Return P(first is better) in [0, 1]: 0.5 is a tie, True and False are 1 and 0."""

    @property
    def _asks(self) -> Callable[..., object]:
        return self.compare

    async def _one(self, call: Call) -> Outcome:
        if not isinstance(call, CompareCall):
            return Failure("unsupported", f"{self.name} compares two responses only")
        value = self.compare(call.prompt, call.first, call.second)
        if inspect.isawaitable(value):
            value = await value
        try:
            return Reply(Verdict(float(value) if isinstance(value, bool) else value))
        except ValueError as error:
            return Failure("not-a-number", str(error))
