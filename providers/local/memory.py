"""Telling that memory ran out from every other error, and giving back what is not used."""

from __future__ import annotations

import gc
from typing import Final

import torch

_WORDS: Final = (
    "out of memory",  # CUDA, MPS
    "not enough memory",  # the CPU's allocator on Windows and macOS
    "can't allocate memory",  # the same on Linux
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def ran_out(error: BaseException) -> bool:
    """Whether `error` says that there was too little memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


def give_back() -> None:
    """Let go of what a failed pass held, so that a smaller one finds room."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
