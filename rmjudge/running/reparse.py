"""A run's stored replies, read again with the current parser. Nothing is sent, nothing is paid.

The cells that follow are those that the run's own command would give now, for what is kept.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rmjudge.benchmarks.items import ItemSet
from rmjudge.cache import inspect
from rmjudge.cache.keys import call_key
from rmjudge.calls import (
    UNSCORED_STATUSES,
    Answer,
    Choice,
    Json,
    Reply,
    Reward,
    Text,
    Unscored,
    Verdict,
)
from rmjudge.errors import UsageError
from rmjudge.metrics.tallies import TIE
from rmjudge.providers.readers import reader_of
from rmjudge.running.assembly import result_of
from rmjudge.running.items import FIRST_SHARE, ItemJob, items_result
from rmjudge.running.job import Job
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.files import write_result
from rmjudge.runs.items import ItemResult, write_items
from rmjudge.runs.results import ScorerResult
from rmjudge.runs.stored import StoredRun, call_keys
from rmjudge.runs.stored_items import StoredItems
from rmjudge.scorer import read_again
from rmjudge.store import key_fields
from rmjudge.version import __version__

_WRITTEN_ANEW: Final = frozenset(
    (
        *("format", "scorer", "calls", "tokens", "cost", "in_all"),
        *("length_counter", "statuses", "models", "hosts", "notes", "stopped"),
    )
)
"""Parts of `run.json` that `write_result` fills from the result."""


@dataclass(frozen=True, slots=True)
class Reparsed:
    """What reading again has changed.

    `replies` were read; `missing` calls have no stored reply. `changes` counts calls by what
    they were (as stored) and what they are now, unchanged ones too. `tuples` names those with
    another cell than in the run's files, or items with another outcome. `about` is the run's
    `run.json`.
    """

    folder: Path
    parser: str
    replies: int
    missing: int
    changes: Mapping[tuple[str, str], int]
    tuples: tuple[str, ...]
    before: ScorerResult | ItemResult
    after: ScorerResult | ItemResult
    about: Mapping[str, Json]

    @property
    def changed_calls(self) -> int:
        """Calls that are something else now."""
        return sum(count for (was, now), count in self.changes.items() if was != now)

    @property
    def changed(self) -> bool:
        """Whether the run's numbers would be others."""
        was, now = self.before, self.after
        return bool(self.tuples) or (was.metrics, dict(was.statuses)) != (
            now.metrics,
            dict(now.statuses),
        )


def reparse(run: StoredRun) -> Reparsed:
    """Read every stored reply of one scorer's run again.

    Scorers that compute their scores here leave no replies: nothing is read then.

    Raises:
        UsageError: it is no run with calls, its data has changed, or its answers are not there.
    """
    folder, before, about, asked = run.folder, run.result, run.record.about, run.asked
    stored = _stored(folder, before, asked.cache_folder, asked.identity, asked.calls)
    if not any(reply.raw for reply in stored.values()):
        return Reparsed(folder, "", 0, 0, {}, (), before, before, about)
    scorer = reader_of(asked.identity)
    job = TupleJob(
        scorer,
        asked.plans,
        lambda call: call_key(key_fields(call)),
        design=before.metrics.design,
    )
    changes, missing = _settle(job, stored)
    after = _result(job, before)
    return Reparsed(
        folder=folder,
        parser=scorer.parser,
        replies=job.counts.from_cache,
        missing=missing,
        changes=changes,
        tuples=tuple(
            f"{new.domain}/{new.id}"
            for old, new in zip(before.tuples, after.tuples, strict=True)
            if old != new
        ),
        before=before,
        after=after,
        about=about,
    )


