"""A scorer's result on the items of a preference set, and its files.

The files have the names of a run over RM-Bench; `metrics.json` names the benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmjudge.errors import DataError, UsageError
from rmjudge.metrics.items import ItemMetrics, Share
from rmjudge.metrics.outcomes import NO_VERDICT, ItemOutcome, Vote
from rmjudge.metrics.report import Interval
from rmjudge.metrics.ties import Ties
from rmjudge.runs.files import (
    FORMAT,
    METRICS,
    RESULTS,
    RUN,
    find_results,
    happened,
    line_of,
    what_happened,
    write_files,
)
from rmjudge.runs.results import Bill, CallCounts, Tokens

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor
    from rmjudge.benchmarks.items import ItemSet
    from rmjudge.calls import Json


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One scorer on one benchmark. Its figures of cost mean what they mean in `ScorerResult`.

    `scores` are the items' own, in the benchmark's reading. `digest` is that of the items; None
    where the run was imported.
    """

    metrics: ItemMetrics
    outcomes: tuple[ItemOutcome, ...] = field(repr=False)
    scores: tuple[float | None, ...] = field(repr=False)
    calls: CallCounts = field(default_factory=CallCounts)
    tokens: Tokens = field(default_factory=Tokens)
    cost: float | None = None
    cost_known: bool = True
    statuses: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stopped: str | None = None
    in_all: Bill | None = None
    hosts: Mapping[str, int] = field(default_factory=dict)
    digest: str | None = None
    folder: Path | None = field(default=None, compare=False, repr=False)

    @property
    def note(self) -> str:
        """The notes as one line."""
        return "; ".join(self.notes)

    @property
    def has_scores(self) -> bool:
        """Whether any item has a score."""
        return any(share.scored for share in self.metrics.subsets.values())

    @property
    def complete(self) -> bool:
        """Whether every item is scored."""
        return self.metrics.complete


def write_items(folder: Path, result: ItemResult, about: Mapping[str, Json]) -> None:
    """Write the three files of one scorer on one benchmark.

    Raises:
        StorageStopped: the folder cannot be written. The answers are in the cache.
    """
    metrics: dict[str, Json] = {"format": FORMAT, **asdict(result.metrics)}
    run = {"format": FORMAT, "scorer": result.metrics.scorer, **about, **happened(result)}
    lines = [_line(*both) for both in zip(result.outcomes, result.scores, strict=True)]
    write_files(folder, metrics, lines, run)


def _line(outcome: ItemOutcome, score: float | None) -> str:
    return line_of(outcome_to_json(outcome, score))


def outcome_to_json(outcome: ItemOutcome, score: float | None) -> dict[str, Any]:
    """A line of `results.jsonl`."""
    record: dict[str, Any] = {
        "id": outcome.id,
        "subset": outcome.subset,
        "score": score,
        "grades": outcome.grades,
    }
    if outcome.rewards is not None:
        record["rewards"] = outcome.rewards
    elif outcome.choices is not None:
        record["choices"] = outcome.choices
    else:
        record["pairs"] = outcome.votes
    return record


