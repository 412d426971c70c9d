"""`sglang/MODEL`: a reward model behind SGLang's native `/classify`, as raw logits.

Wire: read in SGLang 0.5.23 (`EmbeddingReqInput`, `sglang.launch_server --is-embedding`). The
OpenAI-like `/v1/classify` is of no use here: it applies a softmax over the labels, so that every
one-label model answers 1.0.

The server applies no chat template and its tokenizer adds special tokens of its own: the
template should not begin with the BOS token. MODEL is not sent, for a server has one model.
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
)


class SGLang(Provider):
    """Pointwise reward over rendered text, many texts a request."""

    name = "sglang"
    method = "pointwise"
    parser = "sglang-classify/1"
    url_variable = "SGLANG_BASE_URL"
    key_variables = ("SGLANG_API_KEY",)
    concurrency = 8
    batch = 16
    wants_rendered_text = True
    server_adds_bos = True

    def build(self, calls: Sequence[Call]) -> Request:
        """All calls as one list, even a single one: a bare string is answered without a list."""
        texts: list[Json] = [self.rendered(call) for call in calls]
        return Request("/classify", self.with_params({"text": texts}))

    def split(self, body: Json) -> Sequence[Json]:
        """One object a text, in order; SGLang gives them no index."""
        if not isinstance(body, list):
            raise MalformedBodyError("a list of texts is classified into a list of objects")
        return body

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the head's one output, which SGLang calls an embedding."""
        embedding = member(part, "embedding")
        if not isinstance(embedding, list):
            raise MalformedBodyError("a classified text has an `embedding` list")
        if member(part, "meta_info", "finish_reason", "type") == "abort":
            # Its embedding is that of a placeholder.
            reason = member(part, "meta_info", "finish_reason", "message")
            raise MalformedBodyError(f"the server aborted this text: {reason}")
        if len(embedding) != 1:
            raise MalformedBodyError(
                f"the model gives {len(embedding)} numbers; a reward model gives one"
            )
        usage = Usage(
            input_tokens=count(member(part, "meta_info", "prompt_tokens")),
            output_tokens=count(member(part, "meta_info", "completion_tokens")),
        )
        return as_reward(embedding[0]), usage, None
