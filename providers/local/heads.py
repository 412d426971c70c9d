"""Reward heads: what turns a classifier's hidden states into a number.

Most decoders have a linear `score` that is read at the last token; it is applied here, in fp32,
to the last token of the text. Whether a model is of that kind is tried out, not looked up: on two
short texts, `score` of the last hidden state must be what the whole model gives. Every other
classifier (BERT, DeBERTa, ModernBERT, heads of their own) runs as a whole.

The last token is the last one of the text. transformers' own classifiers search for the last
token that is not the padding token, and so read one too early where a text ends in a token that
serves as padding too.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from rmjudge.errors import UsageError
from rmjudge.providers.local import memory
from rmjudge.providers.local.forward import Forward, States
from rmjudge.providers.local.rewards import Found, Telling, Way, ignore, run_until_stopped, way_of
from rmjudge.providers.local.texts import TokenIds

CPU_TOKENS: Final = 2048
DEVICE_TOKENS: Final = 16384
"""Tokens of a padded batch."""
LOOSE: Final = 5e-2
"""How far a padded text may be from the same text alone in half precision, relative."""
CLOSE: Final = 1e-4


class Head(Protocol):
    """A classifier with one of its outputs chosen."""

    way: Way

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """The raw logit of each text; None for a group left out because of `stopping`."""
        ...


def head_of(model: Any, label: int, probes: Sequence[TokenIds], *, plain: bool) -> Head:
    """Find out how the model's rewards can be computed.

    `label` is the output to read, `probes` two short texts of different lengths; `plain` asks for
    transformers' own attention.

    Raises:
        UsageError: it has no such output.
    """
    outputs = _logits(model, [probes[0]]).shape[-1]
    if label >= outputs:
        raise UsageError(f"the model has {outputs} outputs, so there is no number {label}")
    if _reads_last_token(model, probes):
        return LastTokenHead(model, label, plain=plain)
    return WholeModel(model, label, padded=_takes_padding(model, probes))


class LastTokenHead:
    """`score` at the last token of the text."""

    def __init__(self, model: Any, label: int, *, plain: bool) -> None:
        self._forward = Forward(model.base_model, way="sorted" if plain else "auto")
        self._weight = model.score.weight[label].float()
        bias = model.score.bias
        self._bias = 0.0 if bias is None else float(bias[label])
        self.way = way_of(self._forward)

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """Run the decoder and apply the head in fp32."""
        return run_until_stopped(self._forward, groups, self._read, stopping, found)

    def _read(self, states: States) -> list[float]:
        last = torch.stack([rows[-1] for rows in states.rows])
        hidden = states.hidden[last].float()
        values = hidden @ self._weight.to(hidden.device) + self._bias
        return [float(value) for value in values.tolist()]


class WholeModel:
    """The whole classifier on batches sorted by length; one text at a time where it must."""

    def __init__(self, model: Any, label: int, *, padded: bool) -> None:
        self._model = model
        self._label = label
        self._padded = padded
        self._budget = CPU_TOKENS if model.device.type == "cpu" else DEVICE_TOKENS
        self.way = Way("sorted", "the classifier runs as a whole", "whole/1")

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[float] = ignore
    ) -> Sequence[Sequence[float] | None]:
        """Compute each distinct text once."""
        texts = sorted({ids for group in groups for ids in group}, key=lambda ids: (len(ids), ids))
        done: dict[TokenIds, float] = {}
        tell = Telling(groups, done, found)
        while texts and not stopping.is_set():
            size = self._fitting(texts)
            done.update(zip(texts[-size:], self._scored(texts[-size:]), strict=True))
            del texts[-size:]
            tell.complete()
        return [
            [done[ids] for ids in group] if all(ids in done for ids in group) else None
            for group in groups
        ]

    def _fitting(self, texts: Sequence[TokenIds]) -> int:
        """How many of the longest texts make a batch."""
        return max(1, min(len(texts), self._budget // len(texts[-1]))) if self._padded else 1

    def _scored(self, texts: Sequence[TokenIds]) -> list[float]:
        try:
            logits = _logits(self._model, texts)[:, self._label]
            return [float(value) for value in logits.float().tolist()]
        except (RuntimeError, MemoryError) as error:
            if len(texts) == 1 or not memory.ran_out(error):
                raise
        # Outside the handler, whose traceback would hold on to what the failed pass had taken.
        memory.give_back()
        self._budget = max(1, self._budget // 2)
        middle = len(texts) // 2
        return [*self._scored(texts[:middle]), *self._scored(texts[middle:])]


def _logits(model: Any, texts: Sequence[TokenIds]) -> Tensor:
    """Outputs [texts, labels] of the model itself, padded on the right where lengths differ."""
    longest = max(map(len, texts))
    pad = model.config.get_text_config().pad_token_id or 0
    ids = torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts])
    device = model.device
    with torch.inference_mode():
        if len({len(text) for text in texts}) == 1:
            found: Tensor = model(input_ids=ids.to(device)).logits
        else:
            found = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
    return found


def _reads_last_token(model: Any, probes: Sequence[TokenIds]) -> bool:
    score = getattr(model, "score", None)
    if not isinstance(score, torch.nn.Linear) or model.base_model is model:
        return False
    for text in probes:
        with torch.inference_mode():
            ids = torch.tensor([text], device=model.device)
            hidden = model.base_model(input_ids=ids).last_hidden_state[0, -1]
            if not _agree(score(hidden.to(score.weight.device)), _logits(model, [text])[0]):
                return False
    return True


def _takes_padding(model: Any, probes: Sequence[TokenIds]) -> bool:
    """Whether texts score in a padded batch as they do alone."""
    try:
        together = _logits(model, probes)
    except (ValueError, TypeError, RuntimeError):  # no padding token, no mask
        return False
    return all(
        _agree(one, _logits(model, [text])[0]) for one, text in zip(together, probes, strict=True)
    )


def _agree(one: Tensor, other: Tensor) -> bool:
    near = CLOSE if other.dtype == torch.float32 else LOOSE
    return bool(torch.allclose(one.float().cpu(), other.float().cpu(), rtol=near, atol=near))
