"""Result files of other benchmarks than RM-Bench: JudgeBench's, RewardMATH's, RewardBench 2's.

Sources: the rows that `run_judge.py` of JudgeBench writes (`judgments`, one an order), or these
reduced to `decisions`; `score` of RewardMATH's result files, where the first is the right solution;
the columns with `scores` and `num_correct` of `run_v2.py` of reward-bench.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rmjudge.benchmarks.descriptors import Descriptor, shipped
from rmjudge.calls import Json
from rmjudge.dataset.parsing import MAX_BYTES
from rmjudge.errors import UsageError
from rmjudge.importing.files import Item, rows_of
from rmjudge.importing.numbers import score
from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import NO_VERDICT, ItemOutcome, Vote, scores_of
from rmjudge.runs.items import ItemResult
from rmjudge.text import printable, quote
from rmjudge.version import __version__

_DECISIONS: Final[Mapping[object, float]] = {
    "A>B": 1.0,
    "A>>B": 1.0,
    "A=B": 0.5,
    "B>A": 0.0,
    "B>>A": 0.0,
}
_SOLUTIONS: Final = 10
"""Of a problem of RewardMATH: one right, nine wrong."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    rows: tuple[Item, ...]
    digest: str


def read_rows(path: Path) -> tuple[Item, ...] | None:
    """The rows of a result file that one of these benchmarks has; None of any other file.

    What cannot be read is not theirs: whoever reads it then says what is wrong.
    """
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            with gzip.open(path) as stream:
                raw = stream.read(MAX_BYTES + 1)
        name = path.name.removesuffix(".gz")
        shown = printable(str(path))
        if name.endswith(".jsonl"):
            lines = enumerate(raw.splitlines(), 1)
            values = [(f"{shown}:{k}", json.loads(line)) for k, line in lines if line.strip()]
        else:
            value = json.loads(raw)
            if isinstance(value, dict):
                if "num_correct" not in value:
                    return None
                found = tuple(rows_of(value, shown))
                return found if found and _benchmark(found[0].fields) else None
            values = [(f"{shown}[{k}]", one) for k, one in enumerate(value)]
    except (OSError, ValueError, TypeError, EOFError, zlib.error, RecursionError):
        return None
    if len(raw) > MAX_BYTES or not values or not all(isinstance(v, dict) for _, v in values):
        return None
    return tuple(Item(*one) for one in values) if _benchmark(values[0][1]) else None


def _benchmark(fields: Mapping[str, Any]) -> str:
    """The benchmark that rows with these fields are of; empty: none of these."""
    if "pair_id" in fields and "label" in fields and {"decisions", "judgments"} & fields.keys():
        return "judgebench"
    if {"problem", "score", "solution_reference"} <= fields.keys():
        return "rewardmath"
    if {"scores", "num_correct", "subset", "id"} <= fields.keys():
        return "rewardbench-2"
    return ""


def import_benchmark(
    paths: Sequence[Path], *, name: str | None = None
) -> list[tuple[ItemResult, dict[str, Json]]] | None:
    """Read result files; one result a scorer, and what `run.json` tells. None: not of these.

    Raises:
        UsageError: some of the files are of these benchmarks and others not, or a row is wrong.
    """
    read = [(path, read_rows(path)) for path in paths]
    if not any(rows for _, rows in read):
        return None
    files = []
    for path, rows in read:
        if rows is None:
            raise UsageError(f"{printable(str(path))}: not of the benchmark of the other files")
        files.append(_File(path, rows, hashlib.sha256(path.read_bytes()).hexdigest()))
    benchmarks = {_benchmark(row.fields) for file in files for row in file.rows}
    if len(benchmarks) > 1:
        raise UsageError("the files are of several benchmarks, or rows lack fields; import apart")
    rules = shipped()[benchmarks.pop()]
    scorers: dict[str, list[tuple[_File, Item]]] = {}
    for file in files:
        for row in file.rows:
            scorers.setdefault(_scorer(row, file), []).append((file, row))
    if name is not None and len(scorers) > 1:
        raise UsageError(f"--name is for one scorer, and the files have {len(scorers)}")
    return [_result(name or scorer, found, rules) for scorer, found in scorers.items()]


def _scorer(row: Item, file: _File) -> str:
    """Who was scored: what the row's file, or the row, or the file's name says."""
    given = row.fields.get("file") or row.fields.get("model") or file.path.name
    words = str(given).removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    return printable(words.rpartition("judge_model=")[2])


