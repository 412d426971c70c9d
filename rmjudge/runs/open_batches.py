"""Calls of a run in open batches of a vendor, as its cache knows them; no vendor is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rmjudge.errors import StorageStopped
from rmjudge.runs.records import RunRecord
from rmjudge.text import label


def batches_under_way(records: Iterable[RunRecord]) -> list[str]:
    """A line for each scorer with open batches, and the command that shows them.

    A run without open calls waits for none, and its cache is not looked at.
    Batches are a scorer's, so that some of their calls may be of other data.
    """
    waiting = [
        (record.cache_folder, record.identity)
        for record in records
        if record.cache_folder is not None and record.identity and record.about.get("open_calls")
    ]
    if not waiting:
        return []
    from rmjudge.cache.keys import scorer_keys

    found: dict[tuple[Path, str], str] = {}
    for folder, identity in waiting:
        key, *_ = keys = scorer_keys(identity)
        if (folder, key) not in found:
            found[folder, key] = _line(folder, keys)
    return [line for line in found.values() if line]


def _line(folder: Path, keys: Iterable[str]) -> str:
    import sqlite3

    from rmjudge.cache.database import DATABASE
    from rmjudge.cache.ledger import read_chunks

    if not (folder / DATABASE).exists():
        return ""
    try:
        chunks = [chunk for key in keys for chunk in read_chunks(folder, key) if chunk.open]
    except StorageStopped as stopped:
        return str(stopped)
    except (sqlite3.Error, OSError):
        return ""  # what shows a run needs no cache
    if not chunks:
        return ""
    calls = sum(len(chunk.calls) for chunk in chunks)
    many = "1 open batch" if len(chunks) == 1 else f"{len(chunks)} open batches"
    return (
        f"{label(chunks[0].model.partition('@')[0])}: {calls:,} calls in {many}; the run's command "
        "with --batch collects them, `rmjudge batches list` shows them"
    )
