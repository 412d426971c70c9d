"""Whether a write-ahead log is broken in its middle.

SQLite reads a log up to the first frame whose checksum fails, since a crash leaves a torn frame
at its end. A frame that was damaged later ends it too, and what was committed after that frame
is dropped in silence. Here it is found (https://www.sqlite.org/fileformat2.html, section 4).
"""

from __future__ import annotations

import struct
from pathlib import Path

from rmjudge.cache.pages import FRAME_HEADER, WAL_HEADER, WAL_MAGIC


def is_broken(path: Path) -> bool:
    """Whether a transaction was committed beyond what SQLite would read of this log."""
    log = path.read_bytes() if path.exists() else b""
    if len(log) <= WAL_HEADER:
        return False
    magic, _, size, _, *salts = struct.unpack(">6I", log[:24])
    order = ">" if magic & 1 else "<"
    sums = _checksum(log[:24], (0, 0), order)
    if magic not in WAL_MAGIC or sums != struct.unpack(">2I", log[24:WAL_HEADER]):
        return True
    whole = True
    for at in range(WAL_HEADER, len(log) - FRAME_HEADER - size + 1, FRAME_HEADER + size):
        _, committed, *rest = struct.unpack(">6I", log[at : at + FRAME_HEADER])
        if rest[:2] != salts:  # a torn frame, or one of the log's former round
            whole = False
            continue
        if whole:
            page = log[at + FRAME_HEADER : at + FRAME_HEADER + size]
            sums = _checksum(page, _checksum(log[at : at + 8], sums, order), order)
            whole = sums == tuple(rest[2:])
        if not whole and committed:
            return True
    return False


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    one, two = sums
    numbers = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(numbers[::2], numbers[1::2], strict=True):
        one = one + even + two & 0xFFFFFFFF
        two = two + odd + one & 0xFFFFFFFF
    return one, two
