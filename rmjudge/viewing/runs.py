"""A finished run with what `run.json` says of its scorer and its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge import runtexts
from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.results import ScorerResult
from rmjudge.runfiles import RUN
from rmjudge.runtexts import StoredRun


@dataclass(frozen=True, slots=True)
class ViewedRun:
    """A scorer's run. What `run.json` does not tell is None or empty.

    `identity` and `cache_folder` say under which key and where its answers are kept; a result
    that combines several scorers, or was made elsewhere, has none of its own. `label` is the
    data's.
    """

    stored: StoredRun
    label: str
    identity: Mapping[str, Json] | None
    cache_folder: Path | None
    seed: int
    votes: int

    @property
    def result(self) -> ScorerResult:
        """What it found."""
        return self.stored.result


def read_runs(folders: Sequence[str]) -> list[ViewedRun]:
    """Read every scorer below the folders, each once, in their order.

    Raises:
        UsageError: a folder holds none, or a file is damaged.
    """
    return [_read(stored) for stored in runtexts.read_runs(folders)]


def _read(stored: StoredRun) -> ViewedRun:
    path = stored.folder / RUN
    try:
        about = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {error}") from error
    cache_folder = about.get("cache")
    return ViewedRun(
        stored=stored,
        label=str(_object(about, "data").get("label", "")),
        identity=_object(about, "identity") or None,
        cache_folder=Path(cache_folder) if isinstance(cache_folder, str) else None,
        seed=_number(_object(about, "options").get("seed"), 0),
        votes=_number(about.get("votes"), 1),
    )


def _object(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = about.get(name)
    return value if isinstance(value, dict) else {}


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
