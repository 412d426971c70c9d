"""Attention over a pack: a token sees its own node up to itself, and its ancestors whole.

Registered with transformers' attention and mask interfaces, so no model is edited. A model asks the
mask interface for its masks; instead of a matrix it gets a `Reach`, which it hands through to every
attention layer. What the rule of a mask is (causal, or causal within a window) is read from the
function that the model itself states it with; any other rule, and anything else that a model hands
to its attention and that is not honoured here, is a `RefusedError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask
from transformers import AttentionInterface, AttentionMaskInterface

from rmjudge.providers.local import flex, segments
from rmjudge.providers.local.packing import Pack

NAME: Final = "rmjudge_packed"

# Told to every layer, and of no effect on what attention computes.
_HARMLESS: Final = frozenset(
    {
        "cache_position",
        "output_attentions",
        "output_hidden_states",
        "position_embeddings",
        "position_ids",
        "return_dict",
        "use_cache",
    }
)


class RefusedError(Exception):
    """The model's attention has a property that the packed form does not honour."""


@dataclass(slots=True)
class Passage:
    """A forward pass under way: its pack, and how many layers have attended so far."""

    pack: Pack
    layers: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """What stands where a mask would: the pass, and how far back a token sees (None: all)."""

    passage: Passage
    window: int | None
    _blocks: dict[torch.device, BlockMask] = field(default_factory=dict, compare=False)

    def blocks(self, device: torch.device) -> BlockMask:
        """The same as a block mask; a model may be spread over several devices."""
        if device not in self._blocks:
            self._blocks[device] = flex.block_mask(self.passage.pack, self.window, device)
        return self._blocks[device]


_passage: ContextVar[Passage | None] = ContextVar("rmjudge_passage", default=None)


@contextmanager
def attending(pack: Pack) -> Iterator[Passage]:
    """The forward pass in this block, and in this thread, is of `pack`."""
    passage = Passage(pack)
    token = _passage.set(passage)
    try:
        yield passage
    finally:
        _passage.reset(token)


def register() -> None:
    """Make `NAME` an attention implementation that any model may be set to."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, reach)


def reach(
    *,
    mask_function: Callable[..., Tensor],
    local_size: int | None = None,
    device: torch.device | str = "cpu",
    **_: Any,
) -> Reach:
    """The mask interface: which rule the model states, as a `Reach`.

    Raises:
        RefusedError: The rule is neither causal nor causal within a window.
    """
    passage = _passage.get()
    if passage is None:
        raise RefusedError("a forward pass outside of `attending`")
    near = local_size or 0
    edges = {0, 1, 2, 5, 64, 1000, near, near + 1, 2 * near, 2 * near + 1, max(near - 1, 0)}
    at = torch.tensor(sorted(edges), device=device)
    query, key = at[:, None], at[None, :]
    expected = key <= query
    if local_size is not None:
        expected = expected & (query - key < local_size)
    none = torch.zeros((), dtype=torch.long, device=device)
    stated = torch.as_tensor(mask_function(none, none, query, key), device=device)
    if not torch.equal(stated.expand_as(expected), expected):
        raise RefusedError("its attention mask is neither causal nor a sliding window")
    return Reach(passage, local_size)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention interface: query [1, heads, rows, width] -> [1, rows, heads, width].

    `softcap` bounds the scores (Gemma 2), `s_aux` [heads] holds the logits of attention sinks,
    `scaling` defaults to 1 / sqrt(width).

    Raises:
        RefusedError: The model hands over something that would change the result unseen.
    """
    if not isinstance(attention_mask, Reach):
        raise RefusedError("it makes its attention masks by itself")
    unknown = sorted(
        name
        for name, told in others.items()
        if name not in _HARMLESS and told is not None and told is not False
    )
    if unknown:
        raise RefusedError(f"its attention takes {', '.join(unknown)}")
    if is_causal is None:
        is_causal = getattr(module, "is_causal", True)
    if dropout or not is_causal:
        raise RefusedError("its attention has dropout, or is not causal")
    pack, window = attention_mask.passage.pack, attention_mask.window
    if sliding_window is not None and sliding_window != window:
        raise RefusedError("its window of attention is not the one of its mask")
    if query.shape[0] != 1 or query.shape[2] != pack.rows or key.shape[2] != pack.rows:
        raise RefusedError("its attention sees other tokens than the text's")
    attention_mask.passage.layers += 1
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    if query.device.type == "cuda":
        blocks = attention_mask.blocks(query.device)
        out, lse = flex.attend(query, key, value, blocks, scale=scale, softcap=softcap)
    else:
        out, lse = segments.attend(query, key, value, pack, window, scale=scale, softcap=softcap)
    if s_aux is not None:
        # A sink takes part in the softmax's sum and adds nothing to the output:
        # what is left is exp(lse) / (exp(lse) + exp(sink)).
        kept = torch.sigmoid(lse - s_aux.float()[None, :, None])
        out = out * kept.transpose(1, 2)[..., None]
    return out.to(query.dtype), None
