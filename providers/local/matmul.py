"""Matrix products on the CPU: find out by a short probe whether another exact kernel is faster.

fp32: torch uses MKL, which is slow on some AMD processors; oneDNN, which comes with torch too, is
then up to twice as fast. bf16: processors without bf16 instructions multiply it in slow scalar
code; the same product in fp32, of the same numbers and rounded once at the end, is several times
faster. Both differ from torch's own kernel by the order of the sums alone. The weights stay where
they are: no second copy, only a scratch of `SCRATCH` numbers while a bf16 weight is widened.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache, partial
from statistics import median
from typing import Any, Final, Literal, TypeAlias

import torch
from torch import Tensor, nn

Product: TypeAlias = Literal["torch", "onednn", "widened"]

GAIN: Final = 1.3
"""So much faster must another kernel be. The choice is kept with each answer, and a matrix made of
two is flagged: it is not to waver."""

SCRATCH: Final = 1 << 22
ROWS: Final = 256
LARGEST: Final = 2048
ROUNDS: Final = 5


def speed_up(module: nn.Module) -> Product:
    """Let the linear layers in `module` use the fastest exact product; returns which that is.

    Only plain `torch.nn.Linear` layers on the CPU are touched, quantised ones never.
    """
    layers = _layers(module)
    shapes = Counter((layer.weight.dtype, *layer.weight.shape) for layer in layers)
    if not shapes:
        return "torch"
    dtype, outputs, inputs = max(shapes, key=lambda shape: shapes[shape] * shape[1] * shape[2])
    product = fastest(dtype, min(outputs, LARGEST), min(inputs, LARGEST))
    if product != "torch":
        for layer in layers:
            if layer.weight.dtype == dtype:
                layer.forward = partial(_PRODUCTS[product], layer)
    return product


def restore(module: nn.Module) -> None:
    """Undo `speed_up`."""
    for layer in _layers(module):
        layer.__dict__.pop("forward", None)


@lru_cache(maxsize=64)
def fastest(dtype: torch.dtype, outputs: int, inputs: int) -> Product:
    """The fastest kernel for [`ROWS`, inputs] x [inputs, outputs], by trying."""
    other = _other(dtype)
    if other is None:
        return "torch"
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(inputs, outputs, bias=False, dtype=dtype)
    with torch.inference_mode():
        layer.weight.copy_(torch.randn(outputs, inputs, generator=generator) * inputs**-0.5)
        rows = torch.randn(ROWS, inputs, generator=generator).to(dtype)
        mine = partial(_PRODUCTS[other], layer, rows)
        theirs = partial(layer, rows)
        try:
            exact = _agree(mine(), theirs())
        except RuntimeError:  # this build of torch has no such kernel for this processor
            return "torch"
        if not exact:
            return "torch"
        # In turn, so that a busy moment of the machine meets both.
        rounds = [(_seconds(mine), _seconds(theirs)) for _ in range(ROUNDS)]
    gains = [usual / seconds for seconds, usual in rounds]
    least = min(usual for _, usual in rounds) / min(seconds for seconds, _ in rounds)
    return other if min(least, median(gains)) > GAIN else "torch"


def _layers(module: nn.Module) -> list[Any]:
    return [
        layer
        for layer in module.modules()
        if type(layer) is nn.Linear and layer.weight.device.type == "cpu"
    ]


def _other(dtype: torch.dtype) -> Product | None:
    if dtype == torch.float32 and torch.backends.mkldnn.is_available():
        return "onednn"
    if dtype in {torch.bfloat16, torch.float16}:
        return "widened"
    return None


def _agree(mine: Tensor, theirs: Tensor) -> bool:
    """Whether two products differ by rounding alone."""
    tolerance = 8 * torch.finfo(theirs.dtype).eps * float(theirs.abs().max())
    return bool((mine - theirs).abs().max() <= tolerance)


def _seconds(run: Callable[[], Tensor]) -> float:
    """CPU seconds: by the clock on the wall a busy machine would choose at random."""
    began = time.process_time()
    run()
    return max(time.process_time() - began, 1e-9)


def _onednn(layer: Any, rows: Tensor) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001 - torch.compile's own kernel
        rows, layer.weight, layer.bias, "none", [], ""
    )
    return product


def _widened(layer: Any, rows: Tensor) -> Tensor:
    """The product in fp32, a slice of the weight at a time, rounded once."""
    wide = rows.float()
    step = max(1, SCRATCH // layer.in_features)
    out = rows.new_empty((*rows.shape[:-1], layer.out_features))
    for at in range(0, layer.out_features, step):
        part = slice(at, at + step)
        bias = None if layer.bias is None else layer.bias[part].float()
        out[..., part] = nn.functional.linear(wide, layer.weight[part].float(), bias)
    return out


_PRODUCTS: Final[dict[str, Callable[[Any, Tensor], Tensor]]] = {
    "onednn": _onednn,
    "widened": _widened,
}
