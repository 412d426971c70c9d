"""A finished run's plan, made again from its `run.json`: which calls it consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Json
from rmjudge.dataset import DataSet, load
from rmjudge.errors import UsageError
from rmjudge.planning.plan import Plan, plan_data
from rmjudge.runs.files import find_results, read_result
from rmjudge.runs.records import read_record
from rmjudge.store import key_fields


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What one scorer's `run.json` says, and the data it was about, loaded again.

    `about` is the whole file. `cache_folder` is where the answers were kept, `started` when the
    run began (Unix time).
    """

    folder: Path
    about: Mapping[str, Any]
    scorer: str
    identity: Mapping[str, Json]
    cache_folder: Path
    started: float
    data: DataSet
    plans: tuple[Plan, ...]

    @property
    def scorer_key(self) -> str:
        """The key of its answers in the cache."""
        return scorer_key(self.identity)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run's scorer, where its answers were kept, when it began (Unix time), its calls' keys."""

    scorer: str
    scorer_key: str
    identity: Mapping[str, Json]
    cache_folder: Path
    started: float
    calls: tuple[str, ...]


def results_with_calls(run: Path) -> list[Path]:
    """The folders of results in a run's folder, without combined ones, which asked nothing.

    Raises:
        UsageError: there are none.
    """
    return [folder for folder in find_results(run) if not _is_combined(folder)]


def _is_combined(folder: Path) -> bool:
    try:
        return read_record(folder).combined
    except UsageError:
        return False  # told when it is read in earnest


def recorded(folder: Path) -> RecordedRun:
    """Plan one scorer's run again, from the folder with its files.

    Raises:
        UsageError: it is no run, it was imported, or its data has changed since.
    """
    record, metrics = read_record(folder), read_result(folder).metrics
    if record.imported is not None:
        raise UsageError(
            f"{record.path}: the run was imported from {', '.join(record.imported.files)}; "
            "it has no calls, no answers and no data of its own"
        )
    if record.cache_folder is None or record.started is None or not record.sources:
        raise UsageError(f"{record.path} does not tell the run's data, cache or start")
    data = load(record.sources).select(record.domains, record.limit)
    if data.digest != record.digest:
        raise UsageError(
            f"{record.path}: the data {', '.join(record.sources)} has changed since the run, "
            "so every changed tuple's calls are new ones"
        )
    asked = data if record.places is None else [data.tuples[place] for place in record.places]
    order, seed = metrics.order or "seeded", record.seed or 0
    return RecordedRun(
        folder=folder,
        about=record.about,
        scorer=metrics.scorer,
        identity=record.identity or {},
        cache_folder=record.cache_folder,
        started=record.started,
        data=data,
        plans=tuple(plan_data(asked, metrics.method, order, seed, votes=record.votes)),
    )


def replan(run: Path) -> Iterator[PlannedRun]:
    """Plan each scorer of a run again.

    Raises:
        UsageError: it is no run, or its data has changed since.
    """
    for folder in results_with_calls(run):
        found = recorded(folder)
        keys = {call_key(key_fields(call)): None for plan in found.plans for call in plan.calls}
        yield PlannedRun(
            scorer=found.scorer,
            scorer_key=found.scorer_key,
            identity=found.identity,
            cache_folder=found.cache_folder,
            started=found.started,
            calls=tuple(keys),
        )
