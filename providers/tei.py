"""`tei/MODEL`: a reward model behind Hugging Face text-embeddings-inference, as raw logits.

Wire: `/predict` of https://huggingface.github.io/text-embeddings-inference/, read in TEI 1.9.3
(`router/src/http/types.rs`). Three traps: `["a", "b"]` is one *pair*, so that a batch is a list
of lists; scores pass a sigmoid or softmax unless `raw_scores` is set; predictions are sorted by
score, so that a model with several labels must be read by label, never by place.

`--param label='"NAME"'` says which label is the reward; it is not sent. The server applies no
chat template and its tokenizer adds special tokens of its own: the template should not begin
with the BOS token. MODEL is not sent, for a server has one model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rmjudge.calls import Answer, Call, Json, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    Target,
    as_list,
    as_reward,
    member,
)
from rmjudge.providers.sending.messages import JsonObject

LABEL: Final = "label"
"""The parameter that names the reward's label."""


class TEI(Provider):
    """Pointwise reward over rendered text, many texts a request."""

    name = "tei"
    method = "pointwise"
    parser = "tei-predict/1"
    url_variable = "TEI_BASE_URL"
    key_variables = ("TEI_API_KEY",)
    concurrency = 8
    batch = 32
    """The server's own default limit (`--max-client-batch-size`)."""
    local_params = reading_params = frozenset((LABEL,))
    wants_rendered_text = True
    server_adds_bos = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._label = chosen_label(target)

    def build(self, calls: Sequence[Call]) -> Request:
        """All calls as a list of one-text lists. Over-long text is an error, never cut."""
        inputs: list[Json] = [[self.rendered(call)] for call in calls]
        body: JsonObject = {"inputs": inputs, "raw_scores": True, "truncate": False}
        return Request("/predict", self.with_params(body))

    def split(self, body: Json) -> Sequence[Json]:
        """One list of predictions a text, in order; TEI gives them no index."""
        if not isinstance(body, list) or not all(isinstance(part, list) for part in body):
            raise MalformedBodyError("a batch of texts is predicted as a list of lists")
        return body

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the reward's label. TEI tells neither tokens nor model."""
        return score_of(part, self._label), Usage(), None

    @staticmethod
    def attributes(part: Json) -> Mapping[str, Json]:
        """The score of each label."""
        return scores_of(part)


def chosen_label(target: Target) -> str | None:
    """The label that the user says is the reward.

    Raises:
        UsageError: the parameter is no text.
    """
    label = target.params.get(LABEL)
    if label is not None and not isinstance(label, str):
        raise UsageError(
            f"--param label is the name of a label, such as label='\"LABEL_0\"', not {label!r}"
        )
    return label


def score_of(predictions: Json, label: str | None) -> Answer:
    """The score of `label` among `[{"label", "score"}]`; without one, of the only label.

    Raises:
        MalformedBodyError: these are no predictions, or the label is not named or not there.
    """
    if not isinstance(predictions, list) or not predictions:
        raise MalformedBodyError("a text is predicted as a list of labels with scores")
    scores: list[tuple[str, Json]] = []
    for prediction in predictions:
        name = member(prediction, "label")
        if not isinstance(prediction, dict) or not isinstance(name, str):
            raise MalformedBodyError("a prediction has a `label` and a `score`")
        if "score" not in prediction:
            raise MalformedBodyError(f"the label {name!r} has no `score`")
        scores.append((name, prediction["score"]))
    names = ", ".join(sorted(name for name, _ in scores))
    if label is None and len(scores) > 1:
        raise MalformedBodyError(
            f"the model has the labels {names}; say which is the reward with "
            "--param label='\"NAME\"'"
        )
    meant = [score for name, score in scores if label in (None, name)]
    if len(meant) != 1:
        raise MalformedBodyError(f"{len(meant)} labels are called {label!r}; there are {names}")
    return as_reward(meant[0])


def scores_of(predictions: Json) -> dict[str, Json]:
    """The score of each label among `[{"label", "score"}]`, or `[[...]]` as some nest it."""
    found = as_list(predictions)
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    return {str(member(one, "label")): member(one, "score") for one in found}
