"""From a path to a stream of raw items, each with the place it was found at.

Files are `.json` (one list of items) or `.jsonl` (one item a line), either with `.gz`, in
UTF-8 with or without a byte order mark. Nothing is raised for what a file holds: a `Problem`
takes the place of whatever could not be read, and reading goes on behind it where it can.

A place is `chat_filtered.json[17]` (an index, from 0) or `mine.jsonl:18` (a line, from 1).
"""

from __future__ import annotations

import gzip
import json
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final, NoReturn

from rmjudge.dataset.foreign import NAMED, foreign_opening
from rmjudge.text import error_line, kind_of, printable, quote

MAX_BYTES: Final = 256 * 2**20
"""Bytes of one file after decompression: more than twenty times the published benchmark."""

SUFFIXES: Final = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_CHUNK: Final = 2**20
_BOM: Final = b"\xef\xbb\xbf"
_CONSTANT: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|(NaN|-?Infinity)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to read, and the name that messages call it by."""

    path: Path
    shown: str

    @property
    def stem(self) -> str:
        """The file's name without its suffixes and without `_filtered`: `chat`."""
        name = self.path.name
        suffix = _suffix(name)
        return (name[: -len(suffix)] if suffix else name).removesuffix("_filtered")


@dataclass(frozen=True, slots=True)
class RawItem:
    """A parsed JSON value that should be a tuple.

    `stem` is the stem of its file, `shown` the file's name, `number` its line or place from 1.
    """

    place: str
    stem: str
    value: object
    shown: str
    number: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A line for people: where, what is wrong there, what would be right."""

    text: str


def read_file(file: DataFile, *, max_bytes: int = MAX_BYTES) -> Iterator[RawItem | Problem]:
    """Read the items of one file, in their order."""
    suffix = _suffix(file.path.name)
    if not suffix:
        yield Problem(
            f"{file.shown}: unknown kind of file; expected .json or .jsonl, or either with .gz"
        )
        return
    read = _read_lines if suffix.startswith(".jsonl") else _read_list
    found = False
    try:
        # Opening a pipe would wait for ever, reading a device would never end.
        if not stat.S_ISREG(file.path.stat().st_mode):
            yield Problem(f"{file.shown}: is not a regular file")
            return
        with _open(file.path, zipped=suffix.endswith(".gz")) as stream:
            for found_item in read(stream, file, max_bytes):
                found = True
                yield found_item
    except gzip.BadGzipFile as error:
        yield Problem(
            f"{file.shown}: is no sound gzip file ({error_line(error)}); compress it again"
        )
    except (EOFError, zlib.error):
        yield Problem(f"{file.shown}: the gzip data is cut off or damaged; compress it again")
    except _TooLargeError:
        yield Problem(
            f"{file.shown}: holds more than {max_bytes:,} bytes (decompressed); "
            "split it into several files"
        )
    except OSError as error:
        yield Problem(f"{file.shown}: cannot be read ({error_line(error)})")
    else:
        if not found:
            yield Problem(f"{file.shown}: holds no tuples")


def _suffix(name: str) -> str:
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")


def has_data_suffix(path: Path) -> bool:
    """Tell whether a file's name says that it holds tuples."""
    return bool(_suffix(path.name))


class _TooLargeError(Exception):
    """A file, or what a gzip file unpacks to, is over the cap."""


def _open(path: Path, *, zipped: bool) -> BufferedIOBase:
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _read_list(stream: BufferedIOBase, file: DataFile, cap: int) -> Iterator[RawItem | Problem]:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > cap:
            raise _TooLargeError
        chunks.append(chunk)
    raw = b"".join(chunks)
    if not raw.removeprefix(_BOM).strip():
        yield Problem(f"{file.shown}: is empty")
        return
    try:
        value = _parse(raw, 0)
    except _NotJsonError as error:
        if known := foreign_opening(raw.removeprefix(_BOM)):
            yield Problem(f"{file.shown}: is {known}")
            return
        where = f" at line {error.line}, column {error.column}" if error.line else ""
        yield Problem(f"{file.shown}: {error.what}{where}{_json_hint(error)}")
        return
    if not isinstance(value, list):
        what = f"expected a list of tuples, found {kind_of(value)}"
        yield Problem(f"{file.shown}: {what}{_object_hint(value)}")
        return
    for index, item in enumerate(value):
        yield RawItem(f"{file.shown}[{index}]", file.stem, item, file.shown, index + 1)


