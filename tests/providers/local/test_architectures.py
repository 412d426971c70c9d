"""Packed states against transformers' own eager forward, one sequence at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from local_decoders import (
    COMMON,
    CONFIGS,
    decoder,
    enlarged,
    groups,
    hidden,
    largest,
    plainly,
    tokens,
)

from rmjudge.providers.local import flex
from rmjudge.providers.local.attention import Passage, Reach
from rmjudge.providers.local.forward import Forward
from rmjudge.providers.local.packing import build_trie, lay_out
from rmjudge.providers.local.segments import attend

TOLERANCE = 1e-4


@pytest.mark.parametrize("name", CONFIGS)
def test_packed_states_are_those_of_one_sequence_at_a_time(name: str) -> None:
    model = decoder(name)
    expected = plainly(model, groups())
    forward = Forward(model)
    assert (forward.way, forward.reason) == ("packed", "")
    assert largest(hidden(forward, groups()), expected) < TOLERANCE


@pytest.mark.parametrize("name", CONFIGS)
def test_sorted_states_are_those_of_one_sequence_at_a_time(name: str) -> None:
    model = decoder(name)
    forward = Forward(model, way="sorted")
    assert forward.way == "sorted"
    assert largest(hidden(forward, groups()), plainly(model, groups())) < TOLERANCE


@pytest.mark.parametrize("name", ["mistral", "gemma2", "gemma3", "gpt-oss"])
@pytest.mark.parametrize("window", [1, 2, 13, 33, 200])
def test_windows_of_every_length_are_kept(name: str, window: int) -> None:
    model = decoder(name, sliding_window=window)
    for module in model.modules():
        if getattr(module, "sliding_window", None):
            module.sliding_window = window
    expected = plainly(model, groups())
    forward = Forward(model)
    assert forward.way == "packed"
    assert largest(hidden(forward, groups()), expected) < TOLERANCE


def refused() -> dict[str, tuple[Any, str]]:
    """Architectures that cannot be packed, and a part of the reason given."""
    long = {"short_factor": [1.0] * 6, "long_factor": [2.0] * 6}
    rope = {"rope_type": "longrope", "original_max_position_embeddings": 64, "rope_theta": 1e4}
    return {
        "mamba": (
            transformers.MambaConfig(vocab_size=97, hidden_size=48, num_hidden_layers=2),
            "2 of its 2 layers mix tokens otherwise",
        ),
        "bloom": (
            transformers.BloomConfig(vocab_size=97, hidden_size=48, n_layer=2, n_head=4),
            "attention cannot be exchanged",
        ),
        "llama4, chunks": (
            transformers.Llama4TextConfig(
                **COMMON,
                head_dim=16,
                num_local_experts=2,
                attention_chunk_size=16,
                intermediate_size_mlp=96,
            ),
            "neither causal nor a sliding window",
        ),
        "gemma3, both directions": (
            transformers.Gemma3TextConfig(**COMMON, head_dim=16, use_bidirectional_attention=True),
            "neither causal nor a sliding window",
        ),
        "phi3, long rope": (
            transformers.Phi3Config(**COMMON, rope_parameters={**rope, **long, "factor": 4.0}),
            "longest text of a batch",
        ),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", refused())
def test_what_cannot_be_packed_is_scored_one_at_a_time_and_says_why(name: str) -> None:
    config, why = refused()[name]
    torch.manual_seed(7)
    model = enlarged(transformers.AutoModel.from_config(config).eval())
    usual = model.config._attn_implementation
    forward = Forward(model)
    assert forward.way == "sorted"
    assert why in forward.reason
    assert model.config._attn_implementation == usual
    asked = [[tokens(5, 1), tokens(30, 2)]]
    with torch.inference_mode():
        expected = [
            [model(input_ids=torch.tensor([sequence]), use_cache=False)[0][0] for sequence in group]
            for group in asked
        ]
    assert largest(hidden(forward, asked), expected) < TOLERANCE


@pytest.mark.filterwarnings("ignore:.*flex_attention called without torch.compile")
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("window", [None, 3, 9])
def test_the_block_mask_sees_what_the_segments_see(
    window: int | None, softcap: float | None
) -> None:
    tries = [build_trie(group, 0) for group in groups() if group]
    pack = lay_out(tries, align=flex.BLOCK, multiple=flex.BLOCK)
    state = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, heads, pack.rows, 16, generator=state) for heads in (4, 2, 2)
    )
    blocks = Reach(Passage(pack), window).blocks(query.device)
    mine, mine_lse = attend(query, key, value, pack, window, scale=0.5, softcap=softcap)
    theirs, theirs_lse = flex.attend(
        query,
        key,
        value,
        blocks,
        scale=0.5,
        softcap=softcap,
        kernel=torch.nn.attention.flex_attention.flex_attention,
    )
    real = [row for trie, at in zip(tries, pack.offsets, strict=True)
            for row in range(at, at + len(trie.tokens))]  # fmt: skip
    assert torch.allclose(mine[:, real], theirs[:, real], atol=1e-5)
    assert torch.allclose(mine_lse[..., real], theirs_lse[..., real], atol=1e-5)


def test_blocks_that_are_not_visited_hold_nothing_to_see() -> None:
    branching = build_trie([tokens(150, 1) + tokens(90, k) for k in range(4)])
    tries = [branching, build_trie([tokens(70, 9)])]
    pack = lay_out(tries, align=flex.BLOCK, multiple=flex.BLOCK)
    mask = flex.block_mask(pack, None, torch.device("cpu"))
    every = torch.arange(pack.rows)
    seen = mask.mask_mod(0, 0, every[:, None], every[None, :])
    blocks = pack.rows // flex.BLOCK
    by_block = seen.view(blocks, flex.BLOCK, blocks, flex.BLOCK).any(3).any(1)
    visited = mask.to_dense()[0, 0].bool()
    assert not (by_block & ~visited).any()
    assert visited.sum() < blocks * (blocks + 1) / 2
