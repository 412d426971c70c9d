"""Which devices a model runs on. torch is asked only where there may be an accelerator."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.providers.local.libraries import require_accelerate
from rmjudge.providers.local.settings import LocalSettings

_ACCELERATOR_NODES: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""NVIDIA, AMD, and NVIDIA below WSL: without one of these Linux has no CUDA device."""


def devices_of(settings: LocalSettings) -> tuple[str, ...]:
    """The devices, one replica each; with a device map the one replica's first device.

    Raises:
        UsageError: there is no such device, or options contradict each other.
    """
    asked = settings.device
    if settings.engine == "ray":  # a kind of device, of other machines than this
        return (asked,)
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", asked):
        raise UsageError(f"--device {asked}: there are auto, cpu, mps, cuda and cuda:N")
    if settings.device_map is not None:
        if asked != "auto":
            raise UsageError("--device-map auto chooses the devices; leave --device away")
        require_accelerate(settings.model)
    if asked == "cpu" or (asked == "auto" and not _may_have_accelerator()):
        return ("cpu",)
    found = _found(asked)
    return found[:1] if settings.device_map is not None else found


def kind_of(device: str) -> str:
    """`cpu`, `cuda` or `mps`."""
    return device.partition(":")[0]


def _may_have_accelerator() -> bool:
    return sys.platform != "linux" or any(Path(node).exists() for node in _ACCELERATOR_NODES)


def _found(asked: str) -> tuple[str, ...]:
    import torch

    cuda = tuple(f"cuda:{k}" for k in range(torch.cuda.device_count()))
    mps = ("mps",) if torch.backends.mps.is_available() else ()
    found = {"auto": cuda or mps or ("cpu",), "cuda": cuda, "mps": mps}.get(
        asked, (asked,) if asked in cuda else ()
    )
    if not found:
        seen = ", ".join((*cuda, *mps, "cpu"))
        raise UsageError(f"--device {asked}: torch sees no such device here, only {seen}")
    return found
