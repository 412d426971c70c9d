"""From names and options to a run that has been checked and planned; nothing is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rmjudge.cache import default_folder
from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Call, Json
from rmjudge.dataset import DataSet, load
from rmjudge.dataset.remarks import remarks
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.errors import DataError, UsageError
from rmjudge.options import RunOptions
from rmjudge.planning.plan import plan_data
from rmjudge.providers.registry import sends_in_clear
from rmjudge.running.choosing import Chosen, choose, choose_fallback
from rmjudge.running.job import Job, TupleJob
from rmjudge.running.pricing import FREE
from rmjudge.scorer import Scorer
from rmjudge.store import key_fields
from rmjudge.text import slug

Notice: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that has been checked and planned; nothing was sent yet."""

    options: RunOptions
    data: DataSet
    jobs: tuple[TupleJob, ...]
    out: Path
    fallback: Chosen | None = None

    @property
    def cache_folder(self) -> Path:
        """Where answers are kept."""
        return self.options.cache_dir or default_folder()


def prepare(
    models: Sequence[str | Scorer],
    options: RunOptions,
    notice: Notice | None = None,
    *,
    need_keys: bool = True,
) -> Prepared:
    """Check everything that can be wrong, and plan. Keys are needed unless nothing is called.

    Raises:
        UsageError: something is; nothing was called.
    """
    tell = notice or (lambda _line: None)
    chosen = choose(models, options, need_keys=need_keys)
    fallback = choose_fallback(options, chosen)
    scorers = [item.scorer for item in chosen]
    data = load(options.data, notice=tell).select(options.domains, options.limit)
    if not len(data):
        raise DataError(["no tuple is left: the data has none of the domains asked for"])
    warn_of_clear_text([*scorers, *([fallback.scorer] if fallback else [])], tell)
    jobs = tuple(job_for(item, data, options) for item in chosen)
    for line in remarks(data):
        tell(line)
        for job in jobs:
            job.notes.append(line)
    if options.max_cost is not None:
        check_bounded([*jobs, *([job_for(fallback, data, options)] if fallback else [])])
    return Prepared(
        options=options,
        data=data,
        jobs=jobs,
        fallback=fallback,
        out=options.out or Path("runs") / _folder_name(scorers, data, options),
    )


def warn_of_clear_text(scorers: Sequence[Scorer], tell: Notice) -> None:
    """Say which of them are reached over plain http, across a network."""
    for scorer in scorers:
        url = str(scorer.identity.get("url", ""))
        if sends_in_clear(url):
            tell(
                f"warning: {scorer.name} is reached over plain http ({url}): "
                "texts and keys cross the network unencrypted"
            )


def check_bounded(jobs: Sequence[Job]) -> None:
    """A ceiling needs to know what a call can cost at most.

    Raises:
        UsageError: nothing limits it.
    """
    for job in jobs:
        call = next((call for plan in job.plans for call in plan.calls), None)
        if job.price != FREE and call is not None and job.scorer.most_tokens(call) is None:
            raise UsageError(
                f"--max-cost: nothing limits the length of {job.scorer.name}'s replies; set a "
                "limit, such as --param max_tokens=4096"
            )


def job_for(chosen: Chosen, data: Iterable[BenchTuple], options: RunOptions) -> TupleJob:
    """Plan these tuples for a scorer."""
    scorer = chosen.scorer
    plans = plan_data(
        data,
        scorer.method,
        options.order,
        options.seed,
        votes=scorer.votes,
        lead_characters=scorer.lead_characters,
    )
    job = TupleJob(scorer, plans, key_of, chosen.price, chosen.barred)
    job.early_stop = options.early_stop and chosen.is_judge
    return job


def key_of(call: Call) -> str:
    """What a call's answer is kept under."""
    return call_key(key_fields(call))


def _folder_name(scorers: Sequence[Scorer], data: DataSet, options: RunOptions) -> str:
    who = slug(scorers[0].name) if len(scorers) == 1 else f"{len(scorers)}-scorers"
    what: dict[str, Json] = {
        "scorers": [scorer_key(scorer.identity) for scorer in scorers],
        "data": data.digest,
        **_asking(scorers, options),
        "votes": [scorer.votes for scorer in scorers],
    }
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:8]
    return f"{who}-{slug(data.label)}-{digest}"


def _asking(scorers: Sequence[Scorer], options: RunOptions) -> dict[str, Json]:
    """The order in which judges are asked; rewards have none."""
    if all(scorer.method == "pointwise" for scorer in scorers):
        return {}
    return {"order": options.order, "seed": options.seed}
