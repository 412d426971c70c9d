"""A run's folder: written atomically, read back whole.

`metrics.json` and `results.jsonl` hold nothing that differs between equal runs: no times, no
counts of retries. Those are in `run.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.errors import StorageStopped, UsageError
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.codec import has_rates, metrics_from_json, metrics_to_json
from rmjudge.runs.results import Bill, CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.runs.writing import replace_file
from rmjudge.text import one_line, slug
from rmjudge.vocabulary import PARTS, Domain, bare_id, may_be_domain

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.metrics.report import Metrics
    from rmjudge.metrics.tallies import Credits
    from rmjudge.runs.items import ItemResult

FORMAT: Final = 1
METRICS: Final = "metrics.json"
RESULTS: Final = "results.jsonl"
RUN: Final = "run.json"
DECISION: Final = "decision.json"
# `json.dumps` with separators makes an encoder for every text, at the price of encoding one.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def folders_for(folder: Path, scorers: Sequence[str], *, several: bool = False) -> list[Path]:
    """One scorer's files lie in the folder itself, several scorers' in a subfolder each."""
    if len(scorers) == 1 and not several:
        return [folder]
    folders: list[Path] = []
    for scorer in scorers:
        path, number = folder / slug(scorer), 2
        while path in folders:
            path, number = folder / f"{slug(scorer)}-{number}", number + 1
        folders.append(path)
    return folders


def parts_of_relieved_run(folder: Path) -> list[Path]:
    """The subfolders that a run with a fallback wrote; a later run may have none, or others."""
    found = []
    for path in folder.glob(f"*/{RUN}"):
        try:
            about = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(about, dict) and "fallback" in about:
            found.append(path.parent)
    return found


def clear_results(folders: Iterable[Path]) -> None:
    """Remove an earlier run's files, which would hide these or pass for a part of them.

    Raises:
        StorageStopped: they cannot be removed.
    """
    for folder in folders:
        _clear(folder)


def _clear(folder: Path) -> None:
    try:
        for name in (METRICS, RESULTS, RUN):
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise StorageStopped(f"{folder} cannot be written: {error.strerror}") from error


def write_result(folder: Path, result: ScorerResult, about: Mapping[str, Json]) -> None:
    """Write the three files of one scorer.

    Raises:
        StorageStopped: the folder cannot be written. The answers are in the cache.
    """
    run = {"format": FORMAT, "scorer": result.metrics.scorer, **about, **happened(result)}
    write_files(folder, metrics_to_json(result.metrics), map(_line, result.tuples), run)


def write_files(
    folder: Path, metrics: Mapping[str, Json], lines: Iterable[str], run: Mapping[str, Json]
) -> None:
    """Write `metrics.json`, `results.jsonl` and `run.json`, each as a whole or not at all.

    Raises:
        StorageStopped: the folder cannot be written. The answers are in the cache.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / METRICS, [_pretty(metrics)])
        replace_file(folder / RESULTS, lines)
        replace_file(folder / RUN, [_pretty(run)])
    except OSError as error:
        raise StorageStopped(
            f"the results cannot be written to {folder}: {error.strerror}; the answers are kept "
            "in the cache, so the same command with another --out buys nothing"
        ) from error


def write_decision(folder: Path, decision: Mapping[str, Json] | None) -> None:
    """Write which of a run's two scorers is better; without one, remove an earlier run's.

    Raises:
        StorageStopped: the folder cannot be written.
    """
    path = folder / DECISION
    try:
        if decision is None:
            path.unlink(missing_ok=True)
        else:
            replace_file(path, [_pretty({"format": FORMAT, **decision})])
    except OSError as error:
        raise StorageStopped(f"{path} cannot be written: {error.strerror}") from error


def _pretty(data: Mapping[str, Json]) -> str:
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def _line(item: TupleResult) -> str:
    return line_of(record_of(item))


def record_of(item: TupleResult) -> dict[str, Any]:
    """What a line of `results.jsonl` holds; the inverse of `tuple_of`."""
    record: dict[str, Any] = {"id": item.id, "domain": item.domain, "subset": item.subset}
    if item.matrix is None:
        record |= {"score_chosen": item.score_chosen, "score_rejected": item.score_rejected}
    else:
        record["matrix"] = item.matrix
    if item.scorer is not None:
        record["scorer"] = item.scorer
    return record


def line_of(record: Mapping[str, Any]) -> str:
    """A line of `results.jsonl`."""
    return _ENCODE(record) + "\n"


def happened(result: ScorerResult | ItemResult) -> dict[str, Json]:
    """What `run.json` tells of what a run took."""
    return {
        "calls": calls_to_json(result.calls),
        "tokens": tokens_to_json(result.tokens),
        "cost": {"usd": result.cost, "known": result.cost_known},
        "in_all": bill_to_json(result.in_all),
        **(
            {"length_counter": _accuracies_to_json(result.length_counter)}
            if isinstance(result, ScorerResult)
            else {}
        ),
        "statuses": dict(result.statuses),
        "models": dict(result.models),
        "hosts": dict(result.hosts),
        "notes": list(result.notes),
        "stopped": result.stopped,
    }


def calls_to_json(calls: CallCounts) -> dict[str, Json]:
    """Encode the counts of `run.json`."""
    return {
        "planned": calls.planned,
        "from_cache": calls.from_cache,
        "sent": calls.sent,
        "retried": calls.retried,
        "failed": calls.failed,
        "unscored": calls.unscored,
        "maybe_billed": calls.maybe_billed,
    }


def tokens_to_json(tokens: Tokens) -> dict[str, Json]:
    """Encode the tokens of `run.json`."""
    return {"input": tokens.input, "output": tokens.output, "cached": tokens.cached}


