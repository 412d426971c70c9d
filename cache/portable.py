"""A cache as one file of lines, to be kept, sent and merged: `cache export` and `cache import`.

JSON lines, gzipped where the name ends in `.gz`: a head, then scorers' identities, then
answers, each line with a checksum of its own. An answer's record is the one of the cache
(`rmjudge.cache.rows`), so what comes back is what was bought, to the letter.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from rmjudge.cache.database import connect, keep_newest, open_database
from rmjudge.cache.keys import answer_row, canonical, identity_row, scorer_key
from rmjudge.cache.queries import scan
from rmjudge.cache.rows import DamagedRecordError, decode, seal, unseal
from rmjudge.cache.sharing import Share
from rmjudge.cache.troubles import cannot_be_read, storage_stopped
from rmjudge.calls import Reply
from rmjudge.errors import StorageStopped, UsageError

FORMAT: Final = 1
HEAD: Final = "rmjudge-answers"
LONGEST_LINE: Final = 2**28
"""A reply has at most 16 MiB, and at most six times that once it is ASCII."""
_SUM_DIGITS: Final = 32
_KEY: Final = re.compile(r"[0-9a-f]{32}")
_ANSWER_ROW: Final = re.compile(r"a:([0-9a-f]{32}):([0-9a-f]{32})")
GROUP_LINES: Final = 1000
"""Lines a transaction takes: other processes get the lock in between."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file was given: lines, and rows of the cache that were damaged and left out."""

    file: Path
    scorers: int
    answers: int
    damaged: int


@dataclass(slots=True)
class Imported:
    """What became of a file's lines.

    `rejected` and `conflicts` say why, each with its line's number: a rejected line is not what
    was written; a conflict's answer differs from the one that is here, which stays.
    """

    added: int = 0
    known: int = 0
    scorers: int = 0
    rejected: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


class _BadLineError(ValueError):
    """A line that is not what `export_answers` writes."""


def export_answers(folder: Path, file: Path) -> Exported:
    """Write every sound answer of the cache, and the identities of the scorers.

    The file is there whole or not at all, readable by its owner alone.

    Raises:
        UsageError: there is such a file already, or no such folder.
        StorageStopped: the cache cannot be read, or the file cannot be written.
    """
    if file.exists():
        raise UsageError(f"{file} exists already; give the name of a new file")
    scorers = answers = damaged = 0
    try:
        with _new_file(file) as out:
            out.write(_line({"format": FORMAT, "kind": HEAD}))
            for key, text, _ in scan(folder, "s:"):
                try:
                    identity = json.loads(unseal(text))
                except ValueError:
                    damaged += 1
                    continue
                scorers += 1
                out.write(_line({"scorer": key.removeprefix("s:"), "identity": identity}))
            for key, text, stored in scan(folder, "a:"):
                line = _answer_line(key, text, stored)
                damaged += line is None
                answers += line is not None
                out.write(line or b"")
    except sqlite3.Error as error:
        raise cannot_be_read(folder, error) from error
    except OSError as error:
        raise StorageStopped(f"{file} cannot be written: {error.strerror}") from error
    return Exported(file, scorers, answers, damaged)


def _answer_line(key: str, text: str, stored: float) -> bytes | None:
    """None for a row that is not what was written."""
    name = _ANSWER_ROW.fullmatch(key)
    try:
        decode(text)
    except DamagedRecordError:
        return None
    if name is None:
        return None
    record = json.loads(unseal(text))
    return _line({"scorer": name[1], "call": name[2], "stored": stored, "record": record})


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw:
            if file.name.endswith(".gz"):
                # No name and no time inside: equal caches are equal bytes.
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _line(value: Mapping[str, Any]) -> bytes:
    text = canonical(value)
    return f'{{"sum":"{_checksum(text)}",{text[1:]}\n'.encode("ascii")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_SUM_DIGITS]


def import_answers(file: Path, folder: Path) -> Imported:
    """Merge a file into a cache: what is new is added, what differs is told and left as it is.

    Lines that are damaged are told by number and left out; the others count. A damaged row in the
    cache is replaced.

    Raises:
        UsageError: there is no such file, or it is no export; nothing was changed.
        StorageStopped: the cache cannot be written, or it was damaged and has been salvaged.
    """
    found = Imported()
    try:
        lines = _numbered(file)
        _read_head(file, next(lines, None))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    try:
        with closing(Share(folder)):
            open_database(folder).close()
            with closing(connect(folder)) as connection:
                merging = _Merging(folder, connection, found)
                while group := list(islice(lines, GROUP_LINES)):
                    connection.execute("BEGIN IMMEDIATE")
                    for number, line in group:
                        merging.take(number, line)
                    connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as cause:
        raise storage_stopped(folder, cause) from cause
    return found


