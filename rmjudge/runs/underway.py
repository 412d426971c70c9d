"""How far a run is: a small file in its folder while it goes on, for whoever looks from outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.runs.so_far import clear_so_far
from rmjudge.text import one_line

PROGRESS: Final = "progress.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class ScorerProgress:
    """Calls of a scorer: planned, and those that need nothing more.

    `figures` is a line for people: what is cached, in flight and failed, rate, time left, cost.
    `so_far` has the accuracies of the tuples that are complete, in percent; empty without any.
    """

    scorer: str
    planned: int
    done: int
    figures: str
    so_far: str = ""


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that goes on; `told` is when the file was written, Unix time."""

    scorers: tuple[ScorerProgress, ...]
    told: float


def write_underway(folder: Path, scorers: Sequence[ScorerProgress]) -> None:
    """Replace the file. One that cannot be written is left out: the run is what counts."""
    record = {"format": FORMAT, "scorers": [asdict(one) for one in scorers]}
    draft = folder / f".{PROGRESS}.{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(record, indent=2) + "\n", "ascii")
        draft.replace(folder / PROGRESS)


def clear_underway(folder: Path) -> None:
    """Remove what a run tells while it goes on, and the folder where it left nothing else."""
    clear_so_far(folder)
    with suppress(OSError):
        (folder / PROGRESS).unlink()
        folder.rmdir()  # refused where there are results


def find_underway(folder: Path) -> list[Underway]:
    """Read how far the runs in a folder are, or in its subfolders; empty where none goes on."""
    found = map(_read, [folder / PROGRESS, *sorted(folder.glob(f"*/{PROGRESS}"))])
    return [one for one in found if one is not None]


def _read(path: Path) -> Underway | None:
    try:
        told = path.stat().st_mtime
        record = json.loads(path.read_text("utf-8"))
        return Underway(tuple(map(_scorer, record["scorers"])), min(told, time.time()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _scorer(record: Mapping[str, Any]) -> ScorerProgress:
    return ScorerProgress(
        scorer=one_line(str(record["scorer"])),
        planned=int(record["planned"]),
        done=int(record["done"]),
        figures=one_line(str(record["figures"])),
        so_far=one_line(str(record["so_far"])),
    )