def _result(
    scorer: str, found: Sequence[tuple[_File, Item]], rules: Descriptor
) -> tuple[ItemResult, dict[str, Json]]:
    read = {"judgebench": _judgebench, "rewardmath": _rewardmath}.get(rules.name, _rewardbench_2)
    outcomes: dict[str, ItemOutcome] = {}
    again = 0
    for _, row in found:
        outcome = read(row, rules)
        key = str(row.fields["problem"]) if rules.name == "rewardmath" else outcome.name
        if key not in outcomes:
            outcomes[key] = replace(outcome, id=len(outcomes)) if key != outcome.name else outcome
        elif replace(outcome, id=outcomes[key].id) == outcomes[key]:
            again += 1
        else:
            raise row.wrong("the item comes again with other results; which counts is not known")
    files = list(dict.fromkeys(file.path.name for file, _ in found))
    notes = [f"imported from {', '.join(files)} ({rules.name})"]
    if again:
        notes.append(
            f"{len(found)} rows for {len(outcomes)} items: {again} come again with the same "
            "results, and count once"
        )
    kept = tuple(outcomes.values())
    judge = kept[0].votes is not None
    order = rules.order if judge else None
    metrics = measure(scorer, "pairwise" if judge else "pointwise", order, kept, rules)
    about: dict[str, Json] = {
        "index": 0,
        "imported": {
            "format": rules.name,
            "files": list(files),
            "sha256": list(dict.fromkeys(file.digest for file, _ in found)),
        },
        "versions": {"rmjudge": __version__, "python": platform.python_version()},
    }
    return ItemResult(metrics, kept, scores_of(kept, rules), notes=tuple(notes)), about


def _judgebench(row: Item, rules: Descriptor) -> ItemOutcome:
    """Decisions are about A and B as they were shown: in the second, A is the data's B."""
    label, source = row.fields.get("label"), row.fields.get("source")
    if label not in ("A>B", "B>A"):
        raise row.wrong(f"label is {quote(str(label), 20)}; expected A>B or B>A")
    given = row.fields.get("decisions")
    if given is None:
        judgments = row.fields.get("judgments")
        if not isinstance(judgments, list):
            raise row.wrong("judgments is no list")
        given = [one.get("decision") if isinstance(one, dict) else None for one in judgments]
    if not isinstance(given, list) or len(given) not in (1, 2):
        raise row.wrong("expected one decision an order, two in all (or one)")
    first = [_decision(row, one) for one in given]
    votes: list[Vote] = []
    for place, vote in enumerate(first):
        better_first = (label == "A>B") == (place == 0)
        votes.append(1.0 - vote if isinstance(vote, float) and not better_first else vote)
    return ItemOutcome(
        row.fields["pair_id"],
        rules.subset_of(str(source or "")),
        (1.0, 0.0),
        None,
        ((0, 1, tuple(votes)),),
    )


def _decision(row: Item, value: object) -> Vote:
    if value is None:
        return NO_VERDICT
    if value not in _DECISIONS:
        raise row.wrong(f"decision {quote(str(value), 20)}; expected A>B, A=B, B>A or null")
    return _DECISIONS[value]


def _rewardmath(row: Item, _rules: Descriptor) -> ItemOutcome:
    given, positions = row.fields["score"], row.fields.get("chosen_position")
    if not isinstance(given, list):
        raise row.wrong("score is no list")
    if positions is not None:
        return _rewardmath_pairs(row, given, positions)
    if len(given) != _SOLUTIONS:
        raise row.wrong(
            f"score has {len(given)} values; expected {_SOLUTIONS}, of the right solution first "
            "(2 are RewardBench's pairs of math, another benchmark)"
        )
    rewards = tuple(score(row, f"score[{place}]", one) for place, one in enumerate(given))
    return ItemOutcome(0, "", _grades(_SOLUTIONS), rewards)


def _rewardmath_pairs(row: Item, given: Sequence[Any], positions: object) -> ItemOutcome:
    """A judge's letter for each of nine pairs, and which letter was the right solution's."""
    if not isinstance(positions, list) or len(given) != len(positions):
        raise row.wrong("score and chosen_position differ in length")
    pairs = []
    for place, (letter, right) in enumerate(zip(given, positions, strict=True), 1):
        known = letter in ("A", "B") and right in ("A", "B")
        vote: Vote = float(letter == right) if known else NO_VERDICT
        pairs.append((0, place, (vote,)))
    return ItemOutcome(0, "", _grades(len(pairs) + 1), None, tuple(pairs))


def _rewardbench_2(row: Item, rules: Descriptor) -> ItemOutcome:
    given, right = row.fields["scores"], row.fields["num_correct"]
    if not isinstance(given, list) or not isinstance(right, int) or not 0 < right < len(given):
        raise row.wrong("scores is no list of more values than num_correct, at least 1")
    rewards = tuple(score(row, f"scores[{place}]", one) for place, one in enumerate(given))
    grades = (1.0,) * right + (0.0,) * (len(given) - right)
    return ItemOutcome(row.id, rules.subset_of(str(row.fields["subset"])), grades, rewards)


def _grades(count: int) -> tuple[float, ...]:
    return (1.0,) + (0.0,) * (count - 1)
