"""`nim/MODEL`: a reward model of NVIDIA, at build.nvidia.com or in a NIM container.

Wire: https://docs.nvidia.com/nim/large-language-models/latest/reward-model.html and the replies
recorded in camel-ai's `nemotron_model.py`. It is spoken over chat completions: the last message
is the response to score, and the reply's content is `name:number` pairs, such as `reward:-25.6`
or HelpSteer's five attributes. `message` may be a list of one, most other fields null, and
`finish_reason` is `length` on success; what is called a log probability is the number itself.

Attributes are summed with `weights`: by default those on the card of Nemotron-4-340B-Reward
(https://huggingface.co/nvidia/Nemotron-4-340B-Reward), otherwise
`--param weights='{"helpfulness": 1}'`, which is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from rmjudge.calls import Answer, Call, Json, Reward, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    Target,
    as_reward,
    count,
    member,
    reward_call,
    text_or_none,
)
from rmjudge.providers.rendering import messages_of
from rmjudge.providers.sending.messages import JsonObject

CARD_WEIGHTS: Final[Mapping[str, float]] = {
    "helpfulness": 0.3,
    "correctness": 0.74,
    "coherence": 0.46,
    "complexity": 0.47,
    "verbosity": -0.33,
}
_NUMBER: Final = re.compile(r"[-+]?((\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?|nan|inf(inity)?)", re.A | re.I)


class NIM(Provider):
    """Pointwise reward; the server applies the model's chat template."""

    name = "nim"
    method = "pointwise"
    parser = "nim-reward/1"
    default_url = "https://integrate.api.nvidia.com/v1"
    url_variable = "NIM_BASE_URL"
    key_variables = ("NVIDIA_API_KEY",)
    takes_messages = True
    local_params = reading_params = frozenset(("weights",))
    concurrency = 8

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._weights = _checked_weights(target.params.get("weights"))

    def build(self, calls: Sequence[Call]) -> Request:
        """One conversation a request; the response comes last."""
        (call,) = map(reward_call, calls)
        body: JsonObject = {
            "model": self.target.model,
            "messages": [{**message} for message in messages_of(call)],
            "stream": False,
        }
        return Request("/chat/completions", self.with_params(body))

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the named numbers of a completion, or its only number."""
        if not isinstance(member(part, "choices"), list):
            raise MalformedBodyError("a completion has `choices`")
        usage = Usage(
            input_tokens=count(member(part, "usage", "prompt_tokens")),
            output_tokens=count(member(part, "usage", "completion_tokens")),
        )
        return self._answer(member(part, "choices", 0)), usage, text_or_none(member(part, "model"))

    @staticmethod
    def attributes(part: Json) -> Mapping[str, Json]:
        """The named numbers of a completion."""
        choice = member(part, "choices", 0)
        return _pairs(_content(choice) or "") or _logprobs(member(choice, "logprobs", "content"))

    def _answer(self, choice: Json) -> Answer:
        content = _content(choice)
        if member(choice, "finish_reason") == "content_filter":
            return Unscored("content-filter", "the provider withheld the answer")
        tokens = member(choice, "logprobs", "content")
        for named in (_pairs(content or ""), _logprobs(tokens)):
            if self._complete(named):
                return self._combined(named)
        if content is None:
            return Unscored("empty", "no content and no numbers")
        if self._weights is None and _NUMBER.fullmatch(content.strip()):
            return as_reward(float(content))
        return Unscored("unparsed", f"no reward in {content[:160]!r}")

    def _complete(self, named: Mapping[str, Json]) -> bool:
        if self._weights is not None:
            return named.keys() >= self._weights.keys()
        return named.keys() == {"reward"} or named.keys() >= CARD_WEIGHTS.keys()

    def _combined(self, named: Mapping[str, Json]) -> Answer:
        if self._weights is None and len(named) == 1:
            return as_reward(named["reward"])
        total = 0.0
        for name, weight in (self._weights or CARD_WEIGHTS).items():
            answer = as_reward(named[name])
            if not isinstance(answer, Reward):
                return answer
            total += weight * answer.value
        return as_reward(total)


def _content(choice: Json) -> str | None:
    message = member(choice, "message")
    if isinstance(message, list):
        message = member(message, 0)
    return text_or_none(member(message, "content"))


def _pairs(content: str) -> dict[str, Json]:
    """Read `name:number,name:number`; empty as soon as something else is in it."""
    named: dict[str, Json] = {}
    for piece in content.split(","):
        name, colon, number = (part.strip() for part in piece.partition(":"))
        if not (name and colon and _NUMBER.fullmatch(number)) or name in named:
            return {}
        named[name] = float(number)
    return named


def _logprobs(tokens: Json) -> dict[str, Json]:
    """Attributes where a language model has tokens, numbers where it has log probabilities."""
    named: dict[str, Json] = {}
    for entry in tokens if isinstance(tokens, list) else ():
        name = member(entry, "token")
        if not isinstance(name, str) or name in named:
            return {}
        named[name] = member(entry, "logprob")
    return named


def _checked_weights(weights: Json) -> Mapping[str, float] | None:
    if weights is None:
        return None
    if not isinstance(weights, dict) or not weights:
        raise UsageError("--param weights is an object, such as weights='{\"helpfulness\": 1}'")
    checked: dict[str, float] = {}
    for name, weight in weights.items():
        answer = as_reward(weight)
        if not isinstance(answer, Reward):
            raise UsageError(f"--param weights: {name} has the weight {weight!r}, no number")
        checked[name] = answer.value
    return checked
