"""What `run.json` tells of how a scorer's run was made: read here, checked, and nowhere else.

What came of it (calls, tokens, costs) is in the same file; `runs.files.read_result` reads that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.runs.files import RUN
from rmjudge.vocabulary import Domain, in_order, may_be_domain


@dataclass(frozen=True, slots=True)
class Origin:
    """Result files of another tool that a run was read from; `digests` are their SHA-256."""

    format: str
    files: tuple[str, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How one scorer's run was made. What the file does not tell is None or empty.

    `about` is the whole file. `digest`, `label` and `tuples` describe the whole data set,
    `sources` say where it was, `domains` and `limit` what was asked for of it; `places` are the
    tuples of it that a fallback took. `identity` is everything that changes the scorer's answers,
    kept in `cache_folder`; `ordered_by_id` are its tuples whose pairs were shown in the order of
    older versions (None: all); a result that combines several scorers (`combined`) has none of its
    own. `started` is Unix time, `wall_s` seconds. `template` is the user's file.
    """

    folder: Path
    about: Mapping[str, Any]
    identity: Mapping[str, Json] | None = None
    combined: bool = False
    digest: str | None = None
    label: str = ""
    tuples: int | None = None
    sources: tuple[str, ...] = ()
    domains: tuple[Domain, ...] = ()
    limit: int | None = None
    places: tuple[int, ...] | None = None
    seed: int | None = None
    votes: int = 1
    ordered_by_id: frozenset[str] | None = None
    template: str | None = None
    cache_folder: Path | None = None
    started: float | None = None
    wall_s: float | None = None
    resume: str = ""
    versions: Mapping[str, str] | None = None
    imported: Origin | None = None

    @property
    def path(self) -> Path:
        """The file itself, for messages."""
        return self.folder / RUN


def read_record(folder: Path) -> RunRecord:
    """Read the `run.json` of a folder of results.

    Raises:
        UsageError: it cannot be read, or something in it is not what rmjudge writes.
    """
    path = folder / RUN
    try:
        about = json.loads(path.read_text("utf-8"))
        return _record(folder, about)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no file of a run: {error}") from error


def _record(folder: Path, about: object) -> RunRecord:
    if not isinstance(about, dict):
        raise TypeError("it holds no object")
    data, options = _object(about, "data"), _object(about, "options")
    by_id = _get(about, "ordered_by_id", list)
    identity, cache_folder = about.get("identity"), _get(about, "cache", str)
    places, imported = _get(about, "places", list), _object(about, "imported")
    return RunRecord(
        folder=folder,
        about=about,
        identity=_object(about, "identity") or None,
        combined="identity" in about and identity is None,
        digest=_get(data, "digest", str),
        label=_get(data, "label", str) or "",
        tuples=_get(data, "tuples", int),
        # A run over several benchmarks says which of its sources are RM-Bench's.
        sources=tuple(map(str, _get(data, "sources", list) or _get(options, "data", list) or ())),
        domains=in_order(filter(may_be_domain, _get(options, "domains", list) or ())),
        limit=_get(options, "limit", int),
        places=None if places is None else tuple(map(int, places)),
        seed=_get(options, "seed", int),
        votes=_get(about, "votes", int) or 1,
        ordered_by_id=None if by_id is None else frozenset(map(str, by_id)),
        template=_get(options, "template", str),
        cache_folder=None if cache_folder is None else Path(cache_folder),
        started=_get(about, "started", float),
        wall_s=_get(about, "wall_s", float),
        resume=_get(about, "resume", str) or "",
        versions={name: str(value) for name, value in _object(about, "versions").items()},
        imported=_imported(imported) if imported else None,
    )


def _imported(told: Mapping[str, Any]) -> Origin:
    return Origin(
        format=str(told["format"]),
        files=tuple(map(str, told["files"])),
        digests=tuple(map(str, told.get("sha256", ()))),
    )


def _object(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _get(about, name, dict) or {}


def _get(about: Mapping[str, Any], name: str, kind: type) -> Any:
    """The value of a name, None where there is none.

    Raises:
        TypeError: it is of another kind.
    """
    value = about.get(name)
    wanted = (int, float) if kind is float else kind
    if value is None or (isinstance(value, wanted) and not isinstance(value, bool)):
        return value
    raise TypeError(f"{name} = {value!r:.60}")
