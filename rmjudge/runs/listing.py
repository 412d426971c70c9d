"""The runs below a folder, each scorer by what its two small files say; no tuple is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.errors import UsageError
from rmjudge.metrics.codec import metrics_from_json
from rmjudge.metrics.items import ItemMetrics
from rmjudge.metrics.report import Metrics
from rmjudge.runs.files import METRICS, find_results
from rmjudge.runs.items import metrics_of_items
from rmjudge.runs.records import RunRecord, read_record


@dataclass(frozen=True, slots=True)
class Listed:
    """One scorer of a run. `cost` is of all its answers, in US dollars (as in `ScorerResult`).

    `open_calls` were planned and have no answer; None where an older version did not record them.
    `resume` is the command that goes on, empty where nothing is left.
    """

    folder: Path
    metrics: Metrics | ItemMetrics
    record: RunRecord
    cost: float | None
    cost_known: bool
    open_calls: int | None
    stopped: str | None

    @property
    def resume(self) -> str:
        """The command that asks the open calls; empty where there are none."""
        return self.record.resume if self.stopped or self.open_calls else ""


def list_runs(folder: Path) -> tuple[list[Listed], list[str]]:
    """Read the runs below a folder, the newest last, and say which cannot be read.

    Raises:
        UsageError: there is no such folder, or no run in it.
    """
    found: list[Listed] = []
    damaged: list[str] = []
    for place in find_results(folder):
        try:
            found.append(_listed(place))
        except UsageError as error:
            damaged.append(str(error))
    # A run's scorers began together: they stay in their order.
    found.sort(key=lambda one: one.record.started or 0.0)
    return found, damaged


def _listed(folder: Path) -> Listed:
    record = read_record(folder)
    path = folder / METRICS
    try:
        stored = json.loads(path.read_text("utf-8"))
        of_items = isinstance(stored, dict) and "benchmark" in stored
        metrics = metrics_of_items(stored) if of_items else metrics_from_json(stored)
        about = record.about
        stopped = about.get("stopped")
        cost, known = _cost(about)
        return Listed(
            folder=folder,
            metrics=metrics,
            record=record,
            cost=cost,
            cost_known=known,
            open_calls=_open(about),
            stopped=None if stopped is None else str(stopped),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {type(error).__name__}: {error}") from error


def _cost(about: Mapping[str, Any]) -> tuple[float | None, bool]:
    in_all = about.get("in_all")
    cost = (about if in_all is None else in_all)["cost"]
    usd = cost["usd"]
    return None if usd is None else float(usd), bool(cost["known"])


def _open(about: Mapping[str, Any]) -> int | None:
    recorded = about.get("open_calls")
    if recorded is not None:
        return int(recorded)
    return None if about.get("stopped") else int(about["calls"]["failed"])
