"""What a hosted provider is: how it asks, how its replies read, and a few facts about it.

`build`, `split` and `read` are pure, so that tests, replay from disk and batch interfaces use
the very functions that the sender uses. A provider knows nothing of tuples, caches, retries
or sockets. CONTRIBUTING.md walks through adding one.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast

from rmjudge.calls import (
    Answer,
    Call,
    ChooseCall,
    CompareCall,
    GenerateCall,
    Json,
    Reply,
    Reward,
    RewardCall,
    Unscored,
    Usage,
)
from rmjudge.providers.rendering import ChatTemplate, lacks_turns, messages_of
from rmjudge.providers.sending.messages import JsonObject, MalformedBodyError, Request
from rmjudge.vocabulary import Method

if TYPE_CHECKING:
    from rmjudge.providers.http import RewardShape

# `json.dumps` with separators makes an encoder for every text, at the price of encoding one.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode


PROBES: Final[Mapping[Method, Call]] = {
    "pointwise": RewardCall("prompt", "response"),
    "pairwise": CompareCall("prompt", "first", "second"),
    "choice": ChooseCall("prompt", ("first", "second", "third", "fourth")),
    "generation": GenerateCall((("user", "prompt"),)),
}
"""Calls whose requests stand for all: their hash is in the identity."""


@dataclass(frozen=True, slots=True)
class Target:
    """The model asked, where, and with which extra body parameters (None removes one).

    `chat_template` renders conversations for servers that want text; None where not asked for.
    `shape` is how a server of the user's own is asked (`rmjudge.providers.http`).
    """

    model: str
    base_url: str
    params: Mapping[str, Json] = field(default_factory=dict)
    chat_template: ChatTemplate | None = None
    shape: RewardShape | None = None


class Provider(ABC):
    """A hosted endpoint's dialect."""

    name: ClassVar[str]
    method: Method
    parser: str
    """Name and version of what `read` does; a new version re-reads stored replies."""
    default_url: ClassVar[str | None] = None
    """None: the user must say where the server is."""
    url_variable: ClassVar[str | None] = None
    key_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may hold the key; the first that is set wins."""
    key_needed_at_default_url: ClassVar[bool] = True
    concurrency: ClassVar[int] = 64
    """The most calls in flight; how many there are is found out."""
    batch: int = 1
    output_tokens_estimate: int = 0
    local_params: ClassVar[frozenset[str]] = frozenset()
    """Parameters that this module reads itself and that are not sent."""
    reading_params: ClassVar[frozenset[str]] = frozenset()
    """Those that only say what of a reply is the reward: the reply is kept whole, so that another
    choice is read from the cache."""
    prompt_cache_tokens: ClassVar[int | None] = None
    """The shortest shared prefix that the vendor caches; None where it caches none."""
    models_path: ClassVar[str | None] = None
    """Where the server lists its models; None where that is not known."""
    address_hint: ClassVar[str] = ""
    """What to say when nothing is found at the address."""
    tells_dollars: ClassVar[bool] = False
    """Whether the vendor says with every reply what it charges."""
    proved_by: ClassVar[str] = "shape: recorded replies"
    """What the tests hold it against: a server not written here, an SDK's types, or shapes."""
    wants_rendered_text: ClassVar[bool] = False
    """Whether the server applies no chat template, so that `target.chat_template` is needed."""
    wants_shape: ClassVar[bool] = False
    """Whether the user says how it is asked, in `target.shape`."""
    takes_messages: ClassVar[bool] = False
    """Whether a reward call's whole conversation goes to the server, which renders it."""
    server_adds_bos: ClassVar[bool] = False
    """Whether the server puts special tokens before a text, so that a template must not."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.remarks: list[str] = []
        """What is to be said of the answers, for the report; it may grow with each."""

    @abstractmethod
    def build(self, calls: Sequence[Call]) -> Request:
        """Make the request for these calls (at most `batch`)."""

    def split(self, body: Json) -> Sequence[Json]:
        """Cut a reply's body into one part a call, in the order of the calls.

        Raises:
            MalformedBodyError: this is no reply, or it has another number of parts.
        """
        return [body]

    @abstractmethod
    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read one call's part: the answer, tokens used, the model that answered.

        Raises:
            MalformedBodyError: this is no reply.
        """

    @staticmethod
    def attributes(part: Json) -> Mapping[str, Json]:  # noqa: ARG004 - the others' signature
        """Everything that a stored part says of a text, by name, where the model gives several."""
        return {}

    @property
    def template(self) -> str:
        """The text that frames every call; empty where the server renders the prompt."""
        return self.target.chat_template.source if self.target.chat_template else ""

    @property
    def described(self) -> Mapping[str, Json]:
        """What else changes the answers, for the scorer's identity."""
        return {}

    @property
    def lead_characters(self) -> int | None:
        """From which length on a prompt is worth sending ahead, to fill the vendor's cache."""
        return None

    def refuses(self, roles: Sequence[str]) -> str:
        """Why it cannot score a response to messages of these roles; empty where it can."""
        if self.target.chat_template is not None:
            return lacks_turns(self.target.chat_template.render, roles)
        return "" if self.takes_messages else "it is asked about one prompt and one response"

    def rendered(self, call: Call) -> str:
        """A call's conversation as text, for servers that want it so."""
        if self.target.chat_template is None:
            raise TypeError(f"{self.name} needs a chat template")
        template = self.target.chat_template
        text = template.render(messages_of(reward_call(call)))
        return text.removeprefix(template.bos) if self.server_adds_bos else text

    def change_for(self, refusal: str) -> Mapping[str, Json] | None:
        """The parameters with which to ask after a refusal in these words; None: no others."""
        return None

    def every_change(self) -> Iterable[Mapping[str, Json]]:
        """All that `change_for` may add up to."""
        return ()

    def asked_with(self, params: Mapping[str, Json]) -> Self:
        """The same provider with more parameters."""
        other = copy(self)
        other.target = replace(self.target, params={**self.target.params, **params})
        return other

    def auth(self, key: str) -> Mapping[str, str]:
        """Headers that carry the key."""
        return {"authorization": f"Bearer {key}"}

    def with_params(self, body: JsonObject) -> JsonObject:
        """Lay the user's parameters over a body, objects over objects; a null takes one away."""
        merged = dict(body)
        for name, value in self.target.params.items():
            below = merged.get(name)
            both = isinstance(below, dict) and isinstance(value, dict)
            merged[name] = {**below, **value} if both else value  # type: ignore[dict-item]
        return {
            name: value
            for name, value in merged.items()
            if value is not None and name not in self.local_params
        }

    @property
    def reads(self) -> dict[str, Json]:
        """What the user says of how replies read, apart from what is asked."""
        params = self.target.params
        return {name: params[name] for name in sorted(self.reading_params & params.keys())}

    def host(self, part: Json) -> str | None:
        """Who ran the model, where the vendor passes calls on to others and says to whom."""
        return None

    def reply(self, part: Json, call: Call) -> Reply:
        """Read one part into what is stored."""
        answer, usage, model = self.read(part, call)
        return Reply(answer, _ENCODE(part), parser_of(self), usage, model, self.host(part))


