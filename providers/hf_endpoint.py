"""`hf-endpoint/NAME`: text classification at a Hugging Face Inference Endpoint, as raw logits.

Wire: https://huggingface.co/docs/inference-providers/tasks/text-classification and the default
handler of huggingface-inference-toolkit, which hands `parameters` to the transformers pipeline.
Without `function_to_apply: "none"` a one-label model comes back through a sigmoid. The address
is the whole endpoint: `https://ID.REGION.CLOUD.endpoints.huggingface.cloud`, or
`https://router.huggingface.co/hf-inference/models/MODEL`; NAME is not sent.

`--param label='"NAME"'` says which label is the reward; it is not sent. The pipeline applies no
chat template and its tokenizer adds special tokens of its own: the template should not begin
with the BOS token. An endpoint that runs the TEI container is asked as `tei/NAME`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rmjudge.calls import Answer, Call, Json, Usage
from rmjudge.providers.base import MalformedBodyError, Provider, Request, Target, reward_call
from rmjudge.providers.sending.messages import JsonObject
from rmjudge.providers.tei import LABEL, chosen_label, score_of, scores_of

TOP_K: Final = 100
"""More than any reward model has labels: fewer would hide that there are several."""
HOLD_S: Final = 540
"""How long the proxy may hold a request while a cold endpoint starts: less than our deadline.
https://huggingface.co/docs/inference-endpoints/guides/autoscaling"""


class HFEndpoint(Provider):
    """Pointwise reward over rendered text. While it is cold the proxy waits, or answers 503."""

    name = "hf-endpoint"
    method = "pointwise"
    parser = "hf-text-classification/1"
    url_variable = "HF_ENDPOINT_URL"
    key_variables = ("HF_TOKEN",)
    concurrency = 8
    local_params = reading_params = frozenset((LABEL,))
    wants_rendered_text = True
    server_adds_bos = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._label = chosen_label(target)

    def build(self, calls: Sequence[Call]) -> Request:
        """One text a request, at the base URL itself."""
        (call,) = map(reward_call, calls)
        body: JsonObject = {
            "inputs": self.rendered(call),
            "parameters": {"function_to_apply": "none", "top_k": TOP_K},
        }
        return Request("", self.with_params(body), {"x-scale-up-timeout": str(HOLD_S)})

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the reward's label, from `[{...}]` or, as some versions nest it, `[[{...}]]`."""
        if isinstance(part, list) and part and isinstance(part[0], list):
            if len(part) != 1:
                raise MalformedBodyError(f"{len(part)} lists of labels for one text")
            part = part[0]
        return score_of(part, self._label), Usage(), None

    @staticmethod
    def attributes(part: Json) -> Mapping[str, Json]:
        """The score of each label."""
        return scores_of(part)