def reparse_items(run: StoredItems) -> Reparsed:
    """Read every stored reply of one scorer's run on another set than RM-Bench again.

    Raises:
        UsageError: it is no run with calls, its data or descriptor has changed, or its answers are
            not there.
    """
    folder, before, record = run.folder, run.result, run.record
    if record.identity is None or run.cache_folder is None:
        raise UsageError(f"{folder}: it was imported and has no calls and no answers")
    plans = run.plan(run.items)
    keys = list(dict.fromkeys(key for plan in plans for key in call_keys(plan)))
    stored = _stored(folder, before, run.cache_folder, record.identity, keys)
    if not any(reply.raw for reply in stored.values()):
        return Reparsed(folder, "", 0, 0, {}, (), before, before, record.about)
    scorer = reader_of(record.identity)
    job = ItemJob(
        scorer,
        plans,
        lambda call: call_key(key_fields(call)),
        items=ItemSet(run.rules, run.items),
        order=before.metrics.order,
    )
    changes, missing = _settle(job, stored)
    fresh = items_result(job)
    after = replace(
        before,
        metrics=replace(fresh.metrics, scorer=before.metrics.scorer),
        outcomes=fresh.outcomes,
        scores=fresh.scores,
        **_told_anew(before, fresh),
    )
    changed = [
        old.name for old, new in zip(before.outcomes, after.outcomes, strict=True) if old != new
    ]
    read = job.counts.from_cache
    return Reparsed(
        *(folder, scorer.parser, read, missing, changes, tuple(changed), before, after),
        record.about,
    )


def _stored(
    folder: Path,
    before: ScorerResult | ItemResult,
    cache_folder: Path,
    identity: Mapping[str, Json],
    calls: Sequence[str],
) -> dict[str, Reply]:
    kept = inspect.require(cache_folder)
    if stored := inspect.replies(kept, identity, calls):
        return stored
    name = before.metrics.scorer
    raise UsageError(f"{folder}: {kept} holds no answer of {name}; see --cache-dir")


def _settle(job: Job, stored: Mapping[str, Reply]) -> tuple[Counter[tuple[str, str]], int]:
    """Give the job what the replies say; return the changes and how many calls have no reply."""
    changes: Counter[tuple[str, str]] = Counter()
    missing = 0
    pending = job.first_questions()
    while pending:
        follow_ups = []
        for work in pending:
            reply = stored.get(work.key)
            if reply is None:
                missing += 1
                continue
            answer = read_again(job.scorer, work.call, reply)
            changes[_told(reply.answer, answer)] += 1
            job.counts.from_cache += 1
            job.note_reply(work, reply, bought=False)
            follow_ups += job.settle(work, answer)
        pending = follow_ups
    return changes, missing


def _told(was: Answer, now: Answer) -> tuple[str, str]:
    one, other = _status(was), _status(now)
    if one == other and type(was) is not Unscored and was != now:
        other += ", another value"
    return one, other


def _status(answer: Answer) -> str:
    match answer:
        case Reward() | Choice():
            return "scored"
        case Verdict(first):
            return "tie" if first == TIE else "first better" if first > TIE else "second better"
        case Unscored(status):
            return status
        case Text():
            return "a text"


def _result(job: TupleJob, before: ScorerResult) -> ScorerResult:
    """Keep what it took; replace what was read."""
    fresh = result_of(job)
    return replace(
        before,
        metrics=replace(fresh.metrics, shares=before.metrics.shares),
        tuples=fresh.tuples,
        **_told_anew(before, fresh),
    )


def _told_anew(
    before: ScorerResult | ItemResult, fresh: ScorerResult | ItemResult
) -> dict[str, Any]:
    """What both kinds of results tell of replies: how many hold no score, and notes of that."""
    statuses = {
        name: count for name, count in before.statuses.items() if name not in UNSCORED_STATUSES
    } | dict(fresh.statuses)
    words = "|".join(map(re.escape, sorted(UNSCORED_STATUSES)))
    counted = re.compile(rf"\d+ calls ({words})( |$)|.*{re.escape(FIRST_SHARE)}$")
    kept = [note for note in before.notes if not counted.match(note)]
    return {
        "calls": replace(before.calls, unscored=fresh.calls.unscored),
        "statuses": dict(sorted(statuses.items())),
        "notes": (*kept, *(note for note in fresh.notes if counted.match(note))),
    }


def write(found: Reparsed) -> None:
    """Write the run's files anew, each as a whole or not at all.

    Raises:
        StorageStopped: the folder cannot be written.
    """
    about = {name: value for name, value in found.about.items() if name not in _WRITTEN_ANEW}
    about["reparsed"] = {"parser": found.parser, "rmjudge": __version__}
    told = json.loads(json.dumps(about))
    if isinstance(found.after, ItemResult):
        write_items(found.folder, found.after, told)
    else:
        write_result(found.folder, found.after, told)
