"""From result files to a run's folder."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from rmjudge.calls import Json
from rmjudge.dataset.tuples import DataSet
from rmjudge.errors import UsageError
from rmjudge.importing.files import ResultFile, read_result_file
from rmjudge.importing.formats import JUDGE_NOTES, read_tuples
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.version import __version__
from rmjudge.vocabulary import Domain, Method


def import_files(
    paths: Sequence[Path],
    *,
    name: str | None = None,
    domain: str | None = None,
    data: DataSet | None = None,
) -> tuple[ScorerResult, dict[str, Json]]:
    """Read result files of one scorer; return the result, and what `run.json` tells of it.

    Raises:
        UsageError: a file is wrong, or the files do not belong together.
    """
    files = [read_result_file(path) for path in paths]
    formats = {file.format for file in files}
    if len(formats) > 1:
        raise UsageError(
            f"the files are of several formats ({', '.join(sorted(formats))}); import them apart"
        )
    if data is not None and formats != {"rewardbench-all"}:
        raise UsageError(f"--data is for files without ids, and {paths[0]} has them")
    tuples = read_tuples(files, domain, data)
    about: dict[str, Json] = {
        "index": 0,
        "imported": {
            "format": files[0].format,
            "files": [file.path.name for file in files],
            "sha256": [file.digest for file in files],
        },
        "versions": {"rmjudge": __version__, "python": platform.python_version()},
    }
    return _result(name or files[0].model, tuples, files), about


def _result(
    name: str, tuples: tuple[TupleResult, ...], files: Sequence[ResultFile]
) -> ScorerResult:
    method: Method = "pointwise" if tuples[0].matrix is None else "pairwise"
    credits: dict[Domain, list[Credits]] = defaultdict(list)
    for item in tuples:
        credits[item.domain].append(item.credits)
    shown = ", ".join(file.path.name for file in files)
    notes = [f"imported from {shown} ({files[0].format})"]
    if method == "pairwise":
        notes.append(JUDGE_NOTES[files[0].format])
    return ScorerResult(
        metrics=compute_metrics(name, method, None, credits),
        tuples=tuples,
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        notes=tuple(notes),
    )
