"""Causal models that write what a test says, with weights set by hand and no training.

Attention and feed-forward layers add nothing, so that a token's logits follow from the token
before it alone: what comes after each is a table that the test gives, and known to all digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from local_models import Kind, make_tokenizer

END: Final = "<|im_end|>"
WIDTH: Final = 288
NEVER: Final = -60.0
Follows = Mapping[str, Mapping[str, float]]
"""For a token, what follows it, with its probability."""


BRACKETS: Final[Follows] = {
    "\n": {"[[": 1.0},
    "A": {"]]": 1.0},
    "B": {"]]": 1.0},
    "]]": {END: 1.0},
}
"""A letter in double brackets, which are tokens; what follows the first is left to say."""


def writes(text: str) -> dict[str, dict[str, float]]:
    """The table of a model that writes this after the prompt's last line break, then ends."""
    assert len({*text, "\n"}) == len(text) + 1, "a token is followed by one other"
    return {token: {after: 1.0} for token, after in pairwise(["\n", *text, END])}


def told_model(follows: Follows, tokenizer: Any, **config: Any) -> Any:
    """A Llama that does so."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    asked = {"max_position_embeddings": 8192, "tie_word_embeddings": False, **config}
    shape = {"hidden_size": WIDTH, "intermediate_size": 8, "num_hidden_layers": 1}
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=1, **shape, **asked)
    ).eval()
    layer = model.model.layers[0]
    with torch.no_grad():
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
        # Wide enough that the norm's epsilon is lost in fp32.
        model.model.embed_tokens.weight.copy_(100 * torch.eye(len(tokenizer), WIDTH))
        model.lm_head.weight.zero_()
        for token, shares in follows.items():
            column = torch.full((len(tokenizer),), NEVER)
            for after, share in shares.items():
                column[_id(tokenizer, after)] = math.log(share)
            model.lm_head.weight[:, _id(tokenizer, token)] = column / math.sqrt(WIDTH)
    model.generation_config = GenerationConfig(eos_token_id=_id(tokenizer, END))
    return model


def _id(tokenizer: Any, token: str) -> int:
    known = tokenizer.get_vocab().get(token)
    (found,) = tokenizer.encode(token, add_special_tokens=False) if known is None else (known,)
    return int(found)


def make_told(
    folder: Path,
    follows: Follows,
    kind: Kind | None = None,
    special: Sequence[str] = (),
    **config: Any,
) -> Path:
    """Save one with its tokenizer, to which `special` tokens are added."""
    from tokenizers import AddedToken

    tokenizer = make_tokenizer(kind or Kind(task="CausalLM"))
    tokenizer.add_tokens([AddedToken(name, special=True) for name in special])
    told_model(follows, tokenizer, **config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
