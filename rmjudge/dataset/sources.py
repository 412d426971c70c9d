"""From what the user names as data to a checked data set.

A source is `sample` (tuples that ship with the package), `rm-bench` (downloaded once,
verified, kept), or the path of a file or a folder in either published layout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rmjudge.dataset.checking import check_items
from rmjudge.dataset.download import rm_bench
from rmjudge.dataset.folders import find_files
from rmjudge.dataset.parsing import DataFile, Problem, RawItem, read_file
from rmjudge.dataset.tuples import DataSet
from rmjudge.errors import DataError, UsageError

SAMPLE: Final = "sample"
RM_BENCH: Final = "rm-bench"
LABEL_LENGTH: Final = 40
_SAMPLE_FOLDER: Final = Path(__file__).resolve().parent.parent / "sample"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


def load(
    sources: Sequence[str | Path],
    *,
    cache_dir: Path | None = None,
    notice: Callable[[str], None] | None = None,
) -> DataSet:
    """Read and check the data of all sources, one after the other.

    Args:
        sources: `sample`, `rm-bench`, and paths. A `Path` is always a path; in a string, a
            file or folder called `sample` is written `./sample`.
        cache_dir: the folder that keeps the downloaded benchmark.
        notice: called with a line for each thing that is worth knowing but no problem.

    Raises:
        DataError: with every problem of every source.
    """
    tell = notice or _say_nothing
    names: list[str] = []
    found: list[DataFile | Problem] = []
    for source in sources:
        files = _files_of(source, cache_dir, tell)
        found.extend(files)
        stems = (file.stem for file in files if isinstance(file, DataFile))
        names.extend([str(source)] if _is_named(source) else stems)
    checked = check_items(_read_all(found))
    if checked.problems:
        raise DataError(checked.problems)
    if not checked.tuples:
        raise DataError(["no data was named; a source is sample, rm-bench, or a file or a folder"])
    return DataSet(label_of(names), checked.tuples, checked.ignored, checked.with_domain)


def label_of(names: Iterable[str]) -> str:
    """Join names to a label of at most 40 of the characters `A-Za-z0-9._-` and `+`."""
    safe = (_UNSAFE.sub("-", name).strip("-.") or "data" for name in names)
    return "+".join(dict.fromkeys(safe))[:LABEL_LENGTH].rstrip("+-.") or "data"


def _say_nothing(_line: str) -> None:
    """Stand in for a `notice` that was not given."""


def _is_named(source: str | Path) -> bool:
    return source in (SAMPLE, RM_BENCH)  # a Path never equals a string


def _files_of(
    source: str | Path, cache_dir: Path | None, notice: Callable[[str], None]
) -> Sequence[DataFile | Problem]:
    if source == SAMPLE:
        files = sorted(_SAMPLE_FOLDER.glob("*.jsonl"))
        return [DataFile(path, f"{SAMPLE}/{path.name}") for path in files]
    if source == RM_BENCH:
        try:
            return [DataFile(rm_bench(cache_dir, notice), RM_BENCH)]
        except UsageError as error:
            return [Problem(str(error))]
    if source == "":
        return [Problem("an empty source; a source is sample, rm-bench, or a file or a folder")]
    return find_files(Path(source), notice)


def _read_all(files: Iterable[DataFile | Problem]) -> Iterator[RawItem | Problem]:
    seen: set[str] = set()
    for file in files:
        if isinstance(file, Problem):
            yield file
            continue
        # Told once for the file, instead of once for each of its tuples.
        real = os.path.realpath(file.path)
        if real in seen:
            yield Problem(f"{file.shown}: is named twice; name every file once")
            continue
        seen.add(real)
        yield from read_file(file)
