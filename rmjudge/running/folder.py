"""What a run leaves in its folder: the files of each scorer's result, and what they tell of it."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rmjudge.calls import Json
from rmjudge.dataset.sources import RM_BENCH
from rmjudge.planning.plan import PairwisePlan
from rmjudge.running.assembly import result_of
from rmjudge.running.fallback import Relief
from rmjudge.running.items import ItemJob
from rmjudge.running.job import Job
from rmjudge.running.preparation import Prepared
from rmjudge.running.tuples import TupleJob
from rmjudge.runs.files import clear_results, folders_for, parts_of_relieved_run, write_result
from rmjudge.runs.items import ItemResult, write_items
from rmjudge.runs.results import ScorerResult
from rmjudge.text import slug
from rmjudge.version import __version__


@dataclass(frozen=True, slots=True)
class Part:
    """One result of a run: a job's, or a combined one without. `places` are a fallback's tuples."""

    result: ScorerResult
    job: TupleJob | None = None
    places: tuple[int, ...] | None = None

    def _pace(self) -> dict[str, Json]:
        """How many calls at once the endpoint was sent, where one was asked."""
        flow = self.job.scorer.activity.flow if self.job else None
        return {"pace": flow.told()} if flow and flow.most else {}

    def about(self) -> dict[str, Json]:
        """What `run.json` says of the scorer; null for the combined, which has none of its own."""
        return {
            "identity": dict(self.job.scorer.identity) if self.job else None,
            "votes": self.job.scorer.votes if self.job else 1,
            "ordered_by_id": self._ordered_by_id(),
            "open_calls": _open_calls(self.job) if self.job else None,
            **self._pace(),
            **({"traces": list(self.job.traces.values())} if self.job and self.job.traces else {}),
            **({} if self.places is None else {"places": list(self.places)}),
        }

    def _ordered_by_id(self) -> list[Json]:
        """Tuples whose pairs were shown in the order of older versions, for their kept answers."""
        plans = self.job.plans if self.job else ()
        return [plan.item.name for plan in plans if isinstance(plan, PairwisePlan) and plan.by_id]


def parts_of(jobs: Sequence[TupleJob], relief: Relief | None) -> list[Part]:
    """The results of a run's jobs, and of the fallback that took their tuples."""
    parts = [Part(result_of(job), job) for job in jobs]
    if relief is not None:
        parts.append(Part(relief.own(), relief.job, relief.left))
        parts += map(Part, relief.combined(jobs))
    return parts


def write_run(
    prepared: Prepared,
    parts: Sequence[Part],
    items: Sequence[tuple[ItemResult, ItemJob]],
    wall_s: float,
    resume: str,
) -> None:
    """Write every result of a run, on RM-Bench and on other sets, complete or not.

    `wall_s` is how long it took; `resume` is the command that goes on with it.

    Raises:
        StorageStopped: the folder cannot be written. The answers are in the cache.
    """
    data = prepared.data
    of_data: dict[str, Json] = {
        "label": data.label,
        "digest": data.digest,
        "tuples": len(data),
    }
    about: dict[str, Json] = {
        "options": prepared.options.recorded(),
        "versions": {"rmjudge": __version__, "python": platform.python_version()},
        "data": of_data,
        "cache": str(prepared.cache_folder.absolute()),
        "started": round(time.time() - wall_s, 3),
        "wall_s": round(wall_s, 3),
        "resume": resume,
    }
    if prepared.fallback is not None:
        about["fallback"] = prepared.fallback.scorer.name
    out = prepared.out
    if prepared.rounds:  # a folder a set, where there are several
        one_set = not parts and len(prepared.rounds) == 1
        clear_results([] if one_set and len(items) == 1 else [out])
        _write_items(out, items, about, alone=one_set)
        out = out / RM_BENCH
        of_data["sources"] = [*prepared.sources]
    if not parts:
        return
    folders = _folders(prepared, out, [part.result.metrics.scorer for part in parts])
    for index, (folder, part) in enumerate(zip(folders, parts, strict=True)):
        write_result(folder, part.result, {"index": index, **part.about(), **about})


def _write_items(
    out: Path,
    items: Sequence[tuple[ItemResult, ItemJob]],
    about: Mapping[str, Json],
    *,
    alone: bool,
) -> None:
    """Write each set's results, below its name unless it is the only one."""
    sets: dict[str, list[tuple[ItemResult, ItemJob]]] = {}
    for result, job in items:
        sets.setdefault(job.items.name, []).append((result, job))
    for name, found in sets.items():
        below = out if alone else out / slug(name)
        names = [result.metrics.scorer for result, _ in found]
        for index, (folder, (result, job)) in enumerate(
            zip(folders_for(below, names), found, strict=True)
        ):
            told: dict[str, Json] = {
                "index": index,
                "identity": dict(job.scorer.identity),
                "votes": job.scorer.votes,
                "open_calls": _open_calls(job),
                **about,
                "data": {"label": name, "digest": job.items.digest, "items": len(job.items)},
            }
            write_items(folder, result, told)


def _open_calls(job: Job) -> int:
    """Planned calls without an answer: what the same command asks again."""
    return job.counts.planned - job.counts.from_cache - job.counts.answered


def _folders(prepared: Prepared, out: Path, names: Sequence[str]) -> list[Path]:
    """A folder for each result, freed of what an earlier run with a fallback left there."""
    helped = prepared.fallback is not None
    folders = folders_for(out, names, several=helped)
    stale = [folder for folder in parts_of_relieved_run(out) if folder not in folders]
    clear_results([*stale, *([out] if out not in folders else [])])
    return folders
