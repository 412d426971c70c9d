"""A PEFT adapter (LoRA and its kin): found beside a model or in its place, and merged into it.

transformers applies an adapter of the folder where `peft` is installed and ignores it elsewhere:
two numbers under one name. Here it is applied or refused, by name, and it is part of the identity.
It is merged before the first score, so that every way of scoring reads one model.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.local.digests import digest_of_folder
from rmjudge.providers.local.libraries import has_peft
from rmjudge.providers.local.weights import ADAPTER, listed, shapes_of

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
_PREFIX: Final = "base_model.model."
"""Before the name of a weight of the base model in an adapter's file."""
_OF_ONE_MACHINE: Final = ("base_model_name_or_path", "revision", "inference_mode", "auto_mapping")
"""What of the configuration does not change the numbers: the base model has its own identity."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter's small files; `digest` stands for a folder's content, `commit` for a hub's."""

    name: str
    folder: Path
    commit: str | None
    digest: str | None
    config: Mapping[str, Any]

    @property
    def base(self) -> str:
        """The model that it was trained on, as its configuration names it."""
        named = self.config.get("base_model_name_or_path")
        if not isinstance(named, str) or not named:
            raise UsageError(
                f"{self.name} is an adapter whose {CONFIG} names no base model "
                "(base_model_name_or_path)"
            )
        return named

    @property
    def kind(self) -> str:
        """LORA, IA3 and so on."""
        return str(self.config.get("peft_type"))

    @property
    def classifies(self) -> bool:
        """Whether a classifier was trained, with a head that the base model may lack."""
        return self.config.get("task_type") == "SEQ_CLS"

    @property
    def described(self) -> dict[str, Json]:
        """What it adds to a scorer's identity."""
        where = f"{self.name}@{self.commit}" if self.commit else f"sha256:{self.digest}"
        return {"adapter": where}

    @property
    def replaced(self) -> dict[str, tuple[int, ...]]:
        """Names, as the base model has them, and shapes of weights that it brings whole."""
        return {
            name.removeprefix(_PREFIX).replace(".modules_to_save.", "."): shape
            for name, shape in shapes_of(self.folder / WEIGHTS).items()
            if name.startswith(_PREFIX) and "lora_" not in name
        }


def adapter_in(name: str, folder: Path, commit: str | None = None) -> Adapter | None:
    """The adapter in a folder of small files, or None.

    Raises:
        UsageError: a part of it is missing, it cannot be merged, or `peft` is not installed.
    """
    held = sorted(path.name for path in folder.iterdir() if path.name.startswith(ADAPTER))
    if not held:
        return None
    if not has_peft():
        raise UsageError(
            f"{name} holds a LoRA adapter ({', '.join(held)}); merge it into its base model (peft: "
            "merge_and_unload) and save that, move it out of the folder, or have it merged here: "
            "pip install 'rmjudge[peft]'"
        )
    if lacks := [file for file in (CONFIG, WEIGHTS) if file not in held]:
        raise UsageError(
            f"{name} holds a part of an adapter ({', '.join(held)}) without {lacks[0]}; save it "
            "whole as safetensors (peft: save_pretrained), or move it out of the folder"
        )
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{name}: {CONFIG} cannot be read: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("peft_type"), str):
        raise UsageError(f"{name} holds a LoRA adapter ({CONFIG}) that names no peft_type")
    digest = None if commit else _digest(folder, config)
    return Adapter(name, folder, commit, digest, config)


def _digest(folder: Path, config: Mapping[str, Any]) -> str:
    """Of everything in the folder, and of the configuration but for where the base model lies."""
    own = {key: value for key, value in config.items() if key not in _OF_ONE_MACHINE}
    text = json.dumps(own, sort_keys=True) + digest_of_folder(folder, without=CONFIG)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@contextmanager
def without_adapter(folder: str, adapter: Adapter | None) -> Iterator[str]:
    """The folder as transformers may see it: it would apply the adapter that lies in it."""
    if adapter is None or adapter.folder != Path(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as view:
        for path in adapter.folder.iterdir():
            if not path.name.startswith(ADAPTER):
                (Path(view) / path.name).symlink_to(path)
        yield view


def merged(name: str, model: Any, adapter: Adapter) -> Any:
    """The model with the adapter in its weights.

    Raises:
        UsageError: a tensor of the adapter has no module, a module got none, or its kind cannot be
            merged.
    """
    import peft
    from safetensors.torch import load_file

    config = peft.PeftConfig.from_pretrained(str(adapter.folder))
    if config.is_prompt_learning:
        raise UsageError(
            f"{name}: an adapter of the kind {adapter.kind} adds tokens and cannot be merged"
        )
    if adapter.classifies and not adapter.replaced:
        config.task_type = None  # the base model's own head stays; peft would ask for another
    held = load_file(adapter.folder / WEIGHTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = peft.get_peft_model(model, config, autocast_adapter_dtype=False)
        taken = peft.set_peft_model_state_dict(wrapped, dict(held))
        given = peft.get_peft_model_state_dict(
            wrapped, save_embedding_layers=any("embed" in key for key in held)
        )
        _check(name, held, given, taken.unexpected_keys)
        if not hasattr(wrapped, "merge_and_unload"):
            raise UsageError(f"{name}: an adapter of the kind {adapter.kind} cannot be merged")
        return wrapped.merge_and_unload(safe_merge=True)


def _check(
    name: str, held: Mapping[str, Any], given: Mapping[str, Any], unexpected: list[str]
) -> None:
    """Refuse an adapter that is not in the model as its file has it, tensor by tensor."""
    import torch

    plain = {key.replace(".modules_to_save.", "."): tensor for key, tensor in held.items()}
    placed = {key.replace(".modules_to_save.", "."): tensor for key, tensor in given.items()}
    if homeless := sorted({*(plain.keys() - placed.keys()), *unexpected}):
        raise UsageError(
            f"{name}: its adapter holds tensors that the base model has no place for: "
            f"{listed(homeless)}; it was trained on another model"
        )
    if empty := sorted(placed.keys() - plain.keys()):
        raise UsageError(
            f"{name}: its adapter lacks {listed(empty)}, which would be random numbers"
        )
    for key, tensor in placed.items():
        own = plain[key].to(tensor.device, tensor.dtype)
        if own.shape != tensor.shape or not torch.equal(own, tensor):
            raise UsageError(f"{name}: {key} of its adapter did not come into the model")
