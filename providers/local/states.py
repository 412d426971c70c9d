"""What a forward pass leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from rmjudge.providers.local.packing import TokenIds


@dataclass(frozen=True, slots=True)
class States:
    """The decoder's output for some sequences.

    `hidden` is [rows, width], after the decoder's final norm, in the model's dtype. `rows` has for
    every sequence the row of each of its tokens; sequences that share tokens share rows. `places`
    says which sequence each is: its group, and its index in the group.
    """

    hidden: Tensor
    rows: Sequence[Tensor]
    sequences: Sequence[TokenIds]
    places: Sequence[tuple[int, int]]
