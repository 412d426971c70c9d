"""`vllm/MODEL`: a reward model behind vLLM's `/classify`, as raw logits.

Wire: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (Classification API),
read in vLLM 0.32. `use_activation` is true unless switched off: a one-label model then comes
back through a sigmoid, which saturates good responses into ties.
"""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.calls import Answer, Call, Json, Reward, RewardCall, Unscored, Usage
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    count,
    member,
    text_or_none,
)


class VLLM(Provider):
    """Pointwise reward; the server applies the model's chat template."""

    name = "vllm"
    method = "pointwise"
    parser = "vllm-classify/1"
    url_variable = "VLLM_BASE_URL"
    key_variable = "VLLM_API_KEY"
    concurrency = 32

    def build(self, calls: Sequence[Call]) -> Request:
        """One conversation a request: with messages vLLM takes no more."""
        (call,) = calls
        if not isinstance(call, RewardCall):
            raise TypeError("a reward model scores one response")
        return Request(
            "/classify",
            self.with_params(
                {
                    "model": self.target.model,
                    "messages": [
                        {"role": "user", "content": call.prompt},
                        {"role": "assistant", "content": call.response},
                    ],
                    "use_activation": False,
                }
            ),
        )

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the one label's logit."""
        data = member(part, "data")
        probs = member(part, "data", 0, "probs")
        if not isinstance(data, list) or len(data) != 1 or not isinstance(probs, list):
            raise MalformedBodyError("a classification has one `data` entry with `probs`")
        if len(probs) != 1:
            raise MalformedBodyError(f"the model has {len(probs)} labels; a reward model has one")
        usage = Usage(
            input_tokens=count(member(part, "usage", "prompt_tokens")),
            output_tokens=count(member(part, "usage", "completion_tokens")),
        )
        try:
            answer: Answer = Reward(probs[0])
        except ValueError as error:
            answer = Unscored("not-a-number", str(error))
        return answer, usage, text_or_none(member(part, "model"))
