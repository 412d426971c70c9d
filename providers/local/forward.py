"""Groups of token sequences -> hidden states, the exact and fastest way that the model can take.

Packed: the sequences of a group as a trie, every shared beginning computed once, several groups in
one forward pass without padding, positions restarted (`packing`, `attention`). Sorted: sequences
by length, one at a time on the CPU, padded batches by token budget elsewhere. Which of them, a
`Forward` finds out by itself: at construction it runs short texts through both and compares.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, TypeVar

import torch

from rmjudge.calls import Json
from rmjudge.errors import ProviderStopped, UsageError
from rmjudge.providers.local import attention, matmul, memory, passes, selftest
from rmjudge.providers.local.packing import Group, TokenIds
from rmjudge.providers.local.states import States
from rmjudge.providers.local.ways import Packed, Route, Sorted, Unit

__all__ = ["Forward", "Group", "States", "TokenIds", "Way"]

T = TypeVar("T")
Way: TypeAlias = Literal["packed", "sorted"]

BUDGETS: Final = {"cpu": 1024, "cuda": 8192, "mps": 4096}
"""Tokens of one forward pass. On the CPU larger packs leave the processor's cache."""

VERSION: Final = 1
"""Raised when either way gives other scores."""


class Forward:
    """A decoder, and the way through it.

    Args:
        decoder: The bare transformer (`model.base_model`), on its device, in eval mode.
        token_budget: Tokens of one forward pass; None: `BUDGETS` of the device.
        way: "auto" is packed where the decoder can.

    Raises:
        UsageError: `way` is "packed" and the decoder cannot, or it does not run at all.
        ValueError: The decoder is in training mode.
    """

    def __init__(
        self,
        decoder: Any,
        *,
        token_budget: int | None = None,
        way: Literal["auto", "packed", "sorted"] = "auto",
    ) -> None:
        if decoder.training:
            raise ValueError("the decoder is in training mode: call .eval() first")
        kind = passes.input_device(decoder).type
        self._budget = token_budget or BUDGETS.get(kind, BUDGETS["mps"])
        self.halvings = 0
        moving = selftest.frequencies_move(decoder)
        packed = Packed(decoder)
        with torch.inference_mode():
            self._matmul, self.reason = _prepare(decoder, packed, self._budget, moving, way)
        if self.reason and way == "packed":
            raise UsageError(f"this model cannot be scored packed: {self.reason}")
        self.way: Way = "sorted" if self.reason else "packed"
        alone = kind == "cpu" or moving
        self._route: Route = Sorted(decoder, alone=alone) if self.reason else packed
        # Where kernels are chosen by the number of rows, the budget is in the last digits.
        self._described: dict[str, Json] = {"way": f"{self.way}/{VERSION}", "matmul": self._matmul}
        if kind != "cpu":
            self._described["token_budget"] = self._budget

    @property
    def described(self) -> Mapping[str, Json]:
        """What of this changes a score by rounding alone: kept with answers, in no identity."""
        return self._described

    def run(self, groups: Sequence[Group], read: Callable[[States], Sequence[T]]) -> list[list[T]]:
        """What `read` makes of the states, for every sequence of every group.

        `read` is called once for each forward pass, and returns one value for each of the pass's
        sequences. Out of memory halves the pass, and the token budget from then on.

        Raises:
            ProviderStopped: One sequence alone does not fit into memory.
        """
        found: dict[tuple[int, int], T] = {}
        work = deque(self._route.batches(self._route.units(groups), self._budget))
        while work:
            batch = work.popleft()
            if len(batch) > 1 and sum(unit.size for unit in batch) > self._budget:
                work.extendleft(reversed(self._route.batches(batch, self._budget)))
                continue
            values = self._attempt(batch, read)
            if values is None:
                work.extendleft(reversed(self._smaller(batch)))
                continue
            places = [place for unit in batch for place in unit.places]
            found.update(zip(places, values, strict=True))
        return [[found[g, k] for k in range(len(group))] for g, group in enumerate(groups)]

    def _attempt(
        self, batch: Sequence[Unit], read: Callable[[States], Sequence[T]]
    ) -> Sequence[T] | None:
        """One pass; None if memory ran out. Nothing of a failed pass is alive when this returns."""
        try:
            with torch.inference_mode():
                return read(self._route.states(batch, self._budget))
        except (RuntimeError, MemoryError) as error:
            if not memory.ran_out(error):
                raise
        memory.give_back()
        return None

    def _smaller(self, batch: list[Unit]) -> list[list[Unit]]:
        """The batch in halves, after it did not fit."""
        self.halvings += 1
        size = sum(unit.size for unit in batch)
        self._budget = max(1, min(self._budget, size) // 2)
        if len(batch) > 1:
            middle = len(batch) // 2
            return [batch[:middle], batch[middle:]]
        halves = self._route.halves(batch[0])
        if len(halves) == 1:
            raise ProviderStopped(
                f"one text of {len(batch[0].sequences[0]):,} tokens does not fit into memory: "
                "use a smaller dtype, a device with more memory, or cut texts shorter"
            )
        return [[half] for half in halves]


def _prepare(
    decoder: Any, packed: Packed, budget: int, moving: bool, way: str
) -> tuple[matmul.Product, str]:
    """Set the decoder to its fastest exact form: which product it uses, why it is not packed."""
    groups = selftest.texts(decoder)
    try:
        expected = selftest.plain(decoder, groups)
    except selftest.FAILURES as error:
        if memory.ran_out(error):
            raise
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"the model does not run on a short text: {told}") from error
    product = matmul.speed_up(decoder)
    if product != "torch" and selftest.difference(
        expected, lambda: selftest.plain(decoder, groups)
    ):
        matmul.restore(decoder)
        product = "torch"
    if way == "sorted":
        return product, "the sorted way was asked for"
    if moving:
        return product, "its rotary positions depend on the longest text of a batch"
    usual = decoder.config._attn_implementation  # noqa: SLF001 - has no public name
    attention.register()
    decoder.set_attn_implementation(attention.NAME)
    if decoder.config._attn_implementation != attention.NAME:  # noqa: SLF001
        return product, "its attention cannot be exchanged"
    why = selftest.difference(expected, lambda: packed.states(packed.units(groups), budget))
    if why:
        decoder.set_attn_implementation(usual)
    return product, why