def is_of_items(folder: Path) -> bool:
    """Whether a folder of results is of another benchmark than RM-Bench; what is broken is not."""
    try:
        stored = json.loads((folder / METRICS).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(stored, dict) and "benchmark" in stored


def part_results(folders: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The folders of results below these: those on RM-Bench, and those on other benchmarks.

    Raises:
        UsageError: a folder holds none.
    """
    found = dict.fromkeys(path for folder in folders for path in find_results(folder))
    others = [path for path in found if is_of_items(path)]
    return [path for path in found if path not in others], others


def read_items(folder: Path) -> ItemResult:
    """Read one scorer's files on one benchmark back.

    Raises:
        UsageError: a file is missing or not what rmjudge writes.
    """
    path = folder / METRICS
    try:
        metrics = metrics_of_items(json.loads(path.read_text("utf-8")))
        path = folder / RESULTS
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        outcomes = tuple(map(_outcome, lines))
        scores = tuple(None if one["score"] is None else float(one["score"]) for one in lines)
        path = folder / RUN
        run = json.loads(path.read_text("utf-8"))
        digest = (run.get("data") or {}).get("digest")
        return ItemResult(
            metrics, outcomes, scores, **what_happened(run), digest=digest, folder=folder
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {type(error).__name__}: {error}") from error


def metrics_of_items(data: Mapping[str, Any]) -> ItemMetrics:
    """Read the `metrics.json` of another benchmark.

    Raises:
        KeyError, TypeError: it is none.
    """
    given = {name: value for name, value in data.items() if name != "format"}
    given["interval"] = _interval(data["interval"])
    given["whole"] = _share(data["whole"])
    given["subsets"] = {name: _share(share) for name, share in data["subsets"].items()}
    return ItemMetrics(**given)


def _share(data: Mapping[str, Any]) -> Share:
    ties = data.get("ties")
    return Share(
        **{
            **data,
            "interval": _interval(data["interval"]),
            "ties": Ties(**ties) if ties else None,
        }
    )


def _interval(data: Any) -> Interval | None:
    return None if data is None else Interval(**data)


def _outcome(data: Mapping[str, Any]) -> ItemOutcome:
    grades = tuple(map(float, data["grades"]))
    if "rewards" in data:
        rewards = tuple(None if one is None else float(one) for one in data["rewards"])
        return ItemOutcome(data["id"], data["subset"], grades, rewards)
    if "choices" in data:
        choices = tuple(tuple(one) if isinstance(one, list) else one for one in data["choices"])
        return ItemOutcome(data["id"], data["subset"], grades, choices=choices)
    votes = tuple(
        (int(better), int(worse), tuple(map(_vote, given)))
        for better, worse, given in data["pairs"]
    )
    return ItemOutcome(data["id"], data["subset"], grades, None, votes)


def _vote(value: Any) -> Vote:
    return value if value is None or value == NO_VERDICT else float(value)


def texts_of(result: ItemResult, data: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """The responses of each item, as `scored_items` finds them."""
    return {item.name: item.texts for item in scored_items(result, data)}


def scored_items(result: ItemResult, data: Sequence[str] = ()) -> ItemSet:
    """The items of a run, read again from its data, or from where it is now.

    Raises:
        UsageError: they cannot be found, or the data is not what the run scored.
    """
    from rmjudge.benchmarks.sets import load_sets

    folder = result.folder or Path()
    try:
        run = json.loads((folder / RUN).read_text("utf-8"))
        options = run.get("options") or {}
        sources = list(data) or list(map(str, options["data"]))
        given, columns = options.get("benchmark"), options.get("columns")
        limit = options.get("limit")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{folder} does not tell which data it scored; it has no texts") from error
    try:
        _, sets = load_sets(sources, name=given, columns=columns)
    except DataError as error:
        raise UsageError(f"{folder}: its data cannot be read ({error.problems[0]})") from error
    for one in sets:
        if one.name == result.metrics.benchmark:
            kept = one.first(limit)
            compared = kept.without_ties()
            if result.digest in (one.digest, kept.digest, compared.digest):
                return kept
    if not sets:
        raise UsageError(
            f"{folder}: {', '.join(sources)} holds no {result.metrics.benchmark}; say where its "
            "data is now with --data SOURCE"
        )
    raise UsageError(
        f"{folder}: {', '.join(sources)} has changed since the run or is other data; it does not "
        "hold the texts that this run scored (the digest differs)"
    )


def rules_of(result: ItemResult) -> Descriptor:
    """The descriptor that a run was measured by: one that ships, or the user's file.

    Raises:
        UsageError: the file is gone, or is another benchmark's now.
    """
    from rmjudge.benchmarks.descriptors import descriptor_named, shipped

    name = result.metrics.benchmark
    if name in shipped():
        return shipped()[name]
    folder = result.folder or Path()
    try:
        options = json.loads((folder / RUN).read_text("utf-8"))["options"]
        given = str(options["benchmark"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{folder} does not tell where {name} is described") from error
    found = descriptor_named(given)
    if found.name != name:
        raise UsageError(f"{given} describes {found.name} now, and {folder} is of {name}")
    return found


def seed_of(result: ItemResult) -> int:
    """The seed that the order of its pairs was drawn from."""
    run = json.loads(((result.folder or Path()) / RUN).read_text("utf-8"))
    return int((run.get("options") or {}).get("seed", 0))


def is_limited(result: ItemResult) -> bool:
    """Whether the run was over the first items of each subset alone (`--limit`)."""
    try:
        run = json.loads(((result.folder or Path()) / RUN).read_text("utf-8"))
        return (run.get("options") or {}).get("limit") is not None
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
