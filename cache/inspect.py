"""Looking into a cache: what it holds, whether it is sound, why a key was not found."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rmjudge.cache.database import DATABASE, refuse_newer
from rmjudge.cache.keys import answer_row, scorer_keys
from rmjudge.cache.queries import foreign_rows, integrity, read_rows, scan
from rmjudge.cache.rows import DamagedRecordError, decode, is_open, ordered_by_id, unseal
from rmjudge.cache.salvage import mark
from rmjudge.cache.troubles import cannot_be_read
from rmjudge.calls import Json, Reply, Spent, Unscored
from rmjudge.errors import UsageError

Identity = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ScorerRows:
    """One scorer's answers in the cache, and what they took; `first` and `last` are Unix times.

    `open` replies were paid for and are no answers: their calls are asked again.
    """

    key: str
    identity: Identity
    answers: int
    unscored: int
    open: int
    first: float | None
    last: float | None
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class Info:
    """What a cache holds."""

    folder: Path
    size_bytes: int
    scorers: tuple[ScorerRows, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """Rows read, rows that are not what was written, rows that are not rmjudge's."""

    rows: int
    damaged: tuple[str, ...]
    foreign: int
    database_problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return not (self.damaged or self.foreign or self.database_problems)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another scorer that has answered calls which this one has not, and how it differs.

    `differs` maps a part of the identity to (its value here, its value there).
    """

    key: str
    answered: int
    differs: Mapping[str, tuple[Json, Json]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why calls of a scorer were not found. `candidates` have the most answers first."""

    scorer: str
    calls: int
    found: int
    candidates: tuple[Candidate, ...]

    @property
    def missing(self) -> int:
        """Calls without an answer."""
        return self.calls - self.found


def require(folder: Path) -> Path:
    """Return the folder if it holds a cache.

    Raises:
        UsageError: it does not.
        StorageStopped: a newer rmjudge wrote it.
    """
    if not (folder / DATABASE).is_file():
        raise UsageError(f"{folder} holds no cache; give the folder with --cache-dir")
    with suppress(sqlite3.Error):  # whoever reads next says what is wrong
        refuse_newer(folder)
    return folder


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise cannot_be_read(folder, error) from error


def info(folder: Path) -> Info:
    """Count what is kept, by scorer."""
    with _reading(folder):
        identities = identities_of(folder)
        rows: dict[str, list[tuple[bool, float]]] = {key: [] for key in identities}
        open_rows: Counter[str] = Counter()
        spent: defaultdict[str, Spent] = defaultdict(Spent)
        for key, text, stored in scan(folder, "a:"):
            scorer = key.split(":")[1]
            found = rows.setdefault(scorer, [])
            unscored = False
            with suppress(DamagedRecordError):
                reply = decode(text)
                spent[scorer].add(reply.usage)
                if reply.open:
                    open_rows[scorer] += 1
                    continue
                unscored = isinstance(reply.answer, Unscored)
            found.append((unscored, stored))
    return Info(
        folder=folder,
        size_bytes=sum(path.stat().st_size for path in folder.glob(f"{DATABASE}*")),
        scorers=tuple(
            ScorerRows(
                key=key,
                identity=identities.get(key, {}),
                answers=len(found),
                unscored=sum(unscored for unscored, _ in found),
                open=open_rows[key],
                first=min((stored for _, stored in found), default=None),
                last=max((stored for _, stored in found), default=None),
                spent=spent[key],
            )
            for key, found in rows.items()
        ),
    )


def identities_of(folder: Path) -> dict[str, Identity]:
    """The identity of every scorer, by its key.

    Raises:
        sqlite3.Error: the database cannot be read.
    """
    found: dict[str, Identity] = {}
    for key, text, _ in scan(folder, "s:"):
        try:
            found[key.removeprefix("s:")] = json.loads(unseal(text))
        except ValueError:
            continue
    return found


