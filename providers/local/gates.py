"""Rewards that are made of several objectives, each with a weight of its text's own.

All objectives come from one pass and are kept with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from rmjudge.errors import UsageError
from rmjudge.providers.local.readouts import At, chain, modules
from rmjudge.providers.local.recipes import Activation, Spread
from rmjudge.providers.local.rewards import Attributed, Value
from rmjudge.providers.local.texts import TokenIds

BATCH_NORM_EPS: Final = 1e-5
"""torch's own, which no configuration of these models changes."""
ACTIVATIONS: Final[Mapping[Activation, Callable[[Tensor], Tensor]]] = {
    "relu": torch.relu,
    "selu": torch.selu,
    "leaky-relu": torch.nn.functional.leaky_relu,
}


class Gated:
    """Objectives at one token, weighed by a gating network at the end of the prompt.

    reward = sum over objectives of gate * (objectives @ transform), the gate being softmax(network
    / temperature) * logit_scale; of quantiles, an objective is the mean
    (https://arxiv.org/abs/2406.12845, https://arxiv.org/abs/2409.10164).
    """

    mean = False

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        place: At,
        patterns: Sequence[TokenIds],
        *,
        names: Sequence[str],
        temperature: float,
    ) -> None:
        self._place = place
        self._patterns = patterns
        self._names = names
        self._regression = weights["regression_layer.weight"]
        self._regression_bias = weights.get("regression_layer.bias")
        self._transform = weights.get("reward_transform_matrix")
        self._scale = weights["gating.logit_scale"]
        self._temperature = temperature
        self._layers = modules(weights, "gating.layers")

    def places(self, ids: TokenIds) -> tuple[int, int]:
        """The token of the reward, and the last end of a prompt before the assistant's header."""
        for pattern in self._patterns:
            width = len(pattern)
            for k in range(len(ids) - width, -1, -1):
                if ids[k : k + width] == pattern:
                    return self._place(ids), k
        raise LookupError(
            "the model weighs its objectives at the end of the prompt, and this text has no "
            "header of the assistant's turn behind it"
        )

    def values(self, states: Tensor) -> list[Value]:
        """The weighed sum, with the objectives as attributes."""
        device = states.device
        made = states[:, 0] @ self._regression.to(device).T
        if self._regression_bias is not None:
            made = made + self._regression_bias.to(device)
        objectives = made.reshape(len(made), len(self._names), -1).mean(2)
        if self._transform is not None:
            objectives = objectives @ self._transform.to(device)
        gate = states[:, 1]
        for k, layer in enumerate(self._layers):
            gate = gate @ layer["weight"].to(device).T
            gate = gate + layer["bias"].to(device) if "bias" in layer else gate
            if k < len(self._layers) - 1:
                gate = torch.relu(gate)
                if "norm.weight" in layer:
                    gate = _normalised(gate, layer)
        gate = torch.softmax(gate / self._temperature, dim=1) * self._scale.to(device)[0]
        rewards: list[float] = (gate * objectives).sum(1).tolist()
        return [
            Attributed(reward, dict(zip(self._names, row, strict=True)))
            for reward, row in zip(rewards, objectives.tolist(), strict=True)
        ]


class Weighed:
    """Objectives and their weights, both read at one token: reward = sum over objectives of w * o.

    Of `spread`, an objective is the mean of a normal distribution whose deviation stands behind it
    ("normal", https://arxiv.org/abs/2410.00847), or the expected value of a distribution over equal
    steps from 0 to 1 ("steps", LDL-Reward). The weights are what the gate gives; with a
    `temperature`, their softmax.
    """

    mean = False

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        place: At,
        *,
        stems: tuple[str, str],
        names: Sequence[str],
        each: int,
        spread: Spread,
        activation: Activation,
        temperature: float | None = None,
    ) -> None:
        """`stems` are the names of the objectives' layers and of the gate's.

        Raises:
            UsageError: one of them has no weights, or other shapes than so many objectives.
        """
        self._objectives, self._gate = (chain(weights, stem) for stem in stems)
        rows = [len(layers[-1][0]) for layers in (self._objectives, self._gate)]
        if rows != [len(names) * each, len(names)]:
            raise UsageError(
                f"its head gives {rows[0]} values and {rows[1]} weights, which do not belong "
                f"together ({each} values an objective)"
            )
        self._place = place
        self._names = names
        self._spread = spread
        self._activation = ACTIVATIONS[activation]
        self._temperature = temperature

    def places(self, ids: TokenIds) -> tuple[int, ...]:
        """One token."""
        return (self._place(ids),)

    def values(self, states: Tensor) -> list[Value]:
        """The weighed sum, with the objectives as attributes."""
        objectives = self._expected(self._through(self._objectives, states[:, 0]))
        gate = self._through(self._gate, states[:, 0])
        if self._temperature is not None:
            gate = torch.softmax(gate / self._temperature, dim=1)
        rewards: list[float] = (gate * objectives).sum(1).tolist()
        return [
            Attributed(reward, dict(zip(self._names, row, strict=True)))
            for reward, row in zip(rewards, objectives.tolist(), strict=True)
        ]

    def _expected(self, made: Tensor) -> Tensor:
        """[texts, objectives * numbers of each] -> [texts, objectives]."""
        each = made.reshape(len(made), len(self._names), -1)
        if self._spread == "normal":
            return each[:, :, 0]
        steps = torch.linspace(0, 1, each.shape[2], device=each.device)
        return (torch.softmax(each, dim=2) * steps).sum(2)

    def _through(self, layers: Sequence[tuple[Tensor, Tensor | None]], made: Tensor) -> Tensor:
        for k, (weight, bias) in enumerate(layers):
            made = self._activation(made) if k else made
            made = made @ weight.to(made.device).T
            made = made if bias is None else made + bias.to(made.device)
        return made


def _normalised(states: Tensor, layer: Mapping[str, Tensor]) -> Tensor:
    """A batch norm by its running statistics."""
    held = {
        what: layer[f"norm.{what}"].to(states.device)
        for what in ("running_mean", "running_var", "weight", "bias")
    }
    return torch.nn.functional.batch_norm(states, **held, eps=BATCH_NORM_EPS)
