"""What a model's kept answers took: the best estimate of what its next ones will."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from rmjudge.cache.database import DATABASE
from rmjudge.cache.inspect import identities_of
from rmjudge.cache.queries import scan
from rmjudge.cache.rows import DamagedRecordError, decode
from rmjudge.cache.troubles import cannot_be_read
from rmjudge.calls import Json, Usage

ALIKE: Final = ("provider", "model", "method", "judging")
"""Scorers that share these parts of their identity write answers of about the same length."""
PAUSE_S: Final = 60.0
"""A longer gap between two answers is a run that was not going."""
LEAST_TIMED: Final = 10


@dataclass(frozen=True, slots=True)
class History:
    """`answers` kept answers; the means of their output tokens, dollars and seconds an answer.

    None where they do not tell.
    """

    answers: int = 0
    output_tokens: float | None = None
    dollars: float | None = None
    seconds: float | None = None


def history_of(folder: Path, scorer: str, identity: Mapping[str, Json]) -> History:
    """Read what a scorer's answers took, or those of scorers alike where it has none.

    Raises:
        StorageStopped: the database cannot be read.
    """
    if not (folder / DATABASE).is_file():
        return History()
    try:
        own = _history(folder, [scorer])
        if own.answers:
            return own
        return _history(
            folder,
            [
                key
                for key, other in identities_of(folder).items()
                if all(other.get(part) == identity.get(part) for part in ALIKE)
            ],
        )
    except sqlite3.Error as error:
        raise cannot_be_read(folder, error) from error


def _history(folder: Path, scorers: Sequence[str]) -> History:
    usages: list[Usage] = []
    seconds: list[float] = []
    for scorer in scorers:
        times: list[float] = []
        for _, text, stored in scan(folder, f"a:{scorer}:"):
            with suppress(DamagedRecordError):
                usages.append(decode(text).usage)
                times.append(stored)
        seconds += (after - before for before, after in pairwise(sorted(times)))
    going = [gap for gap in seconds if gap < PAUSE_S]
    return History(
        answers=len(usages),
        output_tokens=_mean([u.output_tokens for u in usages if u.output_tokens is not None]),
        dollars=_mean([u.dollars for u in usages if u.dollars is not None]),
        seconds=_mean(going) if len(going) >= LEAST_TIMED else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
