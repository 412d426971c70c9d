"""Tokenizers and models through transformers: safetensors alone, one pinned revision, no code.

What the model's own Python files would do is run only where the user trusts them; whatever cannot
be loaded is told in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rmjudge.errors import ProviderStopped, UsageError
from rmjudge.providers.local.adapters import Adapter, merged, without_adapter
from rmjudge.providers.local.buffers import rebuild
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.libraries import quiet
from rmjudge.providers.local.settings import DTYPES, LocalSettings
from rmjudge.providers.local.weights import check_taken

if TYPE_CHECKING:
    from torch import nn

Task: TypeAlias = Literal["AutoModelForSequenceClassification", "AutoModelForCausalLM"]

LOADING: Final = Lock()
"""transformers sets torch's default dtype while it loads: one model at a time. Nor has it all its
names while it is imported, where two models begin at once."""


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
    with LOADING, told(f"{files.name}: its tokenizer cannot be loaded", files):
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        # A class of the model's own would be run only to read this very file.
        folder = files.tokenizer_folder
        held = "auto_map" in files.tokenizer_config and (folder / "tokenizer.json").is_file()
        kind = PreTrainedTokenizerFast if held and not settings.trust_remote_code else AutoTokenizer
        return kind.from_pretrained(
            files.source if folder == files.folder else str(folder),
            revision=files.commit or "main",
            trust_remote_code=settings.trust_remote_code,
        )


def load_model(
    files: ModelFiles,
    settings: LocalSettings,
    device: str,
    task: Task,
    *,
    labels: int | None = None,
) -> nn.Module:
    """Load the model in evaluation mode and put it on its device, or on all with a device map.

    `labels` is how many outputs a classifier has where its configuration does not say so.
    Everything that can make its numbers wrong without an error is checked here: see `weights` and
    `buffers`.

    Raises:
        ProviderStopped: the hub cannot be reached.
        UsageError: it cannot be loaded, or not all of it comes from its files, or not all of them
            is in it.
    """
    import torch
    import transformers

    asked = asked_of(settings)
    if labels is not None:
        asked["num_labels"] = labels
    from_pretrained: Callable[..., Any] = getattr(transformers, task).from_pretrained
    dtype = getattr(torch, dtype_of(files, settings))
    with (
        LOADING,
        told(f"{files.name} cannot be loaded", files),
        without_adapter(files.source, files.adapter) as source,
    ):
        model, found = from_pretrained(
            source,
            revision=files.commit or "main",
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=settings.trust_remote_code,
            output_loading_info=True,
            **asked,
        )
        if files.adapter is not None:
            found = _but_for(files.adapter, found)
        check_taken(files.name, model, found, settings.allow_unused, files.shapes)
        rebuild(files.name, model, dtype)
        if files.adapter is not None:
            model = merged(files.name, model, files.adapter)
        model.eval().requires_grad_(requires_grad=False)
        placed: nn.Module = model if settings.device_map is not None else model.to(device)
    return placed


def _but_for(adapter: Adapter, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the base model's files and its class do not share, but for what the adapter brings.

    A classifier's adapter on a language model brings the head, in place of the output layer.
    """
    unused = set(found["unexpected_keys"])
    if adapter.classifies:
        unused = {key for key in unused if not key.startswith(("lm_head.", "embed_out."))}
    missing = set(found["missing_keys"]) - adapter.replaced.keys()
    return {**found, "missing_keys": missing, "unexpected_keys": unused}


def asked_of(settings: LocalSettings) -> dict[str, Any]:
    """What `from_pretrained` is asked for of any model."""
    asked: dict[str, Any] = {}
    if settings.attention != "auto":
        asked["attn_implementation"] = settings.attention
    if settings.device_map is not None:
        asked["device_map"] = settings.device_map
    return asked


@contextmanager
def told(what: str, files: ModelFiles) -> Iterator[None]:
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
        if "ignore_mismatched_sizes" in text:  # an option that nobody has here
            raise UsageError(
                f"{what}: weights in its files have other shapes than its config.json says "
                "(vocab_size, hidden_size, num_labels, ...); one of the two is not this model's"
            ) from error
        if files.commit is not None and "safetensors" not in text:
            told = explanation(files.name, files.commit, error) if _is_hubs(error) else None
            if told is not None:
                raise ProviderStopped(told) from error  # a network may come back
        raise UsageError(f"{what}: {text[:600] or type(error).__name__}") from error


def _is_hubs(error: Exception) -> bool:
    return type(error).__module__.startswith("huggingface_hub")