def _numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines by number; a file that breaks off ends in an empty one, which is rejected."""
    with file.open("rb") as raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"  # not read: a pipe cannot be wound back
        source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        number = 0
        while True:
            number += 1
            try:
                line = source.readline(LONGEST_LINE)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                yield number, b""
                return
            if not line:
                return
            yield number, line


def _read_head(file: Path, first: tuple[int, bytes] | None) -> None:
    try:
        head = _read(first[1] if first else b"")
    except _BadLineError:
        head = {}
    if head.get("kind") != HEAD:
        raise UsageError(f"{file} is no file of `rmjudge cache export`")
    if head.get("format") != FORMAT:
        raise UsageError(
            f"{file} has format {head.get('format')}; this rmjudge knows {FORMAT}: upgrade it"
        )


def _read(line: bytes) -> dict[str, Any]:
    """A line's value.

    Raises:
        _BadLineError: it is not what was written.
    """
    if not line.endswith(b"\n"):
        raise _BadLineError("the file breaks off")
    try:
        value = json.loads(line)
        told = value.pop("sum")
        text = canonical(value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _BadLineError("no line of an export") from error
    if told != _checksum(text):
        raise _BadLineError("checksum does not match")
    return cast("dict[str, Any]", value)


class _Merging:
    """Lines going into a cache, in one transaction."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, found: Imported) -> None:
        self._connection = connection
        self._found = found
        self._scorers = {key.removeprefix("s:") for key in _sound_identities(folder)}

    def take(self, number: int, line: bytes) -> None:
        try:
            value = _read(line)
            if "identity" in value:
                self._identity(value)
            else:
                self._answer(number, value)
        except (_BadLineError, DamagedRecordError) as error:
            self._found.rejected.append(f"line {number}: {error}")

    def _identity(self, value: Mapping[str, Any]) -> None:
        identity = value["identity"]
        if not isinstance(identity, dict) or scorer_key(identity) != value.get("scorer"):
            raise _BadLineError("an identity under another's key")
        key = str(value["scorer"])
        if key not in self._scorers:
            self._scorers.add(key)
            self._found.scorers += 1
            self._write(identity_row(key), seal(canonical(identity)), 0.0)

    def _answer(self, number: int, value: Mapping[str, Any]) -> None:
        scorer, call, stored = (value.get(name) for name in ("scorer", "call", "stored"))
        if scorer not in self._scorers:
            raise _BadLineError("an answer of a scorer that is not in the file")
        if not (isinstance(call, str) and _KEY.fullmatch(call) and isinstance(stored, float)):
            raise _BadLineError("no key or no time of an answer")
        text = seal(json.dumps(value.get("record"), separators=(",", ":"), allow_nan=False))
        theirs = decode(text)
        row = answer_row(str(scorer), call)
        ours = self._ours(row)
        if ours is None or (ours.open and not theirs.open):
            self._write(row, text, stored)
            self._found.added += 1
        elif theirs.open or _same(ours, theirs):
            self._found.known += 1
        else:
            self._found.conflicts.append(f"line {number}: call {call} of scorer {scorer}")

    def _ours(self, row: str) -> Reply | None:
        found = self._connection.execute(
            "SELECT value FROM Cache WHERE key = ? AND raw = 1", (row,)
        ).fetchone()
        try:
            return None if found is None else decode(str(found[0]))
        except DamagedRecordError:
            return None

    def _write(self, row: str, text: str, stored: float) -> None:
        self._connection.execute("DELETE FROM Cache WHERE key = ? AND raw = 1", (row,))
        keep_newest(self._connection, row, text, stored)


def _sound_identities(folder: Path) -> Iterator[str]:
    for key, text, _ in scan(folder, "s:"):
        with suppress(DamagedRecordError):
            unseal(text)
            yield key


def _same(ours: Reply, theirs: Reply) -> bool:
    """The same reply, whichever version of the parser has read it."""
    return ours == theirs or bool(ours.raw and ours.raw == theirs.raw)
