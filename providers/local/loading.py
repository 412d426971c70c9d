"""Tokenizers and models through transformers: safetensors alone, one pinned revision, no code.

What the model's own Python files would do is run only where the user trusts them; whatever cannot
be loaded is told in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rmjudge.errors import UsageError
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.libraries import quiet
from rmjudge.providers.local.settings import DTYPES, LocalSettings

if TYPE_CHECKING:
    from torch import nn

Task: TypeAlias = Literal["AutoModelForSequenceClassification", "AutoModelForCausalLM"]

_LOADING: Final = Lock()
"""transformers sets torch's default dtype while it loads: one model at a time. Nor has it all its
names while it is imported, where two models begin at once."""
_SHOWN: Final = 3


def dtype_of(files: ModelFiles, settings: LocalSettings) -> str:
    """The dtype that weights are loaded in.

    Raises:
        UsageError: the user or the configuration names another than these.
    """
    if settings.dtype not in DTYPES:
        raise UsageError(f"--dtype {settings.dtype}: there are {', '.join(DTYPES)}")
    if settings.dtype != "auto":
        return settings.dtype
    if files.dtype not in DTYPES:
        raise UsageError(
            f"{files.name}: its configuration names the dtype {files.dtype!r}; choose with "
            f"--dtype {'|'.join(DTYPES[1:])}"
        )
    return files.dtype


def load_tokenizer(files: ModelFiles, settings: LocalSettings) -> Any:
    """Load the tokenizer.

    Raises:
        UsageError: it cannot be loaded.
    """
    with _LOADING, _told(f"{files.name}: its tokenizer cannot be loaded", files):
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(
            files.source,
            revision=files.commit or "main",
            trust_remote_code=settings.trust_remote_code,
        )


def load_model(files: ModelFiles, settings: LocalSettings, device: str, task: Task) -> nn.Module:
    """Load the model in evaluation mode and put it on its device, or on all with a device map.

    Raises:
        UsageError: it cannot be loaded, or part of it is not in the files and would be random.
    """
    import torch
    import transformers

    asked: dict[str, Any] = {}
    if settings.attention != "auto":
        asked["attn_implementation"] = settings.attention
    if settings.device_map is not None:
        asked["device_map"] = settings.device_map
    from_pretrained: Callable[..., Any] = getattr(transformers, task).from_pretrained
    with _LOADING, _told(f"{files.name} cannot be loaded", files):
        model, found = from_pretrained(
            files.source,
            revision=files.commit or "main",
            dtype=getattr(torch, dtype_of(files, settings)),
            use_safetensors=True,
            trust_remote_code=settings.trust_remote_code,
            output_loading_info=True,
            **asked,
        )
        _check_complete(files, found)
        model.eval().requires_grad_(requires_grad=False)
        placed: nn.Module = model if settings.device_map is not None else model.to(device)
    return placed


def _check_complete(files: ModelFiles, found: dict[str, Any]) -> None:
    missing = sorted(map(str, found.get("missing_keys", ())))
    if missing:
        names = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        raise UsageError(
            f"{files.name}: its files lack {names}, which would be random numbers; "
            "it was not trained for this"
        )


@contextmanager
def _told(what: str, files: ModelFiles) -> Iterator[None]:
    """Turn what transformers raises into a sentence for people."""
    from safetensors import SafetensorError

    from rmjudge.providers.local.hub import explanation

    faults = (OSError, ValueError, ImportError, RuntimeError, LookupError, TypeError)
    try:
        with quiet():
            yield
    except (*faults, AttributeError, SafetensorError) as error:
        text = " ".join(str(error).split())
        if "trust_remote_code" in text:
            raise UsageError(
                f"{what}: it brings Python code of its own, which is not run unless you give "
                "--trust-remote-code; read that code first"
            ) from error
        told = None
        if files.commit is not None and "safetensors" not in text:
            told = explanation(files.name, files.commit, error) if _is_hubs(error) else None
        raise UsageError(told or f"{what}: {text[:600] or type(error).__name__}") from error


def _is_hubs(error: Exception) -> bool:
    return type(error).__module__.startswith("huggingface_hub")
