"""Attention over a pack without a mask: node by node, merged by log-sum-exp.

For every node there are two products: its own rows with themselves, causal, and its descendants'
rows, which stand right behind it, with all of it. Each gives an output and the log of its softmax's
sum, from which the softmax over both together follows exactly (the merge of FlashAttention,
https://arxiv.org/abs/2205.14135, algorithm 1). Nothing but a group's own rows is in any product, so
a group's result cannot depend on what else is in the pack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from rmjudge.providers.local.packing import Node, Pack

QUERIES: Final = 256
"""Rows of scores held at once where the fused kernel cannot be used."""

_FUSED: Final[Any] = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)


@dataclass(frozen=True, slots=True)
class _Kernel:
    """How scores are made of queries and keys."""

    scale: float
    softcap: float | None

    def __call__(
        self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None, *, causal: bool
    ) -> tuple[Tensor, Tensor]:
        """[1, heads, rows, width] each -> out [1, rows, heads, width], lse [1, rows, heads].

        `seen` [rows, keys] says who sees whom; None: all, or with `causal` as in a square.
        """
        fused = query.device.type == "cpu" and key.shape[-1] == value.shape[-1]
        if _FUSED is not None and fused and self.softcap is None:
            bias = None
            if seen is not None:
                bias = torch.zeros(seen.shape, dtype=query.dtype).masked_fill_(~seen, -torch.inf)
                bias = bias[None, None]
            out, lse = _FUSED(query, key, value, 0.0, causal, attn_mask=bias, scale=self.scale)
            return out.transpose(1, 2), lse.transpose(1, 2)
        return self._plainly(query, key, value, seen, causal=causal)

    def _plainly(
        self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None, *, causal: bool
    ) -> tuple[Tensor, Tensor]:
        """Softmax in fp32, `QUERIES` rows at a time."""
        _, heads, rows, width = query.shape
        shared = key.shape[1]
        grouped = query.reshape(shared, heads // shared, rows, width).float()
        key, value = key[0, :, None].float(), value[0, :, None].float()
        if causal:
            seen = torch.ones(rows, rows, dtype=torch.bool, device=query.device).tril_()
        outs, sums = [], []
        for at in range(0, rows, QUERIES):
            scores = grouped[:, :, at : at + QUERIES] @ key.transpose(-1, -2) * self.scale
            if self.softcap is not None:
                scores = self.softcap * torch.tanh(scores / self.softcap)
            if seen is not None:
                scores = scores.masked_fill(~seen[at : at + QUERIES], -torch.inf)
            sums.append(torch.logsumexp(scores, -1))
            outs.append(torch.exp(scores - sums[-1][..., None]) @ value)
        out = torch.cat(outs, 2).reshape(1, heads, rows, -1)
        lse = torch.cat(sums, 2).reshape(1, heads, rows)
        return out.transpose(1, 2), lse.transpose(1, 2)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    pack: Pack,
    window: int | None,
    *,
    scale: float,
    softcap: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Query [1, heads, rows, width] -> out [1, rows, heads, width], lse [1, heads, rows], in fp32.

    `window`: a token sees so many tokens, itself among them; None: all before it.
    """
    heads, rows = query.shape[1:3]
    out = query.new_zeros((1, rows, heads, value.shape[-1]), dtype=torch.float32)
    lse = query.new_zeros((1, rows, heads), dtype=torch.float32)
    kernel = _Kernel(scale, softcap)
    nodes = list(pack.nodes())
    narrow = _narrow(nodes, window)
    for index, node in enumerate(nodes):
        own = slice(node.start, node.stop)
        if window is not None and narrow[index]:
            ranges, seen = _behind(nodes, index, window, query.device)
            keys, values = (torch.cat([x[:, :, a:b] for a, b in ranges], 2) for x in (key, value))
            out[:, own], lse[:, own] = kernel(query[:, :, own], keys, values, seen, causal=False)
            continue
        keys, values = key[:, :, own], value[:, :, own]
        fresh = node.parent < 0
        _merge(
            out[:, own],
            lse[:, own],
            kernel(query[:, :, own], keys, values, None, causal=True),
            fresh,
        )
        if node.end > node.stop:
            below = slice(node.stop, node.end)
            part = kernel(query[:, :, below], keys, values, None, causal=False)
            _merge(out[:, below], lse[:, below], part, fresh)
    return out, lse.transpose(1, 2)


def _merge(out: Tensor, lse: Tensor, part: tuple[Tensor, Tensor], fresh: bool) -> None:
    """Lay a softmax over more keys over the one that `out` and `lse` hold, in place."""
    more, more_lse = part
    if fresh:
        out.copy_(more)
        lse.copy_(more_lse)
        return
    both = torch.logaddexp(lse, more_lse)
    out.mul_(torch.exp(lse - both)[..., None])
    out.addcmul_(more.float(), torch.exp(more_lse - both)[..., None])
    lse.copy_(both)


def _narrow(nodes: Sequence[Node], window: int | None) -> list[bool]:
    """For each node, whether a text of its trie is longer than the window."""
    narrow = [False] * len(nodes)
    if window is None:
        return narrow
    root = 0
    for index, node in enumerate(nodes):
        root = index if node.parent < 0 else root
        narrow[root] |= node.position + node.stop - node.start > window
        narrow[index] |= narrow[root]
    return narrow


def _behind(
    nodes: Sequence[Node], index: int, window: int, device: torch.device
) -> tuple[list[tuple[int, int]], Tensor]:
    """The row ranges that a node's tokens see within `window`, and who sees whom."""
    node = nodes[index]
    first = max(0, node.position - window + 1)
    ranges = []
    while index >= 0:
        above = nodes[index]
        start = above.start + max(0, first - above.position)
        if start < above.stop:
            ranges.append((start, above.stop))
        index = above.parent
    last = node.position + node.stop - node.start
    back = (
        torch.arange(node.position, last, device=device)[:, None]
        - torch.arange(first, last, device=device)[None, :]
    )
    return ranges[::-1], (back >= 0) & (back < window)
