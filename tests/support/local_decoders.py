"""Tiny random models of many architectures, and the plain one-at-a-time forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers
from torch import Tensor

from rmjudge.providers.local.forward import Forward, Group, States, TokenIds

VOCABULARY = 97
COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
SINGLE = {key: told for key, told in COMMON.items() if key != "num_key_value_heads"}

CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**COMMON),
    "qwen2": lambda: transformers.Qwen2Config(**COMMON),
    "qwen3": lambda: transformers.Qwen3Config(**COMMON, head_dim=16),
    "mistral": lambda: transformers.MistralConfig(**COMMON, sliding_window=7),
    "gemma2": lambda: transformers.Gemma2Config(
        **COMMON,
        head_dim=16,
        sliding_window=7,
        attn_logit_softcapping=2.0,
        query_pre_attn_scalar=9,
    ),
    "gemma3": lambda: transformers.Gemma3TextConfig(**COMMON, head_dim=16, sliding_window=7),
    "gpt-neox": lambda: transformers.GPTNeoXConfig(**SINGLE),
    "gpt-oss": lambda: transformers.GptOssConfig(
        **COMMON, head_dim=16, sliding_window=7, num_local_experts=4, num_experts_per_tok=2
    ),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=48, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=2
    ),
}


def decoder(name: str, **more: Any) -> Any:
    """A decoder whose random weights are large enough for attention to matter."""
    torch.manual_seed(7)
    config = CONFIGS[name]()
    for key, told in more.items():
        setattr(config, key, told)
    model = transformers.AutoModel.from_config(config).eval()
    return enlarged(model)


def enlarged(model: Any) -> Any:
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
        for name, parameter in model.named_parameters():
            if name.endswith("sinks"):
                parameter.normal_()
    return model


def tokens(count: int, seed: int) -> TokenIds:
    drawn = torch.randint(3, VOCABULARY, (count,), generator=torch.Generator().manual_seed(seed))
    return tuple(drawn.tolist())


def groups() -> list[Group]:
    """Shared beginnings, equal sequences, one a prefix of another, short and single branches."""
    prompt, answer = tokens(12, 1), tokens(20, 2)
    return [
        [
            prompt + answer + tokens(5, 3),
            prompt + answer + tokens(9, 4),
            prompt + answer,
            prompt,
            prompt + tokens(1, 5),
            prompt + answer,
        ],
        [],
        [tokens(1, 6)],
        [tokens(40, 7), tokens(3, 8)],
    ]


def hidden(forward: Forward, asked: Sequence[Group]) -> list[list[Tensor]]:
    """The hidden states of every sequence, each [tokens, width]."""

    def read(states: States) -> list[Tensor]:
        return [states.hidden[rows].clone() for rows in states.rows]

    return forward.run(asked, read)


def plainly(model: Any, asked: Sequence[Group]) -> list[list[Tensor]]:
    """The same by transformers' own eager attention, one sequence at a time."""
    used = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        found = [
            [model(input_ids=torch.tensor([sequence]), use_cache=False)[0][0] for sequence in group]
            for group in asked
        ]
    model.set_attn_implementation(used)
    return found


def largest(one: Sequence[Sequence[Tensor]], other: Sequence[Sequence[Tensor]]) -> float:
    """The largest difference of any number."""
    pairs = [
        pair
        for mine, theirs in zip(one, other, strict=True)
        for pair in zip(mine, theirs, strict=True)
    ]
    return max(float((mine.double() - theirs.double()).abs().max()) for mine, theirs in pairs)
