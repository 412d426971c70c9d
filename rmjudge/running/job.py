"""One scorer over one data set: its calls, its answers, its counts. State, no I/O."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rmjudge.calls import (
    Answer,
    Call,
    Choice,
    Failure,
    Json,
    Reply,
    Reward,
    Spent,
    Text,
    Unscored,
    Usage,
    Verdict,
)
from rmjudge.errors import NoVerdicts, StopRun
from rmjudge.metrics.report import Reading
from rmjudge.metrics.tallies import Credits, strict
from rmjudge.planning.plan import CallPlan
from rmjudge.running.charges import Charges
from rmjudge.running.pricing import FREE, Price
from rmjudge.scorer import Scorer
from rmjudge.text import shorten
from rmjudge.vocabulary import Domain

FIRST_REPLIES: Final = 20
"""So many replies without a single verdict stop a judge."""
LACKING: Final = frozenset(("unparsed", "truncated", "empty"))
"""What replies without a verdict are; a refusal or a filter is about the prompt, not the form."""
TRACES: Final = 10
SAID: Final = 300
_LOG: Final = logging.getLogger("rmjudge.running")


@dataclass(slots=True)
class Work:
    """One distinct call and the places (tuple, call in its plan) that its answer goes to.

    `usage` is what its answer took, whenever that was bought; `found` what earlier runs paid for
    the call. `paid_before` is what stored replies took that are no answer, or no longer. `kept` is
    the stored answer of a call that is asked again: it counts unless a reply comes; `kept_reply` is
    the reply that it was read from.
    """

    key: str
    call: Call
    places: list[tuple[int, int]]
    queued: bool = False
    failed: bool = False
    answer: Answer | None = None
    usage: Usage | None = None
    found: Usage | None = None
    paid_before: Usage | None = None
    kept: Answer | None = None
    kept_reply: Reply | None = None
    ordered_by: str = "texts"


@dataclass(slots=True)
class Counts:
    """What happened to a job's calls in this process. All are numbers of distinct calls.

    `planned` grows while a run with follow-up questions goes on. `failed` brought no reply;
    `unscored` brought one without a score in it.
    """

    planned: int = 0
    from_cache: int = 0
    sent: int = 0
    in_flight: int = 0
    answered: int = 0
    failed: int = 0
    unscored: int = 0

    @property
    def done(self) -> int:
        """Calls that need nothing more."""
        return self.from_cache + self.answered + self.failed


@dataclass(slots=True)
class LiveCells:
    """Running sums of one domain's complete tuples, for the display of a run under way."""

    tuples: int = 0
    credit: list[float] = field(default_factory=lambda: [0.0] * 9)
    wins: list[float] = field(default_factory=lambda: [0.0] * 9)
    scored: list[int] = field(default_factory=lambda: [0] * 9)

    def add(self, credits: Credits) -> None:
        """Add one tuple."""
        self.tuples += 1
        for cell, credit in enumerate(credit for row in credits for credit in row):
            if credit is not None:
                self.credit[cell] += credit
                self.wins[cell] += strict(credit)
                self.scored[cell] += 1

    def mean(self, cell: int, reading: Reading) -> float | None:
        """The share of a cell, by its place among the nine; None where it has no score."""
        total = self.wins if reading == "strict" else self.credit
        return total[cell] / self.scored[cell] if self.scored[cell] else None


