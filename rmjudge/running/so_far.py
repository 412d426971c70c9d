"""Tells the complete tuples of jobs at work in the run's folder, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from rmjudge.running.assembly import order_of, tuple_result
from rmjudge.running.job import Job
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.so_far import SoFar, append_so_far, asked_line, begin_so_far, tuple_line


class Telling:
    """What was told so far of the jobs of one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[TupleJob, int] = {}

    def tell(self, jobs: Sequence[Job]) -> None:
        """Add what is new. A file that cannot be written is left out: the run is what counts."""
        with suppress(OSError):
            if not self._told:
                begin_so_far(self._folder)
            for job in jobs:
                if isinstance(job, TupleJob):
                    append_so_far(self._folder, self._news(job))

    def _news(self, job: TupleJob) -> Iterator[str]:
        if job not in self._told:
            yield asked_line(len(self._told), _about(job))
            self._told[job] = 0
        number = list(self._told).index(job)
        for place in job.completed[self._told[job] :]:
            plan = job.plans[place]
            self._told[job] += 1
            yield tuple_line(
                number, place, tuple_result(plan, job.answers[place], job.credits(place))
            )


def _about(job: TupleJob) -> SoFar:
    return SoFar(
        scorer=job.scorer.name,
        method=job.scorer.method,
        order=order_of(job),
        asked=tuple((plan.item.domain, plan.asked) for plan in job.plans),
        design=job.design,
    )