def _read_lines(stream: BufferedIOBase, file: DataFile, cap: int) -> Iterator[RawItem | Problem]:
    offset = 0
    number = 0
    # The limit keeps a gzip bomb without a line end from filling the memory.
    while line := stream.readline(cap - offset + 1):
        number += 1
        if offset + len(line) > cap:
            raise _TooLargeError
        if line.removeprefix(_BOM).strip():
            place = f"{file.shown}:{number}"
            try:
                value = _parse(line.rstrip(b"\r\n"), offset)
                yield RawItem(place, file.stem, value, file.shown, number)
            except _NotJsonError as error:
                known = foreign_opening(line.removeprefix(_BOM)) or _cut_object(line)
                if number == 1 and known:
                    yield Problem(f"{file.shown}: is {known}")
                    return
                where = f" at column {error.column}" if error.line else ""
                opening = number == 1 and line.removeprefix(_BOM).lstrip().startswith(b"[")
                yield Problem(f"{place}: {error.what}{where}{LIST_HINT if opening else ''}")
                if opening:
                    return
        offset += len(line)


def _cut_object(line: bytes) -> str:
    if line.removeprefix(_BOM).strip() != b"{":
        return ""
    return "an object over several lines; a .json file holds a list of tuples: [ ... ]"


def _object_hint(value: object) -> str:
    """Where an object holds the list, or is a tuple itself, say so."""
    if not isinstance(value, dict):
        return ""
    if "prompt" in value and "chosen" in value:
        return "; one tuple belongs in a list too: [ ... ]"
    lists = [quote(name) for name, held in value.items() if isinstance(held, list) and held]
    if len(lists) > 1 and isinstance(next(iter(value.values())), list):
        return f"; join the lists in its fields {', '.join(lists[:NAMED])} into one"
    return f"; save the list in its field {lists[0]} by itself" if len(lists) == 1 else ""


LIST_HINT: Final = "; a list of tuples belongs in a .json file"


class _NotJsonError(Exception):
    """Bytes are no JSON; `line` and `column` count from 1, `line` is 0 where unknown."""

    def __init__(self, what: str, line: int = 0, column: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column


def _json_hint(error: _NotJsonError) -> str:
    # A second value behind the first is what JSON Lines looks like to a JSON parser.
    return "; one tuple a line belongs in a .jsonl file" if "Extra data" in error.what else ""


class _ConstantError(Exception):
    """`NaN` or an infinity, which Python's parser would let pass."""


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse(raw: bytes, offset: int) -> object:
    """Parse bytes that begin at `offset` of their file.

    Raises:
        _NotJsonError: they are no UTF-8 or no JSON.
    """
    bom = len(_BOM) if offset == 0 and raw.startswith(_BOM) else 0
    try:
        text = raw[bom:].decode("utf-8")
    except UnicodeDecodeError as error:
        byte = offset + bom + error.start
        raise _NotJsonError(f"byte {byte:,} is no UTF-8{_encoding_hint(raw)}") from None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        raise _NotJsonError(f"invalid JSON: {what}", error.lineno, error.colno) from None
    except _ConstantError as error:
        line, column = _place_of_constant(text)
        raise _NotJsonError(f"invalid JSON: {error} is no JSON value", line, column) from None
    except RecursionError:
        raise _NotJsonError("invalid JSON: nested too deeply") from None
    except ValueError:  # Python refuses to convert integers of more than 4300 digits
        raise _NotJsonError("invalid JSON: a number with too many digits") from None


def _encoding_hint(raw: bytes) -> str:
    if raw.startswith(b"\x1f\x8b"):
        return "; the file looks gzipped, so its name should end in .gz"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "; the file looks like UTF-16, save it as UTF-8"
    return "; save the file as UTF-8"


def _place_of_constant(text: str) -> tuple[int, int]:
    """Find the first NaN or infinity outside of strings, as (line, column)."""
    for match in _CONSTANT.finditer(text):
        if match.group(1):
            before = text[: match.start()]
            return before.count("\n") + 1, match.start() - before.rfind("\n")
    return 0, 0


def show_path(path: str | Path) -> str:
    """Write a path for a message, as the user gave it."""
    return printable(str(path))
