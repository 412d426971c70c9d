"""Two jobs side by side, until it is decided which scorer is better."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rmjudge.metrics.report import Design
from rmjudge.running.stopping import blocks_of
from rmjudge.statistics.scored import Scored, common_reading
from rmjudge.statistics.sequential import LOOKS, Decision, Look, crossed, decide, look_at
from rmjudge.vocabulary import in_order

if TYPE_CHECKING:
    from rmjudge.dataset.tuples import BenchTuple
    from rmjudge.running.tuples import TupleJob


class UntilDecided:
    """Takes a look when both jobs have answered a fifth more; each waits for the other there.

    A job that leaves before the end takes no part in further looks: the other stops at its next.
    """

    def __init__(self, names: tuple[str, str]) -> None:
        """`names` are the scorers', no two alike."""
        self._names = names
        self._jobs: list[TupleJob] = []
        self._looks: list[Look] = []
        self._answered: dict[TupleJob, int] = {}
        self._taken = [asyncio.Event() for _ in range(LOOKS)]

    def join(self, job: TupleJob, items: Sequence[BenchTuple]) -> None:
        """Let a job ask its tuples in fifths; both must have joined before either asks."""
        self._jobs.append(job)
        self._answered[job] = 0
        job.stop_by(self, blocks_of(items, LOOKS))

    def design(self, design: Design) -> Design:
        """The design of a job, with this rule in it."""
        return replace(design, until="decided")

    async def enough(self, job: TupleJob) -> bool:
        """Whether it is decided, or cannot be any more."""
        number = self._answered[job]
        self._answered[job] += 1
        if min(self._answered.values()) > number:
            self._looks.append(self._look(number + 1))
            self._taken[number].set()
        await self._taken[number].wait()
        return self._over(number + 1)

    def _over(self, number: int) -> bool:
        return len(self._looks) < number or crossed(self._looks[number - 1])

    def leave(self, job: TupleJob) -> None:
        """Let the other go on, if it waits for a look that will not be taken."""
        for event in self._taken[len(self._looks) :]:
            event.set()

    def _look(self, number: int) -> Look:
        one, other = (
            Scored(
                name,
                job.scorer.method,
                {job.plans[index].item.key: job.credits(index) for index in job.reached},
                job.design.cells,
            )
            for name, job in zip(self._names, self._jobs, strict=True)
        )
        present = {plan.item.domain for plan in self._jobs[0].plans}
        reading = common_reading((one.method, other.method))
        return look_at(one, other, reading, list(in_order(present)), number)

    @property
    def decision(self) -> Decision:
        """What the looks so far say."""
        every = sum(len(job.work) for job in self._jobs)
        unasked = sum(job.unasked for job in self._jobs)
        return decide(self._looks, self._names, (every - unasked) / every if every else 1.0)
