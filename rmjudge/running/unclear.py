"""Failures for which a call or its endpoint may be to blame: what comes next tells.

A text that its server cannot take fails alone, and is one absent cell. A server that goes away
fails whatever was asked when it did: that is asked again.
"""

from __future__ import annotations

from rmjudge.calls import Failure, Outcome
from rmjudge.running.job import Job, Work
from rmjudge.running.queueing import WorkQueue


class Unclear:
    """A job's failures that are held until it is clear what they mean."""

    def __init__(self, job: Job, queue: WorkQueue[Work]) -> None:
        self._job = job
        self.queue = queue
        self._held: list[tuple[Work, Failure, int]] = []
        self._asked_again: set[str] = set()

    def holds(self, work: Work, outcome: Outcome) -> bool:
        """Hold an outcome, where other calls will tell what it means."""
        if not (isinstance(outcome, Failure) and outcome.unclear and self.queue.has_others):
            return False
        self._held.append((work, outcome, self._job.scorer.activity.outages))
        return True

    def resolve(self) -> list[Work]:
        """Ask again what an outage met, count the rest as failed; return its follow-up questions.

        To be called when another call had an outcome that is clear. Several held calls had no
        answer between them: an outage may have been too short for the endpoint to note it, where
        few calls are asked at once. Such calls are asked again once.
        """
        held, self._held = self._held, []
        follow_ups: list[Work] = []
        for work, failure, outages in held:
            in_a_row = len(held) > 1 and work.key not in self._asked_again
            if in_a_row or self._job.scorer.activity.outages > outages:
                self._asked_again.add(work.key)
                self.queue.put_back(work)
            else:
                follow_ups += self._job.fail(work, failure)
        return follow_ups
