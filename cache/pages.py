"""Rows of a SQLite file whose tables can no longer be walked, read page by page.

SQLite gives up on a table where one page of its tree is damaged. Its rows lie in leaf pages,
which can be read one by one and without the tree, from the database and from its write-ahead
log alike (https://www.sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4). What is found is
a claim only: whoever uses it compares the row's own checksum.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from diskcache.core import MODE_RAW

Bytes: TypeAlias = "bytes | mmap.mmap"

MAGIC: Final = b"SQLite format 3\0"
WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
WAL_HEADER: Final = 32
FRAME_HEADER: Final = 24
_DEFAULT_PAGE: Final = 4096
_LEAF: Final = 0x0D
_LONGEST: Final = 2**30
_COLUMNS: Final = 12
"""Of diskcache's table: rowid, key, raw, store_time, expire_time, access_time, access_count, tag,
size, mode, filename, value."""
_INT_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row as it was found; `stored` is its Unix time of storing."""

    key: str
    text: str
    stored: float


def found_rows(database: Path, wal: Path) -> Iterator[FoundRow]:
    """Yield every row of diskcache's table that lies in a readable leaf page.

    A row may come several times, older versions among them. Missing files hold nothing.
    """
    with ExitStack() as stack:
        data, log = (_bytes_of(path, stack) for path in (database, wal))
        size = _page_size(data, log)
        reserved = data[20] if data[:16] == MAGIC else 0
        logged = _logged_pages(log, size)
        newest = {number: log[at : at + size] for number, at in logged}
        # A long value's chain is looked for as it stands now, then as it stood before the log.
        views = (_View(data, size, reserved, newest), _View(data, size, reserved, {}))
        for number in range(1, len(data) // size):  # page 1 is the schema's
            yield from _rows_of(data[number * size : (number + 1) * size], views)
        for _, at in logged:
            yield from _rows_of(log[at : at + size], views)


def _bytes_of(path: Path, stack: ExitStack) -> Bytes:
    if not path.is_file() or not path.stat().st_size:
        return b""
    file = stack.enter_context(path.open("rb"))
    return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _page_size(data: Bytes, log: Bytes) -> int:
    said = 0
    if data[:16] == MAGIC:
        said = 65536 if data[16:18] == b"\0\1" else int.from_bytes(data[16:18])
    elif len(log) >= WAL_HEADER and int.from_bytes(log[:4]) in WAL_MAGIC:
        said = int.from_bytes(log[8:12])
    return said if 512 <= said <= 65536 and said.bit_count() == 1 else _DEFAULT_PAGE


def _logged_pages(log: Bytes, size: int) -> list[tuple[int, int]]:
    """(page number, where it starts) of every frame, oldest first."""
    starts = range(WAL_HEADER, len(log) - FRAME_HEADER - size + 1, FRAME_HEADER + size)
    return [(int.from_bytes(log[at : at + 4]), at + FRAME_HEADER) for at in starts]


class _View:
    """The database's pages as they are with some of them replaced."""

    def __init__(self, data: Bytes, size: int, reserved: int, newer: Mapping[int, bytes]) -> None:
        self.usable = size - reserved
        self._data = data
        self._size = size
        self._newer = newer

    def chain(self, number: int, length: int) -> bytes:
        """The bytes of a chain of overflow pages that starts at this page.

        Raises:
            ValueError: it ends early.
        """
        parts: list[bytes] = []
        while length > 0:
            start = (number - 1) * self._size
            page = self._newer.get(number) or self._data[start : start + self._size]
            if number < 1 or len(page) < self._size:
                raise ValueError("a chain of overflow pages ends early")
            parts.append(page[4 : min(self.usable, 4 + length)])
            length -= self.usable - 4
            number = int.from_bytes(page[:4])
        return b"".join(parts)


def _rows_of(page: bytes, views: Sequence[_View]) -> Iterator[FoundRow]:
    if page[0] != _LEAF:
        return
    for index in range(min(int.from_bytes(page[3:5]), len(page) // 2)):
        at = int.from_bytes(page[8 + 2 * index : 10 + 2 * index])
        last = None
        for view in views:
            try:
                row = _row(_payload(page, at, view))
            except (ValueError, IndexError, struct.error):
                continue
            if row is not None and row != last:
                yield row
            last = row


def _payload(page: bytes, at: int, view: _View) -> bytes:
    """A cell's record, put together from the page and its overflow pages (section 1.6)."""
    length, at = _varint(page, at)
    if length > _LONGEST:
        raise ValueError("no cell of ours")
    _, at = _varint(page, at)  # rowid
    usable = view.usable
    if length <= usable - 35:
        return page[at : at + length]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    local = local if local <= usable - 35 else least
    first = int.from_bytes(page[at + local : at + local + 4])
    return page[at : at + local] + view.chain(first, length - local)


def _row(record: bytes) -> FoundRow | None:
    """Read a record of diskcache's table (section 2.1); None for any other, or another mode."""
    end, at = _varint(record, 0)
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(record, at)
        kinds.append(kind)
    if len(kinds) != _COLUMNS:
        return None
    columns: list[int | float | str | bytes | None] = []
    at = end
    for kind in kinds:
        width = _INT_BYTES[kind] if kind < 7 else 8 if kind == 7 else max(0, (kind - 12) // 2)
        columns.append(_value(kind, record[at : at + width], width))
        at += width
    key, raw, stored, mode, filename, text = (columns[index] for index in (1, 2, 3, 9, 10, 11))
    if not (isinstance(key, str) and isinstance(text, str) and isinstance(stored, (int, float))):
        return None
    if raw != 1 or mode != MODE_RAW or filename is not None:
        return None
    return FoundRow(key, text, float(stored))


def _value(kind: int, part: bytes, width: int) -> int | float | str | bytes | None:
    if len(part) != width:
        raise ValueError("a record ends early")
    if kind == 0:
        return None
    if kind < 7:
        return int.from_bytes(part, signed=True)
    if kind == 7:
        number: float = struct.unpack(">d", part)[0]
        return number
    if kind in (8, 9):
        return kind - 8
    return part.decode("ascii") if kind % 2 else bytes(part)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(9):
        byte = data[at + place]
        if place == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("unreachable")
