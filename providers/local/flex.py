"""Attention over a pack on CUDA: FlexAttention with a block mask.

With the tries laid out depth first, row k is an ancestor of row q, or q itself, exactly if
`k <= q < end[k]`, where `end[k]` is the row behind the last descendant of k's node. Blocks that
hold no such pair are never visited.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, flex_attention

from rmjudge.providers.local.packing import Pack

BLOCK: Final = 128
"""Rows of a block. If tries begin at its multiples, no group's blocks depend on the others."""


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    blocks: BlockMask,
    *,
    scale: float,
    softcap: float | None = None,
    kernel: Callable[..., Any] | None = None,
) -> tuple[Tensor, Tensor]:
    """Query [1, heads, rows, width] -> out [1, rows, heads, width], lse fp32 [1, heads, rows].

    `kernel` is FlexAttention, compiled unless told otherwise.
    """
    times = query.shape[1] // key.shape[1]
    if times & (times - 1):  # the compiled kernel takes powers of two only
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    out, aux = (kernel or _compiled())(
        query,
        key,
        value,
        score_mod=None if softcap is None else _capped(softcap),
        block_mask=blocks,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
        return_aux=AuxRequest(lse=True),
    )
    return out.transpose(1, 2), aux.lse


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., Any]:
    return torch.compile(flex_attention, dynamic=False)  # type: ignore[no-any-return]


@lru_cache(maxsize=8)
def _capped(softcap: float) -> Callable[..., Tensor]:
    def score_mod(score: Tensor, *_: Tensor) -> Tensor:
        return softcap * torch.tanh(score / softcap)

    return score_mod


def block_mask(pack: Pack, window: int | None, device: torch.device) -> BlockMask:
    """Who sees whom in `pack`.

    `window`: a token sees so many tokens, itself among them; None: all before it.
    """
    end, position = (tensor.to(device) for tensor in _ends(pack))

    def seen(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        ancestor = (key <= query) & (query < end[key])
        return ancestor if window is None else ancestor & (position[query] - position[key] < window)

    blocks = -(-pack.rows // BLOCK)
    padded = torch.nn.functional.pad(end, (0, blocks * BLOCK - pack.rows))
    reach = padded.view(blocks, BLOCK).amax(1)
    first = torch.arange(blocks, device=device) * BLOCK
    visited = (first[None, :] <= first[:, None]) & (reach[None, :] > first[:, None])
    order = torch.argsort(visited.int(), dim=1, descending=True, stable=True).int()
    return BlockMask.from_kv_blocks(
        visited.sum(1, dtype=torch.int32)[None, None],
        order[None, None],
        BLOCK_SIZE=BLOCK,
        mask_mod=seen,
        seq_lengths=(pack.rows, pack.rows),
    )


def _ends(pack: Pack) -> tuple[Tensor, Tensor]:
    """For every row: the row behind its last descendant, and its position in its text."""
    end = torch.arange(1, pack.rows + 1)  # a row that fills sees itself alone
    position = torch.zeros(pack.rows, dtype=torch.long)
    for node in pack.nodes():
        end[node.start : node.stop] = node.end
        position[node.start : node.stop] = torch.arange(node.stop - node.start) + node.position
    return end, position