def first_of_model(folder: Path, identity: Identity, name: str) -> Json:
    """The value of `name` with which answers of a local model's files were first kept here.

    The files are those of `identity`: the model and its revision. None where there are none, or
    no cache.

    Raises:
        StorageStopped: the database cannot be read.
    """
    if not (folder / DATABASE).is_file():
        return None
    files = ("model", "revision")
    found: list[tuple[float, str, Json]] = []
    with _reading(folder):
        for key, other in identities_of(folder).items():
            if name in other and all(other.get(part) == identity.get(part) for part in files):
                stored = [at for _, _, at in scan(folder, f"a:{key}:")]
                found += [(min(stored), key, other[name])] if stored else []
    return min(found, default=(0.0, "", None))[2]


def first_kept(folder: Path, scorers: Iterable[str]) -> str | None:
    """The first of these scorers' keys that has answers here; None where none has.

    Raises:
        StorageStopped: the database cannot be read.
    """
    if not (folder / DATABASE).is_file():
        return None
    with _reading(folder):
        return next((key for key in scorers if any(True for _ in scan(folder, f"a:{key}:"))), None)


def kept_by_older(folder: Path, identity: Identity, calls: Sequence[str]) -> set[str]:
    """Which of these calls a scorer answered under a version that drew their order from ids.

    Raises:
        StorageStopped: the database cannot be read.
    """
    if not (folder / DATABASE).is_file():
        return set()
    found: set[str] = set()
    with _reading(folder):
        for owner in scorer_keys(identity):
            rows = {answer_row(owner, call): call for call in calls}
            texts = read_rows(folder, list(rows))
            found |= {rows[key] for key, text in texts if ordered_by_id(text)}
    return found


def replies(folder: Path, identity: Identity, calls: Sequence[str]) -> dict[str, Reply]:
    """Return a scorer's answers among these call keys, damaged ones left out; write nothing.

    Raises:
        StorageStopped: the database cannot be read.
    """
    found: dict[str, Reply] = {}
    with _reading(folder):
        for owner in scorer_keys(identity):
            rows = {answer_row(owner, call): call for call in calls if call not in found}
            for key, text in read_rows(folder, list(rows)):
                if not is_open(text):
                    with suppress(DamagedRecordError):
                        found[rows[key]] = decode(text)
    return found


def verify(folder: Path) -> Verification:
    """Read every row, compare every checksum, ask SQLite for the database's own health.

    A damaged database is noted in the folder, so that the next run salvages it.
    """
    rows, foreign, damaged = 0, 0, []
    with _reading(folder):
        try:
            for prefix, check in (("a:", decode), ("s:", unseal), ("b:", unseal)):
                for key, text, _ in scan(folder, prefix):
                    rows += 1
                    try:
                        check(text)
                    except DamagedRecordError as error:
                        damaged.append(f"{key}: {error}")
            foreign = foreign_rows(folder)
            problems = integrity(folder)
        except sqlite3.OperationalError:
            raise  # not to be opened or read at all, which says nothing of what is in it
        except sqlite3.DatabaseError as error:
            problems = (str(error),)
    if problems:
        mark(folder, problems[0])
    return Verification(rows, tuple(damaged), foreign, problems)


def explain(
    folder: Path,
    identity: Identity,
    calls: Sequence[str],
    since: float = math.inf,
) -> Explanation:
    """Find out which scorers had answered the calls that this one had not, and how they differ.

    Answers of this scorer that were stored from `since` on (Unix time) count as missing: they
    are what was bought for want of an older one.
    """
    with _reading(folder):
        identities = identities_of(folder)
        have: dict[str, set[str]] = {}
        for key, text, stored in scan(folder, "a:"):
            owner, _, call = key.removeprefix("a:").partition(":")
            if stored >= since or is_open(text):
                continue
            have.setdefault(owner, set()).add(call)
    own = scorer_keys(identity)
    missing = set(calls) - {call for key in own for call in have.get(key, ())}
    overlaps = Counter({key: len(missing & found) for key, found in have.items() if key not in own})
    return Explanation(
        scorer=own[0],
        calls=len(set(calls)),
        found=len(set(calls)) - len(missing),
        candidates=tuple(
            Candidate(key, answered, _difference(identity, identities.get(key, {})))
            for key, answered in overlaps.most_common()
            if answered
        ),
    )


def _difference(one: Identity, other: Identity) -> dict[str, tuple[Json, Json]]:
    return {
        part: (one.get(part), other.get(part))
        for part in {**one, **other}
        if one.get(part) != other.get(part)
    }
