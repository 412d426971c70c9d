"""What is asked and what comes back: the values that cross every seam.

A call is one unit of paid or computed work, and the unit that is cached. It holds texts
only: no tuple, no style, no position in a matrix, so that equal texts are one call.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from rmjudge.errors import StopRun

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class RewardCall:
    """Score one response to one prompt.

    `vote` tells samples of the same question apart; the first is 0. `turns` are the messages before
    the response, role and text, where they are more than one message of a user: `prompt` is then
    the same written out, for whoever is given a text.
    """

    prompt: str
    response: str
    vote: int = 0
    turns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CompareCall:
    """Say which of two responses to one prompt is better; `first` is shown first.

    `vote` tells samples of the same question apart; the first is 0.
    """

    prompt: str
    first: str
    second: str
    vote: int = 0


@dataclass(frozen=True, slots=True)
class ChooseCall:
    """Say which of several responses to one prompt is the best; they are shown in this order.

    `vote` tells samples of the same question apart; the first is 0.
    """

    prompt: str
    responses: tuple[str, ...]
    vote: int = 0


@dataclass(frozen=True, slots=True)
class GenerateCall:
    """Write a text. `messages` are the turns of a chat, role and text.

    `vote` tells samples of the same request apart; the first is 0.
    """

    messages: tuple[tuple[str, str], ...]
    vote: int = 0

    @property
    def prompt(self) -> str:
        """The last message."""
        return self.messages[-1][1]


Call: TypeAlias = RewardCall | CompareCall | ChooseCall | GenerateCall

CHARACTERS_PER_TOKEN: Final = 4.0
"""English prose and code under current tokenizers: 3.5 to 4.5."""
FRAME_TOKENS: Final = {"pairwise": 420, "choice": 340, "pointwise": 12, "generation": 12}
"""The judge's rubric and delimiters, or the turns of a chat template."""


def estimate_tokens(call: Call) -> int:
    """Estimate the input tokens of a call, for plans and rate limits; providers count their own."""
    if isinstance(call, CompareCall):
        characters = len(call.prompt) + len(call.first) + len(call.second)
        frame = FRAME_TOKENS["pairwise"]
    elif isinstance(call, ChooseCall):
        characters = len(call.prompt) + sum(map(len, call.responses))
        frame = FRAME_TOKENS["choice"]
    elif isinstance(call, GenerateCall):
        characters = sum(len(text) for _, text in call.messages)
        frame = FRAME_TOKENS["generation"]
    else:
        characters = len(call.prompt) + len(call.response)
        frame = FRAME_TOKENS["pointwise"]
    return int(characters / CHARACTERS_PER_TOKEN) + frame


UnscoredStatus = Literal[
    "unparsed",  # an answer without a well-formed verdict or number
    "refusal",  # the model declined to judge
    "content-filter",  # the provider withheld or cut the answer
    "truncated",  # the answer ran into the token limit
    "empty",  # a reply without an answer in it
    "not-a-number",  # a reward that is NaN, infinite or no number at all
]
UNSCORED_STATUSES: Final = frozenset(
    ("unparsed", "refusal", "content-filter", "truncated", "empty", "not-a-number")
)


@dataclass(frozen=True, slots=True)
class Reward:
    """A finite float; higher is better. `truncated`: of a text that was cut to fit the model.

    Raises:
        ValueError: the value is a bool, no number, NaN or infinite.
    """

    value: float
    truncated: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            raise ValueError(f"a reward is a number, not {type(self.value).__name__}")
        if not abs(self.value) <= sys.float_info.max:  # an int may lie beyond every float
            raise ValueError(f"a reward is a finite float, not {self.value}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """P(the first response is preferred) in [0, 1]: 1, 0.5 or 0 for a verdict in words.

    Raises:
        ValueError: the credit is outside [0, 1] or no number.
    """

    first: float

    def __post_init__(self) -> None:
        if isinstance(self.first, bool) or not isinstance(self.first, (int, float)):
            raise ValueError(f"a credit is a number, not {type(self.first).__name__}")
        if not 0.0 <= self.first <= 1.0:
            raise ValueError(f"a credit lies in [0, 1], not {self.first}")


@dataclass(frozen=True, slots=True)
class Choice:
    """The place, from 0, of the response that is the best of those shown.

    Raises:
        ValueError: it is no place.
    """

    place: int

    def __post_init__(self) -> None:
        if isinstance(self.place, bool) or not isinstance(self.place, int) or self.place < 0:
            raise ValueError(f"a choice is a place from 0 on, not {self.place!r:.20}")


@dataclass(frozen=True, slots=True)
class Unscored:
    """A delivered (and paid) reply that holds no score. Kept, counted, never a number."""

    status: UnscoredStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a model wrote to its end. `finish` is `stop`, or a reason not known here."""

    text: str
    finish: str = "stop"


Answer: TypeAlias = Reward | Verdict | Choice | Unscored | Text


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call took, as the provider says; None where it does not say.

    `input_tokens` includes `cached_tokens`, which the vendor read from its prompt cache, and
    `stored_tokens`, which it wrote there; `output_tokens` includes hidden reasoning. `dollars`
    are US dollars that the vendor says it charges for the call. `batch` is the part of it that was
    bought in a vendor's batch, at the batch's price.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    stored_tokens: int | None = None
    dollars: float | None = None
    batch: Usage | None = None

    @property
    def in_batch(self) -> Usage:
        """The same, all of it bought in a batch."""
        return replace(self, batch=replace(self, batch=None))

    def plus(self, other: Usage) -> Usage:
        """What two replies took; None where neither says."""
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
            _sum(self.cached_tokens, other.cached_tokens),
            _sum(self.stored_tokens, other.stored_tokens),
            _sum(self.dollars, other.dollars),
            self.batch.plus(other.batch or Usage()) if self.batch else other.batch,
        )


