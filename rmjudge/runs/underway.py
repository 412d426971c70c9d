"""How far a run is: a small file in its folder while it goes on, for whoever looks from outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.runs.files import PROGRESS
from rmjudge.runs.so_far import clear_so_far
from rmjudge.text import one_line

FORMAT: Final = 1
SILENT_S: Final = 60.0
"""A run tells how far it is every two seconds; one that is silent for so long has died."""


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
    """A run that goes on in a folder; `told` is when the file was written, Unix time."""

    folder: Path
    scorers: tuple[ScorerProgress, ...]
    told: float

    def lines(self) -> Iterator[str]:
        """A line for each scorer."""
        silent = time.time() - self.told
        for one in self.scorers:
            line = f"{one.scorer}: still running, {one.done:,} of {one.planned:,} calls answered"
            if silent > SILENT_S:
                line = (
                    f"{one.scorer}: {one.done:,} of {one.planned:,} calls answered, and no word "
                    f"for {silent / 60:.0f} min; if the run has died, run its command again"
                )
            elif one.done >= one.planned > 0:
                line = f"{one.scorer}: all {one.planned:,} calls answered"
            more = [text for text in (one.figures, one.so_far) if text]
            yield "; ".join((line, *more))


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
        scorers = tuple(map(_scorer, record["scorers"]))
        return Underway(path.parent, scorers, min(told, time.time()))
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