def parser_of(provider: Provider) -> str:
    """The parser's name; replies that were read by another choice are read again."""
    reads = provider.reads
    return f"{provider.parser} {_ENCODE(reads)}" if reads else provider.parser


def member(part: Any, *path: str | int) -> Any:
    """Follow keys and indexes into JSON; None as soon as one is missing."""
    for step in path:
        if isinstance(part, dict) and isinstance(step, str):
            part = part.get(step)
        elif isinstance(part, list) and isinstance(step, int) and -len(part) <= step < len(part):
            part = part[step]
        else:
            return None
    return part


def as_list(value: Any) -> list[Any]:
    """A list, or an empty one for whatever is none."""
    return value if isinstance(value, list) else []


def is_logprob(value: Any) -> bool:
    """Whether this is the logarithm of a probability: finite, at most 0."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -sys.float_info.max <= value <= 0


def count(value: Any) -> int | None:
    """A token count: a non-negative int, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_or_none(value: Any) -> str | None:
    """A non-empty string, or None."""
    return value if isinstance(value, str) and value else None


def reward_call(call: Call) -> RewardCall:
    """What a reward model is asked.

    Raises:
        TypeError: this is a comparison.
    """
    if not isinstance(call, RewardCall):
        raise TypeError("a reward model scores one response")
    return call


def as_reward(value: Json) -> Answer:
    """A strict finite number as a reward; anything else is none."""
    try:
        return Reward(cast(float, value))
    except ValueError as error:
        return Unscored("not-a-number", str(error))


__all__ = [
    "MalformedBodyError",
    "Provider",
    "Request",
    "Target",
    "as_list",
    "as_reward",
    "count",
    "is_logprob",
    "member",
    "reward_call",
    "text_or_none",
]
