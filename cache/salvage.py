"""A damaged cache file: set aside, never deleted; what can be read is saved into a new one.

A note in the folder says that there is damage and how far the salvage has come, so that one
that is killed half-way goes on where it was. Only who has the cache alone may salvage.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from diskcache.core import DBNAME

from rmjudge.cache.disk import connect, keep_newest, open_cache
from rmjudge.cache.pages import found_rows
from rmjudge.cache.records import DamagedRecordError, unseal
from rmjudge.errors import StorageStopped

NOTE: Final = "damage.json"
_FILES: Final = (f"{DBNAME}-wal", f"{DBNAME}-shm", DBNAME)
"""In this order: a log beside a new database would be played into it."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was saved: answers in the new file, answers seen but unreadable, the old file."""

    folder: Path
    why: str
    saved: int
    unreadable: int
    kept: Path

    def stopped(self) -> StorageStopped:
        """Tell it, before anything is bought."""
        if self.saved:
            unreadable = f", {self.unreadable:,} could not be read" if self.unreadable else ""
            what = f"{self.saved:,} answers were saved into a new file{unreadable}"
        else:
            what = "NO ANSWER COULD BE SAVED: all that it held would be bought again"
        return StorageStopped(
            f"the cache {self.folder} was damaged ({self.why}): {what}; the damaged file is kept "
            f"in {self.kept}; nothing was bought; the same command again goes on and buys what "
            "is missing, unless `rmjudge cache import` brings it back from a backup first"
        )


def mark(folder: Path, why: str) -> None:
    """Remember damage for who opens the cache next; a folder that cannot be written forgets it."""
    with suppress(OSError):
        if not (folder / NOTE).exists():
            _note(folder, {"why": why})


def marked(folder: Path) -> str | None:
    """What is wrong with the cache, where that is known."""
    return str(_read(folder)["why"]) if (folder / NOTE).exists() else None


def salvage(folder: Path, why: str) -> Salvage:
    """Set the damaged files aside and save what can be read. The caller has the cache alone.

    Raises:
        OSError, sqlite3.Error: the folder or the new file cannot be written; another attempt
            goes on from there.
    """
    note = _read(folder)
    why = str(note.get("why", why))
    kept = folder / str(note.get("to") or _new_name(folder))
    if not note.get("moved"):
        _note(folder, {"why": why, "to": kept.name})
        kept.mkdir(mode=0o700, exist_ok=True)
        for name in _FILES:
            with suppress(FileNotFoundError):
                (folder / name).rename(kept / name)
        _note(folder, {"why": why, "to": kept.name, "moved": True})
    saved, unreadable = _copy(kept, folder)
    (folder / NOTE).unlink()
    return Salvage(folder, why, saved, unreadable, kept)


def _copy(kept: Path, folder: Path) -> tuple[int, int]:
    """Return how many answers are in the new file, and how many were seen but are not."""
    broken: set[str] = set()
    open_cache(folder).close()
    with closing(connect(folder)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for row in found_rows(kept / DBNAME, kept / f"{DBNAME}-wal"):
            if not row.key.startswith(("a:", "s:")):
                continue
            try:
                unseal(row.text)
            except DamagedRecordError:
                broken.add(row.key)
                continue
            keep_newest(connection, row.key, row.text, row.stored)
        connection.execute("COMMIT")
        keys = {str(key) for (key,) in connection.execute("SELECT key FROM Cache")}
    return sum(key.startswith("a:") for key in keys), len(broken - keys)


def _new_name(folder: Path) -> str:
    name = time.strftime("damaged-%Y-%m-%dT%H%M%SZ", time.gmtime())
    taken = len(list(folder.glob(f"{name}*")))
    return f"{name}-{taken + 1}" if taken else name


def _read(folder: Path) -> dict[str, Any]:
    try:
        note = json.loads((folder / NOTE).read_text("ascii"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        note = None
    return note if isinstance(note, dict) and "why" in note else {"why": "it was found damaged"}


def _note(folder: Path, note: dict[str, Any]) -> None:
    draft = folder / f".{NOTE}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / NOTE)
