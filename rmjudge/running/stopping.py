"""When a run has asked enough: tuples in blocks, in an order by hash, and a look after each.

Where a run stops follows from answers alone: a look is taken only when a whole block is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

from rmjudge.metrics.compute import READ, headline_reading
from rmjudge.metrics.report import Design, Interval
from rmjudge.metrics.tallies import Credits
from rmjudge.metrics.uncertainty import intervals_of
from rmjudge.planning.sampling import in_hashed_order
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    from rmjudge.dataset.tuples import BenchTuple
    from rmjudge.running.tuples import TupleJob

BLOCKS: Final = 20
"""Blocks of a run that stops at a width, at most."""
SMALLEST: Final = 10
"""Tuples of such a block, at least."""


class StoppingRule(Protocol):
    """Looks at what jobs know after each of their blocks."""

    def design(self, design: Design) -> Design:
        """The design of a job, with this rule in it."""
        ...

    async def enough(self, job: TupleJob) -> bool:
        """Whether a job whose blocks so far are answered need not ask the next."""
        ...

    def leave(self, job: TupleJob) -> None:
        """Told when a job asks nothing more, for whatever reason."""
        ...


def blocks_of(items: Sequence[BenchTuple], count: int) -> list[list[int]]:
    """The places of the tuples, in so many blocks of (nearly) equal size, in hashed order."""
    order = in_hashed_order(items)
    cuts = [round(len(order) * number / count) for number in range(count + 1)]
    return [order[low:high] for low, high in pairwise(cuts)]


class UntilNarrow:
    """Stops a job once the interval of a difficulty or of the average is narrow enough."""

    def __init__(self, target: str, part: str, half_width: float) -> None:
        """`target` is the user's word, `half_width` a fraction."""
        self._target = target
        self._part = part
        self._half_width = half_width

    def blocks(self, items: Sequence[BenchTuple]) -> list[list[int]]:
        """A twentieth of the tuples each, or ten of them."""
        return blocks_of(items, max(min(BLOCKS, len(items) // SMALLEST), 1))

    def design(self, design: Design) -> Design:
        """The design of a job, with this rule in it."""
        return replace(design, until=self._target)

    async def enough(self, job: TupleJob) -> bool:
        """Whether the interval of all that is answered is as narrow as was asked."""
        interval = self._interval(job)
        return interval is not None and (interval.high - interval.low) / 2 <= self._half_width

    def leave(self, job: TupleJob) -> None:
        """Note where the job stopped, and what that saved."""
        interval = self._interval(job)
        if job.stopped is not None or job.barred or interval is None:
            return
        asked, every = len(job.reached), len(job.plans)
        half = 50 * (interval.high - interval.low)
        about = f"the 95 % interval of {self._named} is ±{half:.1f} points"
        if asked == every:
            wide = half > 100 * self._half_width
            told = "still wider than" if wide else "as narrow as"
            job.notes.append(f"all {every:,} tuples were asked: {about}, {told} --until asks")
            return
        calls = len(job.work)
        job.notes.append(
            f"stopped after {asked:,} of {every:,} tuples, {about}: {job.unasked:,} of {calls:,} "
            "calls saved; the same command without --until asks the rest"
        )

    @property
    def _named(self) -> str:
        return "the average" if self._part == "average" else self._part.capitalize()

    def _interval(self, job: TupleJob) -> Interval | None:
        present: dict[Domain, list[Credits]] = {plan.item.domain: [] for plan in job.plans}
        for index in job.reached:
            present[job.plans[index].item.domain].append(job.credits(index))
        if not all(present.values()):
            return None  # an average over other domains than the run's
        _, overall = intervals_of(present, READ[headline_reading(job.scorer.method)])
        interval: Interval | None = getattr(overall, self._part)
        return interval
