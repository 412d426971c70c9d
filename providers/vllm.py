"""`vllm/MODEL` and `vllm-pooling/MODEL`: reward models behind vLLM, as raw logits.

`vllm` asks `/classify`, for models that vLLM knows as `*ForSequenceClassification` with one
label; `vllm-pooling` asks `/pooling`, for heads such as `Qwen2ForRewardModel` (Qwen2.5-Math-RM)
and `InternLM2ForRewardModel`. Process reward models, which score every step, are refused.

Wire: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (Classification API,
Pooling API), read in vLLM 0.32. `use_activation` is true unless switched off: a one-label model
then comes back through a sigmoid, which saturates good responses into ties.
"""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.calls import Answer, Call, Json, Usage
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    as_reward,
    count,
    member,
    reward_call,
    text_or_none,
)
from rmjudge.providers.rendering import messages_of
from rmjudge.providers.sending.messages import JsonObject


class VLLM(Provider):
    """Pointwise reward; the server applies the model's chat template."""

    name = "vllm"
    method = "pointwise"
    parser = "vllm-classify/1"
    url_variable = "VLLM_BASE_URL"
    key_variables = ("VLLM_API_KEY",)
    takes_messages = True
    proved_by = "server: vLLM 0.32 (CPU build)"

    def build(self, calls: Sequence[Call]) -> Request:
        """One conversation a request: with messages vLLM takes no more."""
        body: JsonObject = {**self._conversation(calls), "use_activation": False}
        return Request("/classify", self.with_params(body))

    def _conversation(self, calls: Sequence[Call]) -> JsonObject:
        (call,) = map(reward_call, calls)
        return {
            "model": self.target.model,
            "messages": [{**message} for message in messages_of(call)],
        }

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the one label's logit."""
        data = member(part, "data")
        probs = member(part, "data", 0, "probs")
        if not isinstance(data, list) or len(data) != 1 or not isinstance(probs, list):
            raise MalformedBodyError("a classification has one `data` entry with `probs`")
        if len(probs) != 1:
            raise MalformedBodyError(f"the model has {len(probs)} labels; a reward model has one")
        return as_reward(probs[0]), _usage(part), text_or_none(member(part, "model"))


class VLLMPooling(VLLM):
    """Pointwise reward from a head that vLLM serves through `/pooling` only."""

    name = "vllm-pooling"
    parser = "vllm-pooling/1"

    def build(self, calls: Sequence[Call]) -> Request:
        """One conversation a request."""
        body: JsonObject = {
            **self._conversation(calls),
            "task": "classify",
            "encoding_format": "float",
            "use_activation": False,
        }
        return Request("/pooling", self.with_params(body))

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the pooled vector, which has one number."""
        data = member(part, "data")
        vector = member(part, "data", 0, "data")
        if not isinstance(data, list) or len(data) != 1:
            raise MalformedBodyError("a pooling reply has one `data` entry for one conversation")
        if not isinstance(vector, list):
            raise MalformedBodyError('pooled `data` is a list of floats (encoding_format "float")')
        if any(isinstance(number, list) for number in vector):
            raise MalformedBodyError(
                "the model scores every token or step, as a process reward model does; "
                "a reward model gives one number a response"
            )
        if len(vector) != 1:
            raise MalformedBodyError(f"the model gives {len(vector)} numbers; a reward is one")
        return as_reward(vector[0]), _usage(part), text_or_none(member(part, "model"))


def _usage(part: Json) -> Usage:
    return Usage(
        input_tokens=count(member(part, "usage", "prompt_tokens")),
        output_tokens=count(member(part, "usage", "completion_tokens")),
    )
