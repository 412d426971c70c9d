"""Tiny reward models as their authors save them: the class and weight names are theirs.

A body of transformers' own with random weights, a head beside it, a class name in config.json that
transformers does not have. What a head must give is computed here from the same tensors, by plain
torch, one text at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from local_models import TEXTS, Kind, make_config, make_tokenizer

LLAMA3: Final = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content }}<|eot_id|>{% endfor %}"
)
GEMMA: Final = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}"
)
MORE: Final = (
    *("<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    *("<start_of_turn>", "<end_of_turn>", "<|reward|>"),
)
WIDTH: Final = 32


def weights(**shapes: tuple[int, ...]) -> dict[str, Any]:
    """Random tensors; `__` in a name is a dot."""
    import torch

    made = torch.Generator().manual_seed(5)
    return {
        name.replace("__", "."): torch.randn(shape, generator=made) * 0.3
        for name, shape in shapes.items()
    }


def save(
    folder: Path,
    architecture: str,
    head: Mapping[str, Any],
    *,
    kind: Kind = Kind(template=LLAMA3),  # noqa: B008 - frozen
    rename: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    cls: str | None = None,
    **config: Any,
) -> Path:
    """Save body, head, configuration and tokenizer; `rename` gives the body's weights names."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModel

    tokenizer = make_tokenizer(kind)
    tokenizer.add_special_tokens({"additional_special_tokens": list(MORE)})
    if cls:
        tokenizer.add_special_tokens({"cls_token": cls})
    own = make_config(kind, tokenizer)
    torch.manual_seed(kind.seed)
    body = AutoModel.from_config(own, dtype=torch.float32)
    named = {f"model.{name}": tensor for name, tensor in body.state_dict().items()}
    tensors = {**(rename(body.state_dict()) if rename else named), **head}
    folder.mkdir(parents=True, exist_ok=True)
    whole = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    save_file(whole, folder / "model.safetensors", {"format": "pt"})
    told = {**own.to_dict(), "architectures": [architecture], "dtype": "float32", **config}
    for name in [name for name, value in config.items() if value is None]:
        del told[name]
    (folder / "config.json").write_text(json.dumps(told, default=str))
    tokenizer.save_pretrained(folder)
    body.save_pretrained(folder / "body")
    own.save_pretrained(folder / "body")
    return folder


def states(
    folder: Path, pairs: list[tuple[str, str]] = TEXTS, *, behind: str = ""
) -> list[tuple[list[int], Any]]:
    """(ids, states [tokens, width]) of each text, by transformers' own model, one at a time."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder / "body").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt, response in pairs:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        text = tokenizer.apply_chat_template(turns, tokenize=False) + behind
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            found.append((ids, model(input_ids=torch.tensor([ids]))[0][0]))
    return found
