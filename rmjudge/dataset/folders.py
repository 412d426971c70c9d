"""From a path that the user gave to the files behind it."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rmjudge.dataset.parsing import DataFile, Problem, has_data_suffix, show_path
from rmjudge.text import did_you_mean, error_line
from rmjudge.vocabulary import PUBLISHED_DOMAINS, SOURCES

TOTAL: Final = "total_dataset"
"""Stem of the published file that holds every domain."""
BUILT: Final = "tuples.json"
BUILD_RECORD: Final = "build.json"
"""Both are in a folder that `rmjudge build` wrote, and the first holds its tuples."""
WITHDRAWN: Final = "withdrawn.json"
"""There too: tuples that people took out of the set after it was built, with their reasons."""


def find_files(path: Path, notice: Callable[[str], None]) -> Sequence[DataFile | Problem]:
    """List the data files of a path: itself, or a folder's own files sorted by name.

    A folder is not searched any deeper, and hidden files are left alone.

    RM-Bench publishes its tuples twice in one folder: `total_dataset.json` holds what the
    per-domain files hold. Where both lie side by side the total file is read, because it is
    the file that `rm-bench` downloads: the same tuples in the same order, so the same results
    files. `notice` gets a line about it. A file that is neither, such as tuples of the user's own,
    is read.
    """
    shown = show_path(path)
    try:
        if not stat.S_ISDIR(path.stat().st_mode):
            return [DataFile(path, shown)]
        files = [
            DataFile(entry, show_path(entry))
            for entry in sorted(path.iterdir(), key=lambda entry: entry.name)
            if has_data_suffix(entry) and not entry.name.startswith(".") and not entry.is_dir()
        ]
    except FileNotFoundError:
        meant = did_you_mean(str(path), SOURCES, otherwise="")
        told = "does not exist; a source is sample, rm-bench, or a file or a folder"
        return [Problem("; ".join(filter(None, (f"{shown}: {told}", meant))))]
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        return [Problem(f"{shown}: cannot be read ({error_line(error)})")]
    if not files:
        return [Problem(f"{shown}: is a folder without data files (.json, .jsonl, either .gz)")]
    names = {file.path.name for file in files}
    if {BUILT, BUILD_RECORD} <= names:  # the others tell how it was made
        return [file for file in files if file.path.name == BUILT]
    return _once(files, shown, notice)


def _once(
    files: Sequence[DataFile], shown: str, notice: Callable[[str], None]
) -> Sequence[DataFile]:
    if not any(file.stem == TOTAL for file in files):
        return files
    kept = [file for file in files if file.stem not in PUBLISHED_DOMAINS]
    if len(kept) < len(files):
        notice(
            f"{shown}: {TOTAL} holds every domain, so the per-domain files beside it are not read"
        )
    return kept