_N = TypeVar("_N", int, float)


def _sum(one: _N | None, other: _N | None) -> _N | None:
    return other if one is None else one + (other or 0)


@dataclass(slots=True)
class Spent:
    """What replies took, added up.

    `dollars` is what vendors say that `told_replies` of them cost, and `told` counts the tokens of
    these: no list price applies to them. `uncounted_replies` came with neither tokens nor dollars.
    `batched` counts the tokens of the others that were bought in batches.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    stored_tokens: int = 0
    uncounted_replies: int = 0
    replies: int = 0
    told_replies: int = 0
    dollars: float = 0.0
    told: Usage = field(default_factory=Usage)
    batched: Usage = field(default_factory=Usage)

    def add(self, usage: Usage) -> None:
        """Add one reply's usage."""
        self.replies += 1
        if usage.dollars is not None:
            self.told_replies += 1
            self.dollars += usage.dollars
            self.told = self.told.plus(usage)
        elif usage.input_tokens is None and usage.output_tokens is None:
            self.uncounted_replies += 1
        if usage.dollars is None and usage.batch is not None:
            self.batched = self.batched.plus(usage.batch)
        self.input_tokens += usage.input_tokens or 0
        self.output_tokens += usage.output_tokens or 0
        self.cached_tokens += usage.cached_tokens or 0
        self.stored_tokens += usage.stored_tokens or 0

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.stored_tokens + other.stored_tokens,
            self.uncounted_replies + other.uncounted_replies,
            self.replies + other.replies,
            self.told_replies + other.told_replies,
            self.dollars + other.dollars,
            self.told.plus(other.told),
            self.batched.plus(other.batched),
        )

    @property
    def untold(self) -> Spent:
        """The part without the vendor's own figure, which a list price applies to."""
        return Spent(
            self.input_tokens - (self.told.input_tokens or 0),
            self.output_tokens - (self.told.output_tokens or 0),
            self.cached_tokens - (self.told.cached_tokens or 0),
            self.stored_tokens - (self.told.stored_tokens or 0),
            self.uncounted_replies,
            self.replies - self.told_replies,
            batched=self.batched,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """A delivered reply: kept on disk whether or not it could be scored.

    `raw` is what the provider sent for this call, so that a better parser can read it again
    without paying; `parser` names the parser and version that made `answer` of it. `host` is who
    ran the model, where the vendor is one that passes calls on to others and says to whom. One
    that is `open` was paid for and is no answer yet: its tries are not used up, so the call is
    asked again, and `usage` counts for the answer that comes; `tries` is how many were. `asked` are
    the parameters of `--retry-with`, where it was asked with others than its scorer's. `ordered_by`
    is what the order of pairs was drawn from when it was bought: the texts, or the tuple's id in
    older versions.
    """

    answer: Answer
    raw: str = ""
    parser: str = ""
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    host: str | None = None
    open: bool = False
    tries: int = 1
    asked: Mapping[str, Json] | None = None
    ordered_by: str = "texts"


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that brought no answer: the next run asks again.

    `unclear`: the call or its endpoint may be to blame; what comes of the next calls tells.
    `paid` is a reply that came before the failure and is no answer, stored for its usage alone.
    `stop` is what ended the run before the tries were used up; the call then did not fail.
    `trace` is the traceback of an error in the scorer's own code.
    """

    status: str
    detail: str = ""
    unclear: bool = False
    paid: Reply | None = None
    stop: StopRun | None = None
    trace: str = ""


Outcome: TypeAlias = Reply | Failure


def answer_to_json(answer: Answer) -> dict[str, Json]:
    """Encode an answer for storage; `answer_from_json` is the inverse."""
    match answer:
        case Reward(value, truncated):
            return {"reward": value, **({"truncated": True} if truncated else {})}
        case Verdict(first):
            return {"first": first}
        case Choice(place):
            return {"choice": place}
        case Text(text, finish):
            return {"text": text, "finish": finish}
        case Unscored(status, detail):
            return {"unscored": status, "detail": detail}


def answer_from_json(data: Mapping[str, Json]) -> Answer:
    """Decode a stored answer.

    Raises:
        ValueError: this is no stored answer.
    """
    if "reward" in data:
        return Reward(cast(float, data["reward"]), data.get("truncated") is True)
    if "first" in data:
        return Verdict(cast(float, data["first"]))
    if "choice" in data:
        return Choice(cast(int, data["choice"]))
    if "text" in data:
        return Text(str(data["text"]), str(data.get("finish", "stop")))
    status = data.get("unscored")
    if status in UNSCORED_STATUSES:
        return Unscored(cast(UnscoredStatus, status), str(data.get("detail", "")))
    raise ValueError("a stored answer has a reward, a credit, a text or an unscored status")
