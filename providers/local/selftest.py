"""Whether a decoder can take the packed form, by trying: packed against one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from rmjudge.providers.local import passes
from rmjudge.providers.local.attention import RefusedError
from rmjudge.providers.local.packing import Group, TokenIds
from rmjudge.providers.local.states import States

TOLERANCE: Final = {torch.float32: 1e-4, torch.float64: 1e-8, torch.float16: 0.02}
"""|packed - plain| / |plain|, over all states of a text: noise, not another computation."""

COARSE: Final = 0.05
"""The same in bf16, whose numbers have three digits."""

LONGEST_WINDOW: Final = 96
"""A window up to here is crossed by the texts; of longer ones the rule alone is checked."""

TIED_TO_BATCH: Final = frozenset({"dynamic", "longrope"})
"""Rotary positions whose frequencies follow the longest text of the batch."""

# What an architecture may raise that does not know packed positions or another attention.
FAILURES: Final = (
    RefusedError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)


def texts(decoder: Any) -> list[Group]:
    """Two groups of token ids: two texts with one beginning, and a third text alone."""
    config = decoder.config.get_text_config()
    window = getattr(config, "sliding_window", None) or 0
    length = 24 + (window if window <= LONGEST_WINDOW else 0)
    vocabulary = decoder.get_input_embeddings().weight.shape[0]
    state = torch.Generator().manual_seed(0)

    def some(count: int) -> TokenIds:
        drawn = torch.randint(vocabulary // 8, vocabulary, (count,), generator=state)
        return tuple(drawn.tolist())

    shared = some(length)
    return [[shared + some(20), shared + some(9)], [some(16)]]


def frequencies_move(decoder: Any) -> bool:
    """Whether a text's rotary positions depend on what else is in the batch."""
    for module in decoder.modules():
        kind = getattr(module, "rope_type", None)
        if TIED_TO_BATCH & set(kind.values() if isinstance(kind, dict) else [kind]):
            return True
    return False


def plain(decoder: Any, groups: Sequence[Group]) -> list[Tensor]:
    """The states of every sequence, one at a time, each [tokens, width]."""
    alone = [passes.padded(decoder, [sequence], [(0, 0)]) for group in groups for sequence in group]
    return [states.hidden.clone() for states in alone]


def difference(expected: Sequence[Tensor], run: Callable[[], States | Sequence[Tensor]]) -> str:
    """Why the states that `run` leaves are not the expected ones; "" if they agree."""
    try:
        left = run()
    except FAILURES as error:
        return " ".join(str(error).split())[:200] or type(error).__name__
    if isinstance(left, States):
        left = [left.hidden[rows] for rows in left.rows]
    worst = 0.0
    for one, other in zip(expected, left, strict=True):
        wide, narrow = one.double(), other.double()
        apart = float((narrow - wide).norm() / wide.norm())
        if not apart <= TOLERANCE.get(one.dtype, COARSE):  # NaN disagrees with everything
            return f"its states are not the plain forward's (relative difference {apart:.1e})"
        worst = max(worst, apart)
    return ""
