"""From the states of a text to its reward: linear heads and chains of layers.

A readout is applied in fp32 to the few states that it names, behind one forward pass for all of
its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

import torch
from torch import Tensor

from rmjudge.errors import UsageError
from rmjudge.providers.local.embeddings import rows_of, unembedded
from rmjudge.providers.local.forward import Forward, States
from rmjudge.providers.local.recipes import Read
from rmjudge.providers.local.rewards import (
    Attributed,
    Found,
    Value,
    ignore,
    run_until_stopped,
    way_of,
)
from rmjudge.providers.local.texts import TokenIds


class Readout(Protocol):
    """What is read of a text's states, and what becomes of it."""

    mean: bool
    """Whether the mean over all tokens is read, in place of `places`."""

    def places(self, ids: TokenIds) -> tuple[int, ...]:
        """Which tokens' states are read.

        Raises:
            LookupError: the text has none of them; it says what is missing.
        """
        ...

    def values(self, states: Tensor) -> list[Value]:
        """States [texts, places, width] in fp32 -> a value a text."""
        ...


class ReadHead:
    """A decoder with a readout: packed, one pass for all outputs."""

    def __init__(self, decoder: Any, readout: Readout, *, plain: bool) -> None:
        self._forward = Forward(decoder, way="sorted" if plain else "auto")
        self._readout = readout
        self._rows = rows_of(decoder)
        self.way = way_of(self._forward)
        self.seconds: Mapping[TokenIds, int] = {}

    def lacks(self, ids: TokenIds) -> str:
        """What the head needs and a text does not have; empty where it can be scored."""
        try:
            self._readout.places(ids)
        except LookupError as error:
            return str(error.args[0])
        return unembedded(ids, self._rows)

    def rewards(
        self, groups: Sequence[Sequence[TokenIds]], stopping: Event, found: Found[Value] = ignore
    ) -> Sequence[Sequence[Value] | None]:
        """Run the decoder and apply the head."""
        return run_until_stopped(self._forward, groups, self._read, stopping, found)

    def _read(self, states: States) -> list[Value]:
        texts = list(zip(states.rows, states.sequences, strict=True))
        if self._readout.mean:
            pooled = [states.hidden[rows].float().mean(0, keepdim=True) for rows, _ in texts]
            return self._readout.values(torch.stack(pooled))
        read = torch.stack([rows[list(self._readout.places(ids))] for rows, ids in texts])
        return self._readout.values(states.hidden[read].float())


@dataclass(frozen=True, slots=True)
class At:
    """The place of a text's reward; `pad` is the padding token, None for none."""

    read: Read
    pad: int | None

    def __call__(self, ids: TokenIds) -> int:
        """Before the first padding token, as `argmax(ids == pad) - 1` has it, or the end."""
        token = {"before-pad": self.pad, "before-zero": 0}.get(self.read)
        first = ids.index(token) if token is not None and token in ids else 0
        return (first - 1) % len(ids)


@dataclass(frozen=True, slots=True)
class BehindPadding:
    """The last token that is not `skipped`; the last of all where there is none."""

    skipped: int | None

    def __call__(self, ids: TokenIds) -> int:
        """As transformers' own classifiers find it."""
        last = len(ids) - 1
        return next((k for k in range(last, -1, -1) if ids[k] != self.skipped), last)


class Layers:
    """A chain of linear layers with ReLU between, at one token.

    `label` is the output that is the reward, `names` what all of them are called. `shift` and
    `scale` normalise the outputs, `sign` is -1 where a lower number is better.
    """

    def __init__(
        self,
        layers: Sequence[tuple[Tensor, Tensor | None]],
        place: At | BehindPadding,
        *,
        label: int = 0,
        names: Sequence[str] = (),
        mean: bool = False,
        sign: float = 1.0,
        normal: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self._layers = [
            (weight.float(), None if bias is None else bias.float()) for weight, bias in layers
        ]
        self._place = place
        self._label = label
        self._names = names if len(names) > 1 else ()
        self._sign = sign
        self._normal = normal
        self.mean = mean

    def places(self, ids: TokenIds) -> tuple[int, ...]:
        """One token."""
        return (self._place(ids),)

    def values(self, states: Tensor) -> list[Value]:
        """A number a text, all outputs beside it where there are several."""
        made = states[:, 0]
        for k, (weight, bias) in enumerate(self._layers):
            made = torch.relu(made) if k else made
            made = made @ weight.to(made.device).T
            made = made if bias is None else made + bias.to(made.device)
        if self._normal is not None:
            mean, deviation = (one.to(made.device) for one in self._normal)
            made = (made - mean) / deviation
        rows: list[list[float]] = (made * self._sign).tolist()
        if not self._names:
            return [row[self._label] for row in rows]
        return [
            Attributed(row[self._label], dict(zip(self._names, row, strict=True))) for row in rows
        ]


def chain(weights: Mapping[str, Tensor], stem: str) -> list[tuple[Tensor, Tensor | None]]:
    """The linear layers of a head: `stem` itself, or `stem.0`, `stem.2`, in order.

    Raises:
        UsageError: there is none.
    """
    if f"{stem}.weight" in weights:
        return [(weights[f"{stem}.weight"], weights.get(f"{stem}.bias"))]
    layers = [(layer["weight"], layer.get("bias")) for layer in modules(weights, stem)]
    if not layers:
        raise UsageError(f"its files hold no weights of the head {stem}")
    return layers


def modules(weights: Mapping[str, Tensor], stem: str) -> list[dict[str, Tensor]]:
    """The linear layers below a name, in the order of their numbers.

    A batch norm counts to the linear layer before it, under `norm.`.
    """
    found: dict[int, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        digits, _, what = name.removeprefix(f"{stem}.").partition(".")
        if name.startswith(f"{stem}.") and digits.isdecimal():
            found.setdefault(int(digits), {})[what] = tensor
    layers: list[dict[str, Tensor]] = []
    for number in sorted(found):
        held = found[number]
        if "running_mean" in held and layers:
            layers[-1] |= {f"norm.{what}": tensor for what, tensor in held.items()}
        elif "weight" in held:
            layers.append(held)
    return layers
