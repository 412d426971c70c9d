"""A finished run's plan, made again from its `run.json`: which calls it consists of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rmjudge.cache.keys import call_key, scorer_key
from rmjudge.calls import Json
from rmjudge.dataset import load
from rmjudge.errors import UsageError
from rmjudge.plan import plan_data
from rmjudge.runfiles import METRICS, RUN, find_results
from rmjudge.store import key_fields


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run's scorer, where its answers were kept, when it began (Unix time), its calls' keys."""

    scorer: str
    scorer_key: str
    identity: Mapping[str, Json]
    cache_folder: Path
    started: float
    calls: tuple[str, ...]


def replan(run: Path) -> Iterator[PlannedRun]:
    """Plan each scorer of a run again.

    Raises:
        UsageError: it is no run, or its data has changed since.
    """
    for folder in find_results(run):
        path = folder / RUN
        try:
            about = json.loads(path.read_text("utf-8"))
            method = json.loads((folder / METRICS).read_text("utf-8"))["method"]
            options, digest = about["options"], about["data"]["digest"]
            sources, identity = options["data"], about["identity"]
            choice = (tuple(options["domains"]), options["limit"])
            votes, started = about["votes"], float(about["started"])
            order, seed, cache_folder = options["order"], options["seed"], about["cache"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error
        if identity is None:
            continue  # a combined result: its two scorers have folders of their own
        data = load(sources).select(*choice)
        if data.digest != digest:
            raise UsageError(
                f"{path}: the data {', '.join(sources)} has changed since the run, "
                "so every changed tuple's calls are new ones"
            )
        keys = {
            call_key(key_fields(call)): None
            for plan in plan_data(data, method, order, seed, votes=votes)
            for call in plan.calls
        }
        yield PlannedRun(
            scorer=about["scorer"],
            scorer_key=scorer_key(identity),
            identity=identity,
            cache_folder=Path(cache_folder),
            started=started,
            calls=tuple(keys),
        )
