"""The texts that a run scored, found again and checked against its digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.dataset import BenchTuple, DataSet, load
from rmjudge.errors import DataError, UsageError
from rmjudge.viewing.runs import ViewedRun
from rmjudge.vocabulary import Domain

Key: TypeAlias = tuple[Domain, int | str]
ADVICE: Final = "say where the data is now with --data SOURCE"


@dataclass(frozen=True, slots=True)
class Found:
    """A run's tuples by domain and id, or why there are none; `doubt` is what is not certain."""

    items: dict[Key, BenchTuple]
    lacking: str = ""
    doubt: str = ""


class TextFinder:
    """Finds the texts of runs; every source is read once.

    `sources` stand in for those that the runs name, for data that has moved; they may hold
    more tuples than a run scored.
    """

    def __init__(
        self, sources: Sequence[str] = (), notice: Callable[[str], None] | None = None
    ) -> None:
        self._sources = tuple(sources)
        self._notice = notice
        self._loaded: dict[tuple[str, ...], DataSet | str] = {}

    def find(self, run: ViewedRun) -> Found:
        """Look for the texts of a run; a failure is told, not raised."""
        sources = self._sources or run.sources
        if not sources:
            return Found({}, f"{run.folder} does not tell which data it scored; {ADVICE}")
        data = self._load(sources)
        if isinstance(data, str):
            return Found({}, f"{data}; {ADVICE}")
        whole = data.select(run.domains, run.limit)
        if run.digest is not None and whole.digest == run.digest:
            return Found(_by_key(whole))
        # Sources that hold more than was scored, or in another order.
        return _matched(run, _by_key(data), ", ".join(sources))

    def _load(self, sources: tuple[str, ...]) -> DataSet | str:
        if sources not in self._loaded:
            try:
                self._loaded[sources] = load(sources, notice=self._notice)
            except DataError as error:
                self._loaded[sources] = f"the data cannot be read ({error.problems[0]})"
            except UsageError as error:
                self._loaded[sources] = f"the data cannot be read ({error})"
        return self._loaded[sources]


def _matched(run: ViewedRun, by_key: Mapping[Key, BenchTuple], named: str) -> Found:
    """Pick a run's tuples out by domain and id, and check their texts."""
    keys = [(item.domain, item.id) for item in run.result.tuples]
    missing = sum(key not in by_key for key in keys)
    if missing:
        return Found({}, f"{missing} of {len(keys)} tuples are not in {named}; {ADVICE}")
    scored = DataSet("", tuple(by_key[key] for key in keys))
    if run.digest is None:
        doubt = "its run does not record the data; texts are matched by domain and id alone"
        return Found(_by_key(scored), doubt=doubt)
    if scored.digest != run.digest:
        return Found({}, f"{named} does not hold the texts that were scored; {ADVICE}")
    return Found(_by_key(scored))


def _by_key(data: DataSet) -> dict[Key, BenchTuple]:
    return {(item.domain, item.id): item for item in data}
