"""The body of a model whose head a recipe reads: transformers' own class, the model's weights.

The head's weights are read apart, in fp32. Nothing in the files may be left over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.errors import UsageError
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.hub import snapshot_of_weights
from rmjudge.providers.local.loading import LOADING, asked_of, dtype_of, told
from rmjudge.providers.local.recipes import Recipe, config_of, names_in
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.local.weights import check_taken, inside, weights_in

if TYPE_CHECKING:
    from torch import Tensor, nn

_INTERNLM2: Final = {
    "tok_embeddings": "embed_tokens",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w3": "mlp.up_proj",
    "feed_forward.w2": "mlp.down_proj",
}
"""Names of InternLM 2's modules, and Llama's for the same."""


def load_body(
    files: ModelFiles, settings: LocalSettings, device: str, recipe: Recipe
) -> tuple[nn.Module, Mapping[str, Tensor]]:
    """Load the body in evaluation mode on its device, and the head's weights by name, in fp32.

    Raises:
        ProviderStopped: the hub cannot be reached.
        UsageError: it cannot be loaded, the files lack weights or hold others, or the
            configuration is none of transformers' families.
    """
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    values = config_of(files, recipe)
    family = values.pop("model_type")
    if family not in CONFIG_MAPPING:
        raise UsageError(f"{files.name}: transformers has no model of the type {family!r}")
    asked: dict[str, Any] = {
        **asked_of(settings),
        "dtype": getattr(torch, dtype_of(files, settings)),
        "output_loading_info": True,
    }
    with LOADING, told(f"{files.name} cannot be loaded", files):
        config = transformers.AutoConfig.for_model(family, **values)
        folder = files.folder
        if files.commit is not None:
            folder = snapshot_of_weights(files.source, files.commit)
        names = names_in(folder)
        lost = {"internlm2": _as_llama}.get(recipe.body or "")
        if lost is not None:
            body = _tensors(folder, {n for n in names if n.startswith(recipe.prefixes)})
            kind = transformers.AutoModel._model_mapping[type(config)]  # noqa: SLF001 - no other way from a state dict
            model, found = kind.from_pretrained(
                None, config=config, state_dict=lost(body, config), **asked
            )
            found["unexpected_keys"] |= names - body.keys()
        else:
            (prefix,) = recipe.prefixes[:1]
            if prefix not in ("", "gpt_neox.", "model."):
                asked["key_mapping"] = {rf"^{prefix[:-1]}\.": ""}
            model, found = transformers.AutoModel.from_pretrained(
                str(folder), config=config, use_safetensors=True, **asked
            )
        found["unexpected_keys"] = {
            key
            for key in found["unexpected_keys"]
            if not (recipe.is_head(key) or recipe.is_ignored(key))
        }
        check_taken(files.name, model, found, settings.allow_unused, ())
        head = _tensors(folder, {name for name in names if recipe.is_head(name)})
        model.eval().requires_grad_(requires_grad=False)
        placed = model if settings.device_map is not None else model.to(device)
    return placed, {name: tensor.float() for name, tensor in head.items()}


def _tensors(folder: Path, names: set[str]) -> dict[str, Tensor]:
    """Weights by name, from whichever of the folder's files holds them."""
    from safetensors import safe_open

    found: dict[str, Tensor] = {}
    for path in weights_in(folder):
        with safe_open(path, framework="pt") as file:
            for held in file.keys():  # noqa: SIM118 - no mapping
                if (name := inside(path, held)) in names:
                    found[name] = file.get_tensor(held)
    return found


def _as_llama(weights: Mapping[str, Tensor], config: Any) -> dict[str, Tensor]:
    """InternLM 2's weights under Llama's names.

    `wqkv` is [key heads * (query heads of each + 2) * head width, width]: for each key head its
    query heads, the key and the value.
    """
    keys = config.num_key_value_heads
    queries = config.num_attention_heads // keys
    made: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        bare = name.removeprefix("model.")
        if ".attention.wqkv." not in bare:
            old = next((old for old in _INTERNLM2 if f".{old}." in f".{bare}"), "")
            made[bare.replace(old, _INTERNLM2[old]) if old else bare] = tensor
            continue
        rest = tensor.shape[1:]
        heads = tensor.reshape(keys, queries + 2, -1, *rest)
        parts = {
            "q_proj": heads[:, :queries],
            "k_proj": heads[:, queries],
            "v_proj": heads[:, queries + 1],
        }
        for part, rows in parts.items():
            own = bare.replace("attention.wqkv", f"self_attn.{part}")
            made[own] = rows.reshape(-1, *rest).contiguous()
    return made
