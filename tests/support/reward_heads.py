"""Heads of reward models as their papers and cards have them, computed apart from rmjudge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_models import answers, values
from reward_models import WIDTH, weights

from rmjudge import UsageError
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


OWN_CODE = {"AutoModel": "modeling_own.Own"}
"""In a configuration: the model's class is in a file beside it."""


async def rewards(folder: Path, **more: Any) -> list[float]:
    """What the classifier in a folder gives `TEXTS`."""
    return values(await answers(Classifier(LocalSettings(str(folder), **more))))


def the_same(one: Sequence[float], other: Sequence[Any]) -> None:
    """Two ways to the same rewards, which are not all alike."""
    want = [float(value) for value in other]
    assert one == pytest.approx(want, rel=0, abs=2e-4)
    assert max(want) - min(want) > 0.1  # or any reward would do


def refused(folder: Path, **more: Any) -> str:
    """Why the classifier in a folder is refused."""
    with pytest.raises(UsageError) as caught:
        Classifier(LocalSettings(str(folder), **more))
    return str(caught.value)


def linear(head: dict[str, Any], stem: str, state: Any) -> Any:
    """A head of one layer."""
    made = state @ head[f"{stem}.weight"][0]
    return made + head[f"{stem}.bias"][0] if f"{stem}.bias" in head else made


def mlp(head: dict[str, Any], stem: str, state: Any) -> Any:
    """A head of two layers, ReLU between them."""
    inner = (head[f"{stem}.0.weight"] @ state + head[f"{stem}.0.bias"]).clamp(min=0)
    return head[f"{stem}.2.weight"][0] @ inner + head[f"{stem}.2.bias"][0]


def two_layers(stem: str) -> dict[str, Any]:
    """Weights for `mlp`."""
    return {
        f"{stem}.{name}": tensor
        for name, tensor in weights(
            **{"0__weight": (16, WIDTH), "0__bias": (16,), "2__weight": (1, 16), "2__bias": (1,)}
        ).items()
    }


def through(head: dict[str, Any], stem: str, state: Any, activation: Any) -> Any:
    """Layers in the order of their numbers, `activation` between them."""
    numbers = sorted({int(n.removeprefix(f"{stem}.").split(".")[0]) for n in head if stem in n})
    for at, number in enumerate(numbers):
        state = activation(state) if at else state
        state = head[f"{stem}.{number}.weight"] @ state + head[f"{stem}.{number}.bias"]
    return state


def layers(stem: str, places: tuple[int, int, int], rows: int) -> dict[str, Any]:
    """Weights for `through`: three layers at these numbers, the last of so many rows."""
    one, two, last = places
    shapes = {one: (16, WIDTH), two: (16, 16), last: (rows, 16)}
    named = {f"{stem}.{k}.weight": shape for k, shape in shapes.items()}
    return weights(**named, **{f"{stem}.{k}.bias": shape[:1] for k, shape in shapes.items()})
