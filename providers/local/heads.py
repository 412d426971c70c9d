"""Reward heads: what turns a classifier's hidden states into a number.

Most decoders have a linear `score` that is read at the last token; it is applied here, in fp32,
to the last token of the text. Whether a model is of that kind is tried out, not looked up: on two
short texts, `score` of the last hidden state must be what the whole model gives. Every other
classifier (BERT, DeBERTa, ModernBERT, heads of their own) runs as a whole.

Where a text ends in a token that serves as padding too, transformers' own classifiers read the
last token before it, OpenRLHF reads that token itself: `reward_tokens` says which is right for a
model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from rmjudge.errors import UsageError
from rmjudge.providers.local import memory
from rmjudge.providers.local.embeddings import rows_of, unembedded
from rmjudge.providers.local.outputs import AT_END, Place, place_of
from rmjudge.providers.local.readouts import BehindPadding, Layers, ReadHead
from rmjudge.providers.local.rewards import Attributed, Found, Telling, Value, Way, ignore
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
    seconds: Mapping[TokenIds, int]
    """Where the second segment of each text begins; pair encoders alone look at it."""

    def lacks(self, ids: TokenIds) -> str:
        """What the head needs and a text does not have; empty where it can be scored."""
        ...

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[Value] = ignore
    ) -> Sequence[Sequence[Value] | None]:
        """The raw value of each text; None for a group left out because of `stopping`."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a model's output.

    `label` is the output to read and `chosen` what the user called it, None where nothing was
    said. `skipped` is the padding token, where the reward is read before it, and `explicit` says
    that the user said where. `pairs` asks for segment ids. `names` are what several outputs are
    called.
    """

    label: int = 0
    chosen: str | None = None
    skipped: int | None = None
    explicit: bool = False
    pairs: bool = False
    names: Sequence[str] = ()


def head_of(model: Any, asked: Asked, probes: Sequence[TokenIds], *, plain: bool) -> Head:
    """Find out how the model's rewards can be computed.

    `probes` are two short texts of different lengths; `plain` asks for transformers' own
    attention.

    Raises:
        UsageError: it has no such output, or several and none was chosen.
    """
    run = Runner(model, probes[0])
    place = place_of(lambda text: run.alone(tuple(text)), probes, asked.chosen)
    if asked.chosen is None and place.count > 1:
        raise UsageError(
            f"the model has {place.count} outputs; choose the reward with --reward-head: 0 to "
            f"{place.count - 1}"
        )
    if asked.label >= place.count:
        raise UsageError(
            f"the model has {place.count} outputs, so there is no number {asked.label}"
        )
    if asked.chosen == AT_END and not place.each_token:
        raise UsageError(f"--reward-head {AT_END}: the model gives one value for the whole text")
    if not asked.pairs and _reads_last_token(model, run, place, probes):
        return ReadHead(model.base_model, _last_token(model, asked), plain=plain)
    if asked.explicit:
        raise UsageError(
            "the model reads its reward by a rule of its own; --reward-token is for heads that are "
            "applied to one token"
        )
    return WholeModel(run, place, asked, padded=_takes_padding(run, place, probes))


def _last_token(model: Any, asked: Asked) -> Layers:
    """`score` at the last token of the text, or at the last that is not the padding token."""
    return Layers(
        [(model.score.weight, model.score.bias)],
        BehindPadding(asked.skipped),
        label=asked.label,
        names=asked.names,
    )


class WholeModel:
    """The whole classifier on batches sorted by length; one text at a time where it must."""

    def __init__(self, run: Runner, place: Place, asked: Asked, *, padded: bool) -> None:
        self._run = run
        self._place = place
        self._label = asked.label
        self._names = asked.names if len(asked.names) == place.count > 1 else ()
        self._pairs = asked.pairs
        self._padded = padded
        self._budget = CPU_TOKENS if run.device.type == "cpu" else DEVICE_TOKENS
        self.seconds: Mapping[TokenIds, int] = {}
        self.way = Way("sorted", "the classifier runs as a whole", "whole/1")

    def lacks(self, ids: TokenIds) -> str:
        """An embedding; the model itself says what else it needs."""
        return unembedded(ids, self._run.rows)

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[Value] = ignore
    ) -> Sequence[Sequence[Value] | None]:
        """Compute each distinct text once."""
        texts = sorted({ids for group in groups for ids in group}, key=lambda ids: (len(ids), ids))
        done: dict[TokenIds, Value] = {}
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

    def _scored(self, texts: Sequence[TokenIds]) -> list[Value]:
        try:
            seconds = [self.seconds.get(ids, len(ids)) for ids in texts] if self._pairs else None
            output = self._run(texts, seconds)
            rows = self._place.values(output, [len(ids) for ids in texts]).tolist()
            if not self._names:
                return [float(row[self._label]) for row in rows]
            return [
                Attributed(row[self._label], dict(zip(self._names, row, strict=True)))
                for row in rows
            ]
        except (RuntimeError, MemoryError) as error:
            if len(texts) == 1 or not memory.ran_out(error):
                raise
        # Outside the handler, whose traceback would hold on to what the failed pass had taken.
        memory.give_back()
        self._budget = max(1, self._budget // 2)
        middle = len(texts) // 2
        return [*self._scored(texts[:middle]), *self._scored(texts[middle:])]


class Runner:
    """Runs a model as a whole, with a mask where its forward takes one."""

    def __init__(self, model: Any, probe: TokenIds) -> None:
        self._model = model
        self.rows = rows_of(model)
        self._pad = model.config.get_text_config().pad_token_id or 0
        self.device: torch.device = model.device
        self.dtype: torch.dtype = model.dtype
        self._masked = True
        self._alone: dict[TokenIds, Any] = {}
        try:
            self.alone(probe)
        except TypeError:
            self._masked = False

    def alone(self, text: TokenIds) -> Any:
        """The output for one text, of a pass that is made once: it may take seconds."""
        if text not in self._alone:
            self._alone[text] = self([text])
        return self._alone[text]

    def __call__(self, texts: Sequence[TokenIds], seconds: Sequence[int] | None = None) -> Any:
        """The model's own output, padded on the right where lengths differ.

        With `seconds`, token types are 1 from that place of each text on.
        """
        longest = max(map(len, texts))
        ids = [[*text, *[self._pad] * (longest - len(text))] for text in texts]
        given = {"input_ids": torch.tensor(ids, device=self.device)}
        if self._masked:
            mask = [[1] * len(text) + [0] * (longest - len(text)) for text in texts]
            given["attention_mask"] = torch.tensor(mask, device=self.device)
        if seconds is not None:
            types = [
                [int(start <= k < len(text)) for k in range(longest)]
                for text, start in zip(texts, seconds, strict=True)
            ]
            given["token_type_ids"] = torch.tensor(types, device=self.device)
        with torch.inference_mode():
            return self._model(**given)


def _reads_last_token(model: Any, run: Runner, place: Place, probes: Sequence[TokenIds]) -> bool:
    score = getattr(model, "score", None)
    if not isinstance(score, torch.nn.Linear) or model.base_model is model:
        return False
    for text in probes:
        with torch.inference_mode():
            ids = torch.tensor([text], device=model.device)
            found = model.base_model(input_ids=ids)
            hidden = getattr(found, "last_hidden_state", None)
            if hidden is None:
                return False
            read = score(hidden[0, -1].to(score.weight.device))
            own = place.values(run.alone(text), [len(text)])[0]
            if read.shape != own.shape or not agree(read, own.to(read.dtype)):
                return False
    return True


def _takes_padding(run: Runner, place: Place, probes: Sequence[TokenIds]) -> bool:
    """Whether texts score in a padded batch as they do alone."""
    lengths = [len(text) for text in probes]
    try:
        together = place.values(run(probes), lengths)
    except (ValueError, TypeError, RuntimeError, LookupError):  # no padding token, no mask
        return False
    alone = [place.values(run.alone(text), [len(text)])[0] for text in probes]
    dtype = run.dtype
    return all(agree(a.to(dtype), b.to(dtype)) for a, b in zip(together, alone, strict=True))


def agree(one: Tensor, other: Tensor) -> bool:
    """Whether two numbers are equal as far as the dtype of the second tells."""
    near = CLOSE if other.dtype == torch.float32 else LOOSE
    return bool(torch.allclose(one.float().cpu(), other.float().cpu(), rtol=near, atol=near))