class Job:
    """A scorer, what it is asked, and what is known of the answers so far."""

    plans: tuple[CallPlan, ...]

    def __init__(
        self,
        scorer: Scorer,
        plans: Sequence[CallPlan],
        key_of: Callable[[Call], str],
        price: Price | None = FREE,
        barred: str = "",
    ) -> None:
        """`barred` says why nothing may be asked of the scorer, where nothing may."""
        self.reached: tuple[int, ...] = tuple(range(len(plans)))
        """The places of the plans that are asked, so far."""
        self._ended = True
        self.scorer = scorer
        self.price = price
        self.barred = barred
        self.plans = tuple(plans)
        self.answers: list[list[Answer | None]] = [[None] * len(plan.calls) for plan in plans]
        self.counts = Counts()
        self.spent = Spent()
        """What the replies bought in this process took."""
        self.tells_dollars = False
        """Whether its replies say what they cost."""
        self.charges = Charges()
        self.statuses: Counter[str] = Counter()
        self.failure_details: dict[str, str] = {}
        self.traces: dict[str, str] = {}
        """Tracebacks of a scorer's own code, by what the error says; a few of them."""
        self.models: Counter[str] = Counter()
        self.hosts: Counter[str] = Counter()
        self.live: dict[Domain, LiveCells] = {}
        """The cells so far, of a job over tuples."""
        self.stopped: StopRun | None = None
        self.early_stop = False
        self.retried: frozenset[str] = frozenset()
        """Stored answers with such a status are asked again."""
        self.again: Scorer | None = None
        """Asks these, where they are asked in another way than all the others."""
        self.asked: Counter[str] = Counter()
        """Answers by the parameters that they alone were asked with."""
        self.more_room = ""
        """The option that gives replies more tokens."""
        self._scored = 0
        self._lacking: list[str] = []
        self.notes: list[str] = []
        self.work: dict[str, Work] = {}
        self.key_of = key_of
        self._has_waits = any(plan.lead for plan in plans)
        self._work_at: dict[tuple[int, int], Work] = {}
        self._open = [len(plan.calls) for plan in plans]
        for place, call in self._places():
            key = key_of(call)
            work = self.work.get(key)
            if work is None:
                work = self.work[key] = Work(key, call, [])
            work.places.append(place)
            if self._has_waits:
                self._work_at[place] = work

    async def more(self) -> list[Work]:
        """The work of what is to be asked next, once all so far is answered."""
        return []

    def leave(self) -> None:
        """Say that nothing more is asked."""

    def _places(self) -> Iterator[tuple[tuple[int, int], Call]]:
        for index, plan in enumerate(self.plans):
            calls: Sequence[Call] = plan.calls
            for number, call in enumerate(calls):
                yield (index, number), call

    def first_questions(self) -> list[Work]:
        """The work that waits for nothing, in plan order; counted as planned."""
        reached = frozenset(self.reached)
        # A list: what a call waits for may be queued by now, in an earlier block, but not by this.
        return self._queue(
            [
                work
                for work in self.work.values()
                if any(at in reached and self._is_due(at, number) for at, number in work.places)
            ]
        )

    def _is_due(self, index: int, number: int) -> bool:
        """Whether a call waits for nothing, or for what an earlier block has asked."""
        leader = self.plans[index].after(number)
        return leader is None or self._work_at[index, leader].queued

    def all_questions(self) -> list[Work]:
        """All the work there may be, in any block, waiting or not, in plan order; as planned."""
        return self._queue(self.work.values())

    def to_be_asked_anew(self) -> list[Work]:
        """What was queued and has no outcome, in plan order."""
        return [
            work
            for work in self.work.values()
            if work.queued and work.answer is None and not work.failed
        ]

    def _queue(self, candidates: Iterable[Work]) -> list[Work]:
        fresh: list[Work] = []
        for work in candidates:  # which may name one twice: two places wait for the same
            if not work.queued:
                work.queued = True
                fresh.append(work)
        self.counts.planned += len(fresh)
        return fresh

    def settle(self, work: Work, answer: Answer) -> list[Work]:
        """Write an answer to its places; return the work that is to be asked because of it."""
        work.answer = answer
        if isinstance(answer, (Reward, Verdict, Choice, Text)):
            self._scored += 1
        elif answer.status in LACKING and len(self._lacking) < FIRST_REPLIES:
            self._lacking.append(f"{answer.status}: {answer.detail}")
        if isinstance(answer, Unscored):
            self.counts.unscored += 1
            self._note_status(answer.status, answer.detail)
            self._log("a reply without a score", work, f"{answer.status}: {answer.detail}")
        for index, number in work.places:
            self.answers[index][number] = answer
            self._open[index] -= 1
            if self._open[index] == 0:
                self._complete(index)
        return self._released(work)

    def check_verdicts(self) -> None:
        """Stop a judge of which nothing could be read so far.

        Raises:
            NoVerdicts: its first replies, kept ones among them, all lack a verdict.
        """
        if not self.early_stop or self._scored or len(self._lacking) < FIRST_REPLIES:
            return
        said = shorten(self._lacking[0], SAID)
        raise NoVerdicts(
            f"{self.scorer.name}: none of its first {FIRST_REPLIES} replies holds a verdict; the "
            f"first is {said}. Say how its replies read with --verdict RULE (a name or a regular "
            "expression), ask for another form with --method or --template, give it more room with "
            "--param where they are truncated or empty, or go on with --no-early-stop"
        )

    def fail(self, work: Work, failure: Failure) -> list[Work]:
        """Count a call that brought no reply; return the work that is to be asked all the same."""
        self.counts.failed += 1
        work.failed = True
        self._note_status(failure.status, failure.detail)
        self._log("no reply", work, f"{failure.status}: {failure.detail}")
        if failure.trace and len(self.traces) < TRACES:
            self.traces.setdefault(failure.detail, failure.trace)
        if work.kept is not None:
            return self.settle(work, work.kept)
        return self._released(work)

    def _released(self, work: Work) -> list[Work]:
        if not self._has_waits:
            return []
        reached = frozenset(self.reached)
        return self._queue(
            waiting
            for index, number in work.places
            if index in reached
            for waiting in self._waiting_for(index, number)
        )

    def _waiting_for(self, index: int, number: int) -> Iterator[Work]:
        plan = self.plans[index]
        for later in range(number + 1, len(plan.calls) if plan.lead else 0):
            if plan.after(later) == number:
                yield self._work_at[index, later]

    def _log(self, what: str, work: Work, why: str) -> None:
        if _LOG.isEnabledFor(logging.INFO):
            where = ", ".join(dict.fromkeys(self.place_name(at) for at, _ in work.places))
            _LOG.info("%s: %s (%s): %s", self.scorer.name, what, where, shorten(why, SAID))

    def place_name(self, index: int) -> str:
        """What people call a plan."""
        return f"question {index + 1}"

    def _note_status(self, status: str, detail: str) -> None:
        self.statuses[status] += 1
        self.failure_details.setdefault(status, detail)

    def asks_again(self, answer: Answer) -> bool:
        """Whether a stored answer is one of those without a score that are asked again."""
        return isinstance(answer, Unscored) and answer.status in self.retried

    def settle_kept(self) -> None:
        """Let the stored answers count that were to be asked again and were not."""
        for work in self.work.values():
            if work.kept is not None and work.answer is None:
                self.counts.from_cache += 1
                self.settle(work, work.kept)

    def note_asked(self, parameters: Mapping[str, Json] | None) -> None:
        """Note with which parameters an answer alone was asked."""
        if parameters:
            words = (f"{name}={json.dumps(value)}" for name, value in sorted(parameters.items()))
            self.asked[" ".join(words)] += 1

    def note_model(self, model: str | None) -> None:
        """Note which model a reply names as its author."""
        if model:
            self.models[model] += 1

    def note_reply(self, work: Work, reply: Reply, *, bought: bool) -> None:
        """Note what a reply took and whose it is; `bought` in this process, or kept."""
        if not reply.open:
            work.usage = reply.usage
        if bought:
            self.spent.add(reply.usage)
        self.charges.note(reply)
        self.note_model(reply.model)
        self.note_asked(reply.asked)
        if reply.host:
            self.hosts[reply.host] += 1

    @property
    def found(self) -> Spent:
        """What earlier runs paid for its calls, as far as the cache knows."""
        found = Spent()
        for work in self.work.values():
            if work.found is not None:
                found.add(work.found)
        return found

    def note_waiting(self) -> None:
        """Say aloud that another process is buying the same answers.

        Raises:
            StopRun: this job was asked to stop meanwhile.
        """
        if self.stopped is not None:
            raise self.stopped
        self.scorer.activity.note = "waiting: another process is buying the same answers"

    def lacks(self, index: int) -> bool:
        """Whether a tuple waits for an answer that asking could still bring."""
        return None in self.answers[index]

    @property
    def finished(self) -> bool:
        """Every planned call is answered or failed, and no other will be planned."""
        return self._ended and self.answered

    @property
    def answered(self) -> bool:
        """Every planned call is answered or failed."""
        return self.counts.done >= self.counts.planned

    def _complete(self, index: int) -> None:
        """Take note that every call of a plan is answered."""
