"""`nemo/MODEL`: a reward model behind NeMo-Aligner's `serve_reward_model.py` (PyTriton).

Wire: the Open Inference Protocol (KServe v2) over JSON,
https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, with the
tensors of `nemo_aligner/algorithms/reward_server.py`; tried against PyTriton 0.7. MODEL is the
served name, `reward_model` unless set. Output data is flat and row-major: `shape` says what
belongs to which text.

`--param column=4` says which column of a regression model (SteerLM attributes) is the reward;
it is not sent. Servers that tell which texts they cut (`exceeded`) are believed: those are
unscored. The server applies no chat template and adds no special tokens: the template writes
the whole conversation, BOS and `<extra_id_1>` included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from rmjudge.calls import Answer, Call, Json, Unscored, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    Target,
    as_list,
    as_reward,
    count,
    member,
    text_or_none,
)


class NeMo(Provider):
    """Pointwise reward over rendered text, many texts a request."""

    name = "nemo"
    method = "pointwise"
    parser = "nemo-rewards/1"
    url_variable = "NEMO_BASE_URL"
    concurrency = 4
    batch = 16
    local_params = reading_params = frozenset(("column",))
    wants_rendered_text = True
    proved_by = "server: PyTriton 0.7 (KServe v2)"

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        column = target.params.get("column")
        if column is not None and count(column) is None:
            raise UsageError(f"--param column counts from 0, such as column=4, not {column!r}")
        self._column = count(column)

    def build(self, calls: Sequence[Call]) -> Request:
        """All texts as one column of bytes."""
        texts: list[Json] = [[self.rendered(call)] for call in calls]
        sentences: Json = {
            "name": "sentences",
            "shape": [len(texts), 1],
            "datatype": "BYTES",
            "data": texts,
        }
        path = f"/v2/models/{quote(self.target.model, safe='')}/infer"
        return Request(path, self.with_params({"inputs": [sentences]}))

    def split(self, body: Json) -> Sequence[Json]:
        """One row of `rewards` a text, with its flag of `exceeded` where the server has one."""
        rewards = _rows(body, "rewards")
        if rewards is None:
            raise MalformedBodyError("an inference has an output tensor called `rewards`")
        cut = _rows(body, "exceeded") or [[None]] * len(rewards)
        if len(cut) != len(rewards):
            raise MalformedBodyError(f"{len(cut)} flags of `exceeded` for {len(rewards)} rewards")
        model = {name: member(body, name) for name in ("model_name", "model_version")}
        return [
            {"rewards": row, "exceeded": any(flags), **model}
            for row, flags in zip(rewards, cut, strict=True)
        ]

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the one column, or the one that the user named."""
        row = member(part, "rewards")
        if not isinstance(row, list):
            raise MalformedBodyError("a text has a row of `rewards`")
        version = text_or_none(member(part, "model_version"))
        model = text_or_none(member(part, "model_name"))
        model = f"{model} (version {version})" if model and version else model
        if member(part, "exceeded"):
            return Unscored("truncated", "the server cut the text"), Usage(), model
        if self._column is None and len(row) != 1:
            raise MalformedBodyError(
                f"the model gives {len(row)} numbers a text; "
                "say which is the reward with --param column=N, counted from 0"
            )
        column = self._column or 0
        if column >= len(row):
            raise MalformedBodyError(f"there is no column {column}: a row has {len(row)}")
        return as_reward(row[column]), Usage(), model

    @staticmethod
    def attributes(part: Json) -> Mapping[str, Json]:
        """The columns, which have numbers for names."""
        return {f"column_{k}": value for k, value in enumerate(as_list(member(part, "rewards")))}


def _rows(body: Json, name: str) -> list[list[Json]] | None:
    """Reshape an output tensor's flat data into a row a text; None where there is no such."""
    outputs = member(body, "outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if member(output, "name") != name:
            continue
        shape, data = member(output, "shape"), member(output, "data")
        if (
            not isinstance(shape, list)
            or not shape
            or not all(count(side) for side in shape)
            or not isinstance(data, list)
            or math.prod(shape) != len(data)
        ):
            raise MalformedBodyError(f"the `shape` and the flat `data` of `{name}` disagree")
        width = len(data) // shape[0]
        return [data[start : start + width] for start in range(0, len(data), width)]
    return None
