"""Finished runs and the texts that they scored, found again and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

from rmjudge.cache.keys import scorer_key
from rmjudge.dataset import DataSet, load
from rmjudge.errors import DataError, UsageError
from rmjudge.runs.files import find_results, read_result
from rmjudge.runs.records import RunRecord, read_record
from rmjudge.runs.results import ScorerResult
from rmjudge.vocabulary import Domain

NAMED: Final = 3
"""Tuples that a message names."""
_ADVICE: Final = "say where the data is now with --data SOURCE"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A scorer's finished run: what it found, and what is recorded of how it was made."""

    result: ScorerResult
    record: RunRecord

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.record.folder

    @property
    def identity(self) -> str | None:
        """The key of the scorer's answers; None where it has none of its own."""
        return scorer_key(self.record.identity) if self.record.identity else None

    @property
    def keys(self) -> list[tuple[Domain, int | str]]:
        """The domain and id of each tuple, in the order of the data."""
        return [(item.domain, item.id) for item in self.result.tuples]


def read_runs(folders: Sequence[str | Path]) -> list[StoredRun]:
    """Read every scorer below the folders, each once, in their order.

    Raises:
        UsageError: a folder holds none, or a file is damaged.
    """
    found = [path for folder in folders for path in find_results(Path(folder))]
    return [StoredRun(read_result(path), read_record(path)) for path in dict.fromkeys(found)]


class Texts:
    """Finds the texts of runs again; each source is read once.

    `sources` stand in for those that the runs name, for data that has moved; they may hold
    more tuples than the runs scored.
    """

    def __init__(
        self, sources: Sequence[str] = (), notice: Callable[[str], None] | None = None
    ) -> None:
        self._sources = tuple(sources)
        self._notice = notice
        self._loaded: dict[tuple[str, ...], DataSet] = {}

    def of(self, run: StoredRun) -> DataSet:
        """Give the tuples of a run, in its order.

        Raises:
            UsageError: they cannot be found, or are not what the run scored.
        """
        sources = self._sources or run.record.sources
        if not sources:
            raise UsageError(f"{run.folder} does not tell which data it scored; {_ADVICE}")
        loaded = self._load(sources, run)
        found = {(item.domain, item.id): item for item in loaded}
        named = ", ".join(sources)
        missing = [f"{domain}/{id}" for domain, id in run.keys if (domain, id) not in found]
        if missing:
            raise UsageError(
                f"{run.folder}: {len(missing)} of its {len(run.keys)} tuples are not in {named} "
                f"({_some(missing)}); {_ADVICE}"
            )
        data = DataSet("", tuple(found[key] for key in run.keys))
        # A fallback scores a part of the data only, and the digest is that of the whole.
        digests = (d.digest for d in (data, loaded.select(run.record.domains, run.record.limit)))
        if run.record.digest is not None and run.record.digest not in digests:
            raise UsageError(
                f"{run.folder}: {named} does not hold the texts that this run scored (the "
                f"digest differs); {_ADVICE}"
            )
        return data

    def _load(self, sources: tuple[str, ...], run: StoredRun) -> DataSet:
        if sources not in self._loaded:
            try:
                self._loaded[sources] = load(sources, notice=self._notice)
            except DataError as error:
                raise UsageError(
                    f"{run.folder}: its data cannot be read ({error.problems[0]}); {_ADVICE}"
                ) from error
        return self._loaded[sources]


def check_same_texts(runs: Sequence[StoredRun], texts: Texts) -> list[str]:
    """Make sure that runs mean the same texts by the same tuples; tell what cannot be known.

    Runs with one digest do. Others may share a part of their data: their texts are looked up
    and compared tuple by tuple.

    Raises:
        UsageError: the texts of a tuple differ, or cannot be found.
    """
    by_digest = {run.record.digest: run for run in runs if run.record.digest is not None}
    several = by_digest.values() if len(by_digest) > 1 else ()
    prints = [(run, _fingerprints(texts.of(run))) for run in several]
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


def _fingerprints(data: DataSet) -> dict[str, str]:
    return {
        item.name: hashlib.sha256(
            repr((item.prompt, item.chosen, item.rejected)).encode("utf-8", "surrogatepass")
        ).hexdigest()
        for item in data
    }


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
