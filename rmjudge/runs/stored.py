"""A finished run, found again: its result, its record, its texts and what it asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.errors import DataError, UsageError
from rmjudge.runs.files import find_results, read_result
from rmjudge.runs.records import RunRecord, read_record
from rmjudge.runs.results import ScorerResult
from rmjudge.vocabulary import TupleKey

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.dataset import BenchTuple, DataSet
    from rmjudge.planning.plan import CallPlan, Plan

NAMED: Final = 3
"""Tuples that a message names."""
_ADVICE: Final = "say where the data is now with --data SOURCE"


class StoredRun:
    """A scorer's finished run. Each part is read, and checked, when it is first asked for."""

    def __init__(self, folder: Path, moved: Moved) -> None:
        self.folder = folder
        self._moved = moved

    @cached_property
    def result(self) -> ScorerResult:
        """What it found.

        Raises:
            UsageError: a file is damaged.
        """
        return read_result(self.folder)

    @cached_property
    def record(self) -> RunRecord:
        """How it was made.

        Raises:
            UsageError: the file is damaged.
        """
        return read_record(self.folder)

    @property
    def keys(self) -> list[TupleKey]:
        """The domain and id of each tuple, in the order of the data."""
        return [item.key for item in self.result.tuples]

    @property
    def cache_folder(self) -> Path | None:
        """Where its answers are; None where that is not known."""
        return self._moved.cache_folder or self.record.cache_folder

    @cached_property
    def texts(self) -> DataSet:
        """Its tuples, in its order.

        Raises:
            UsageError: they cannot be found, or are not what the run scored.
        """
        return self._moved.texts_of(self)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its tuples are now: the names and folders that its user gave."""
        return self._moved.sources_of(self)

    @property
    def withdrawn(self) -> dict[str, str]:
        """Why people took tuples out of its data since, by the digest of a tuple's texts."""
        return self._moved.withdrawn_of(self)

    def plan(self, items: Iterable[BenchTuple]) -> tuple[Plan, ...]:
        """Plan again what it asked about some of its tuples."""
        from rmjudge.planning.plan import plan_data

        metrics, record = self.result.metrics, self.record
        order, seed = metrics.order or "seeded", record.seed or 0
        return tuple(
            plan_data(
                list(items),
                metrics.method,
                order,
                seed,
                votes=record.votes,
                by_id=record.ordered_by_id,
                design=metrics.design,
            )
        )

    @cached_property
    def asked(self) -> Asked:
        """Everything that it asked.

        Raises:
            UsageError: it was imported, its record lacks something, or its texts are not found.
        """
        from rmjudge.cache.keys import scorer_key

        record, folder = self.record, self.cache_folder
        if record.imported is not None:
            raise UsageError(f"{_imported(record)}, no calls and no answers")
        if folder is None or record.started is None or record.digest is None:
            raise UsageError(f"{record.path} does not tell the run's data, cache or start")
        identity = record.identity or {}
        plans = self.plan(self.texts)
        return Asked(scorer_key(identity), identity, folder, record.started, plans)


@dataclass(frozen=True, slots=True)
class Asked:
    """The calls of a run, planned again, and where their answers are kept.

    `identity` is everything that changes the scorer's answers, `scorer_key` its key in the cache.
    `started` is when the run began, Unix time.
    """

    scorer_key: str
    identity: Mapping[str, Json]
    cache_folder: Path
    started: float
    plans: tuple[Plan, ...]

    @property
    def calls(self) -> tuple[str, ...]:
        """The key of each distinct call."""
        return tuple(dict.fromkeys(key for plan in self.plans for key in call_keys(plan)))


def call_keys(plan: CallPlan) -> list[str]:
    """The keys of a plan's calls, in its order."""
    from rmjudge.cache.keys import call_key
    from rmjudge.store import key_fields

    return [call_key(key_fields(call)) for call in plan.calls]


