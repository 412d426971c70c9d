"""A job over tuples: its answers fill cells, and a stopping rule may end it early."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from rmjudge.calls import Call
from rmjudge.metrics.report import NINE_CELLS, Design
from rmjudge.metrics.tallies import Credits
from rmjudge.planning.plan import Plan
from rmjudge.running.job import Job, LiveCells, Work
from rmjudge.running.pricing import FREE, Price
from rmjudge.running.stopping import StoppingRule
from rmjudge.scorer import Scorer


class TupleJob(Job):
    """A job over tuples, whose answers fill cells."""

    plans: tuple[Plan, ...]

    def __init__(
        self,
        scorer: Scorer,
        plans: Sequence[Plan],
        key_of: Callable[[Call], str],
        price: Price | None = FREE,
        barred: str = "",
        *,
        design: Design = NINE_CELLS,
    ) -> None:
        """`design` is what the plans were made with."""
        super().__init__(scorer, plans, key_of, price, barred)
        self.design = design
        self._rule: StoppingRule | None = None
        self._blocks: deque[Sequence[int]] = deque()
        self.completed: list[int] = []
        """The places of the tuples whose calls are all answered, the first one first."""
        self._credits: list[Credits | None] = [None] * len(plans)
        for index, plan in enumerate(plans):
            if not plan.calls:  # six equal texts: nine ties, nothing to ask
                self._complete(index)

    def stop_by(self, rule: StoppingRule, blocks: Sequence[Sequence[int]]) -> None:
        """Ask tuples in these blocks, by their places, until the rule says that it is enough."""
        self._rule = rule
        self._blocks = deque(blocks)
        self.design = replace(rule.design(self.design), tuples_of=len(self.plans))
        self.reached = ()
        self._ended = False
        self._reach_next()

    def _reach_next(self) -> None:
        self.reached = tuple(sorted((*self.reached, *self._blocks.popleft())))

    async def more(self) -> list[Work]:
        """The work of the next block, where there is one and it is to be asked."""
        if self._rule is None or await self._rule.enough(self) or not self._blocks:
            self._ended = self.stopped is None
            return []
        self._reach_next()
        return self.first_questions()

    def leave(self) -> None:
        """Say that nothing more is asked."""
        if self._rule is not None:
            self._rule.leave(self)

    def place_name(self, index: int) -> str:
        """The tuple: `chat/17`."""
        return self.plans[index].item.name

    @property
    def unasked(self) -> int:
        """The calls that the stopping rule has made needless so far."""
        return sum(not work.queued for work in self.work.values())

    def _complete(self, index: int) -> None:
        plan = self.plans[index]
        self.completed.append(index)
        credits = self._credits[index] = plan.credits(self.answers[index])
        self.live.setdefault(plan.item.domain, LiveCells()).add(credits)

    def credits(self, index: int) -> Credits:
        """The cells of a tuple, as far as its answers are known."""
        return self._credits[index] or self.plans[index].credits(self.answers[index])
