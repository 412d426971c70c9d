"""Tensors of a model that its files do not hold: made again by the module's own constructor.

transformers 5 builds a model without memory and then fills in what the files hold. Buffers that
are saved in no file (`persistent=False`), such as the rotary tables of a model's own code, stay
uninitialised memory unless the class knows how transformers would have it fill them: other
numbers with each load. The same holds for tensors that a module keeps as plain attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from rmjudge.errors import UsageError

LIBRARY = "transformers"
"""Its own classes fill their buffers themselves when they are loaded."""


def rebuild(name: str, model: Any, dtype: Any) -> None:
    """Fill in what no file holds, in place; a model of transformers' own classes is left as it is.

    Two further copies of the model are constructed on the CPU, their weights never written, so
    that this costs neither the time nor the memory of weights.

    Raises:
        UsageError: the two copies differ, or cannot be made.
    """
    homeless = [(path, key) for path, key, _ in _tensors(model) if _is_own(model, path)]
    if not homeless:
        return
    try:
        one, other = (_built(model, dtype, {path for path, _ in homeless}) for _ in range(2))
    except Exception as error:
        raise UsageError(
            f"{name}: {homeless[0][1]} is not in its files, and the model's code does not make it "
            f"again: {' '.join(str(error).split())[:300] or type(error).__name__}"
        ) from error
    again = {(path, key): tensor for path, key, tensor in _tensors(other)}
    made = {(path, key): tensor for path, key, tensor in _tensors(one)}
    for place in homeless:
        path, key = place
        if place not in made or place not in again or not _same(made[place], again[place]):
            raise UsageError(
                f"{name}: {'.'.join(filter(None, place))} is not in its files, and the model's "
                "code makes it anew each time: no two loads would give the same rewards"
            )
        module = model.get_submodule(path)
        held = getattr(module, key)
        target = _device_of(module, model) if held.device.type == "meta" else held.device
        setattr(module, key, made[place].to(target))


def _tensors(model: Any) -> Iterator[tuple[str, str, Any]]:
    """(module, name, tensor) of everything that `state_dict` leaves out."""
    import torch

    for path, module in model.named_modules():
        for key, tensor in module._buffers.items():  # noqa: SLF001 - has no public name
            if tensor is not None and key in module._non_persistent_buffers_set:  # noqa: SLF001
                yield path, key, tensor
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor):
                yield path, key, value


def _is_own(model: Any, path: str) -> bool:
    return type(model.get_submodule(path)).__module__.partition(".")[0] != LIBRARY


def _built(model: Any, dtype: Any, paths: set[str]) -> Any:
    """The model as its configuration makes it, but for the weights, which stay unwritten."""
    kind, config = type(model), deepcopy(model.config)
    with _unwritten(dtype):
        made = kind(config)
    for path in paths:
        made._init_weights(made.get_submodule(path))  # noqa: SLF001 - what loading would call
    return made


@contextmanager
def _unwritten(dtype: Any) -> Iterator[None]:
    """Construct a model without spending time on the first values of its weights."""
    import torch
    from transformers.initialization import no_init_weights

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with no_init_weights(), torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(before)


def _same(one: Any, other: Any) -> bool:
    """Whether two tensors are equal to the last bit."""
    import torch

    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    flat, again = (
        part.detach().contiguous().reshape(-1).view(torch.uint8) for part in (one, other)
    )
    return bool(torch.equal(flat, again))


def _device_of(module: Any, model: Any) -> Any:
    return next((weight.device for weight in module.parameters()), model.device)