def read_runs(
    folders: Iterable[str | Path],
    *,
    data: Sequence[str] = (),
    cache_folder: Path | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[StoredRun]:
    """Find every scorer below the folders, each once, in their order.

    `data` and `cache_folder` say where the texts and the answers are now, if they have moved;
    `data` may hold more tuples than the runs scored. `notice` gets remarks about the data.

    Raises:
        UsageError: a folder holds none.
    """
    moved = Moved(tuple(data), cache_folder, notice)
    found: dict[Path, Path] = {}
    for folder in folders:
        for path in find_results(Path(folder)):
            found.setdefault(path.resolve(), path)
    return [StoredRun(path, moved) for path in found.values()]


class Moved:
    """Where texts and answers are now, for several runs; each source of texts is read once."""

    def __init__(
        self,
        sources: tuple[str, ...] = (),
        cache_folder: Path | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> None:
        self.cache_folder = cache_folder
        self._sources = sources
        self._notice = notice
        self._loaded: dict[tuple[str, ...], DataSet] = {}

    def texts_of(self, run: StoredRun) -> DataSet:
        """The tuples of a run, in its order.

        Raises:
            UsageError: they cannot be found, or are not what the run scored.
        """
        from rmjudge.dataset import DataSet
        from rmjudge.dataset.withdrawn import withdrawn

        sources = self.sources_of(run)
        if not sources and run.record.imported is not None:
            raise UsageError(f"{_imported(run.record)}; {_ADVICE}")
        if not sources:
            raise UsageError(f"{run.folder} does not tell which data it scored; {_ADVICE}")
        loaded = self._load(sources, run)
        found = {item.key: item for item in loaded}
        named = ", ".join(sources)
        # What people took out of a build since, or changed, lies in the build's folder.
        before = {item.key: item for item, _ in withdrawn(sources)}
        known = {**before, **found}
        missing = [f"{domain}/{id}" for domain, id in run.keys if (domain, id) not in known]
        if missing:
            raise UsageError(
                f"{run.folder}: {len(missing)} of its {len(run.keys)} tuples are not in {named} "
                f"({_some(missing)}); {_ADVICE}"
            )
        data = DataSet("", tuple(known[key] for key in run.keys))
        # A fallback scores a part of the data only, and the digest is of the whole.
        whole = loaded.select(run.record.domains, run.record.limit)
        versions = [data, whole]
        if before:
            known = {**found, **before}
            versions.append(DataSet("", tuple(known[key] for key in run.keys)))
        for version in versions:
            digests = (version.digest, version.named_by_domain().digest)
            if run.record.digest is None or run.record.digest in digests:
                return data if version is whole else version
        raise UsageError(
            f"{run.folder}: {named} has changed since the run or is other data; it does not "
            f"hold the texts that this run scored (the digest differs); {_ADVICE}"
        )

    def sources_of(self, run: StoredRun) -> tuple[str, ...]:
        """Where a run's texts are."""
        return self._sources or run.record.sources

    def withdrawn_of(self, run: StoredRun) -> dict[str, str]:
        """Why people took tuples out of the run's data since, by the digest of their texts."""
        from rmjudge.dataset.flagged import texts_digest
        from rmjudge.dataset.withdrawn import withdrawn

        sources = self.sources_of(run)
        return {texts_digest(item): reason for item, reason in withdrawn(sources)}

    def _load(self, sources: tuple[str, ...], run: StoredRun) -> DataSet:
        from rmjudge.benchmarks.sets import of_rm_bench
        from rmjudge.dataset import load

        if sources not in self._loaded:
            try:
                own = of_rm_bench(sources)
                self._loaded[sources] = load(own or sources, notice=self._notice)
            except DataError as error:
                raise UsageError(
                    f"{run.folder}: its data cannot be read ({error.problems[0]}); {_ADVICE}"
                ) from error
        return self._loaded[sources]


def check_same_texts(runs: Sequence[StoredRun]) -> list[str]:
    """Make sure that runs mean the same texts by the same tuples; return what cannot be known.

    Runs with one digest do. Others may share a part of their data: their texts are looked up
    and compared tuple by tuple.

    Raises:
        UsageError: the texts of a tuple differ, or cannot be found.
    """
    by_digest = {run.record.digest: run for run in runs if run.record.digest is not None}
    several = by_digest.values() if len(by_digest) > 1 else ()
    prints = [(run, _fingerprints(run.texts)) for run in several]
    for (one, first), (two, second) in combinations(prints, 2):
        differ = [name for name in first if name in second and first[name] != second[name]]
        if differ:
            raise UsageError(
                f"{one.folder} and {two.folder} scored different texts under the same ids, in "
                f"{len(differ)} tuples ({_some(differ)}); compare runs of the same data"
            )
    untold = ", ".join(str(run.folder) for run in runs if run.record.digest is None)
    if not untold:
        return []
    return [f"{untold}: the data is not recorded; tuples are matched by domain and id alone"]


def _imported(record: RunRecord) -> str:
    files = ", ".join(record.imported.files) if record.imported else ""
    return f"{record.path}: the run was imported from {files}; it has no data of its own"


def _fingerprints(data: DataSet) -> dict[str, str]:
    return {
        item.name: hashlib.sha256(
            repr((item.prompt, item.chosen, item.rejected)).encode("utf-8", "surrogatepass")
        ).hexdigest()
        for item in data
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
