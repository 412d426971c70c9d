"""A finished run's plan, made again from its `run.json`: which calls it consists of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Json
from rmjudge.dataset import DataSet, load
from rmjudge.errors import UsageError
from rmjudge.plan import Plan, plan_data
from rmjudge.runfiles import METRICS, RUN, find_results
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
        about = json.loads((folder / RUN).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False  # told when it is read in earnest
    return isinstance(about, dict) and about.get("identity", "") is None


def recorded(folder: Path) -> RecordedRun:
    """Plan one scorer's run again, from the folder with its files.

    Raises:
        UsageError: it is no run, it was imported, or its data has changed since.
    """
    path = folder / RUN
    try:
        about = json.loads(path.read_text("utf-8"))
        if "imported" in about:
            raise UsageError(
                f"{path}: the run was imported from {', '.join(about['imported']['files'])}; "
                "it has no calls, no answers and no data of its own"
            )
        method = json.loads((folder / METRICS).read_text("utf-8"))["method"]
        options, digest = about["options"], about["data"]["digest"]
        sources, identity = options["data"], about["identity"]
        choice = (tuple(options["domains"]), options["limit"])
        votes, started = about["votes"], float(about["started"])
        order, seed, cache_folder = options["order"], options["seed"], about["cache"]
        places = about.get("places")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    data = load(sources).select(*choice)
    if data.digest != digest:
        raise UsageError(
            f"{path}: the data {', '.join(sources)} has changed since the run, "
            "so every changed tuple's calls are new ones"
        )
    asked = data if places is None else [data.tuples[place] for place in places]
    return RecordedRun(
        folder=folder,
        about=about,
        scorer=about["scorer"],
        identity=identity,
        cache_folder=Path(cache_folder),
        started=started,
        data=data,
        plans=tuple(plan_data(asked, method, order, seed, votes=votes)),
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