def bill_to_json(bill: Bill | None) -> Json:
    """Encode what answers took in all."""
    if bill is None:
        return None
    return {
        "calls": bill.calls,
        "tokens": tokens_to_json(bill.tokens),
        "cost": {"usd": bill.cost, "known": bill.cost_known},
    }


def _accuracies_to_json(found: Accuracies | None) -> Json:
    return None if found is None else {part: getattr(found, part) for part in PARTS}


def _accuracies(data: Any) -> Accuracies | None:
    if data is None:  # files of earlier versions have none
        return None
    return Accuracies(**{part: _number(data[part]) for part in PARTS})


def _bill(data: Any) -> Bill | None:
    if data is None:  # files of earlier versions have none
        return None
    return Bill(
        calls=_counts({"calls": data["calls"]})["calls"],
        tokens=Tokens(**_counts(data["tokens"])),
        cost=_number(data["cost"]["usd"]),
        cost_known=bool(data["cost"]["known"]),
    )


def find_results(folder: Path) -> list[Path]:
    """The folders of results in a run's folder: itself, or its subfolders in the run's order.

    Raises:
        UsageError: there are none.
    """
    if (folder / METRICS).is_file():
        return [folder]
    # One level down a run's scorers, or runs of one scorer; two levels down, runs of several.
    found = sorted(
        (path.parent for under in ("*", "*/*") for path in folder.glob(f"{under}/{METRICS}")),
        key=lambda path: (path.parent, _index_in_run(path), path.name),
    )
    if not found:
        what = "no such folder" if not folder.exists() else f"no {METRICS} in it"
        raise UsageError(f"{folder}: {what}; give the folder that `rmjudge run` wrote")
    return found


def _index_in_run(folder: Path) -> int:
    """The place of a scorer in its run; an unreadable file is an error only when it is needed."""
    try:
        index = json.loads((folder / RUN).read_text("utf-8"))["index"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0
    return index if isinstance(index, int) else 0


def read_result(folder: Path) -> ScorerResult:
    """Read one scorer's files back.

    Raises:
        UsageError: a file is missing or not what rmjudge writes.
    """
    path = folder / METRICS
    try:
        stored = json.loads(path.read_text("utf-8"))
        if isinstance(stored, dict) and "benchmark" in stored:
            raise _OtherBenchmark(stored["benchmark"])
        metrics = metrics_from_json(stored)
        path = folder / RESULTS
        tuples = tuple(tuple_of(json.loads(line)) for line in path.read_text("utf-8").splitlines())
        if not has_rates(stored):
            metrics = _with_intervals(metrics, tuples)
        path = folder / RUN
        run = json.loads(path.read_text("utf-8"))
        return ScorerResult(
            metrics=metrics,
            tuples=tuples,
            **what_happened(run),
            length_counter=_accuracies(run.get("length_counter")),
            folder=folder,
        )
    except _OtherBenchmark as error:
        raise UsageError(
            f"{folder} holds results on {one_line(str(error))[:80]}, and this command is about "
            "RM-Bench's nine cells: `rmjudge report` shows them; of a run over both, name the "
            "folder rm-bench in it"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {type(error).__name__}: {error}") from error


class _OtherBenchmark(Exception):
    """A folder holds results on another benchmark than RM-Bench."""


def what_happened(run: Mapping[str, Any]) -> dict[str, Any]:
    """What a run took, from its `run.json`; the inverse of `happened`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is no such file.
    """
    return {
        "calls": CallCounts(**_counts(run["calls"])),
        "tokens": Tokens(**_counts(run["tokens"])),
        "cost": _number(run["cost"]["usd"]),
        "cost_known": bool(run["cost"]["known"]),
        "statuses": _counts(run["statuses"]),
        "models": _counts(run["models"]),
        "notes": tuple(map(str, run["notes"])),
        "stopped": None if run["stopped"] is None else str(run["stopped"]),
        "in_all": _bill(run.get("in_all")),
        "hosts": _counts(run.get("hosts", {})),
    }


def _with_intervals(metrics: Metrics, tuples: Sequence[TupleResult]) -> Metrics:
    """What a file of the first format lacks, from its tuples."""
    from rmjudge.metrics.compute import with_intervals

    credits: dict[Domain, list[Credits]] = {}
    for item in tuples:
        credits.setdefault(item.domain, []).append(item.credits)
    return with_intervals(metrics, credits)


def tuple_of(record: Mapping[str, Any]) -> TupleResult:
    """A tuple from its line of `results.jsonl`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is no such line.
    """
    matrix = record.get("matrix")
    domain = _domain(record["domain"])
    return TupleResult(
        # Runs of before keep an id of the total file as it is there, `chat/8`.
        id=bare_id(record["id"], str(record["subset"] or domain)),
        domain=domain,
        subset=record["subset"],
        score_chosen=_triple(record.get("score_chosen")),
        score_rejected=_triple(record.get("score_rejected")),
        matrix=None if matrix is None else tuple(tuple(map(_number, row)) for row in matrix),
        scorer=record.get("scorer"),
    )


def _domain(name: Any) -> Domain:
    if not isinstance(name, str) or not may_be_domain(name):
        raise ValueError(f"{name!r} is no name of a domain")
    return name


def _triple(values: Any) -> tuple[float | None, float | None, float | None] | None:
    if values is None:
        return None
    one, two, three = map(_number, values)
    return one, two, three


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no number")
    if not abs(value) <= sys.float_info.max:
        raise ValueError(f"{value!r} is not finite")
    return value


def _counts(values: Mapping[str, Any]) -> dict[str, int]:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} = {value!r} is no count")
    return dict(values)
