"""A scorer's finished run: its result, and what `run.json` says of data, answers and scorer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.results import ScorerResult
from rmjudge.runfiles import RUN, find_results, read_result
from rmjudge.vocabulary import DOMAINS, Domain, Order


@dataclass(frozen=True, slots=True)
class ViewedRun:
    """A scorer's run. What `run.json` does not tell is None or empty.

    `digest` is that of the data (`DataSet.digest`), `sources` say where it was, `domains` and
    `limit` what was taken of it. `identity` and `cache_folder` say under which key and where
    its answers are kept; a result that combines several scorers has no identity of its own.
    """

    folder: Path
    result: ScorerResult
    label: str
    digest: str | None
    sources: tuple[str, ...]
    domains: tuple[Domain, ...]
    limit: int | None
    identity: Mapping[str, Json] | None
    cache_folder: Path | None
    order: Order
    seed: int
    votes: int


def read_runs(folders: Sequence[str]) -> list[ViewedRun]:
    """Read every scorer below the folders, each once, in their order.

    Raises:
        UsageError: a folder holds none, or a file is damaged.
    """
    found = [path for folder in folders for path in find_results(Path(folder))]
    return [_read(path) for path in dict.fromkeys(found)]


def _read(folder: Path) -> ViewedRun:
    result = read_result(folder)
    path = folder / RUN
    try:
        about = json.loads(path.read_text("utf-8"))
        data, options = _object(about, "data"), _object(about, "options")
        cache_folder = about.get("cache")
        return ViewedRun(
            folder=folder,
            result=result,
            label=str(data.get("label", "")),
            digest=_text(data.get("digest")),
            sources=tuple(map(str, options.get("data") or ())),
            domains=tuple(domain for domain in DOMAINS if domain in (options.get("domains") or ())),
            limit=_number(options.get("limit")),
            identity=_object(about, "identity") or None,
            cache_folder=Path(cache_folder) if isinstance(cache_folder, str) else None,
            order=result.metrics.order or "seeded",
            seed=_number(options.get("seed")) or 0,
            votes=_number(about.get("votes")) or 1,
        )
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {error}") from error


def _object(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = about.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
