"""A batch's result files as outcomes of its calls. Lines end at a line feed, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rmjudge.calls import Call, Reply
from rmjudge.providers.batching.base import Row
from rmjudge.providers.batching.client import BatchClient, Read

BOM: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Tally:
    """What the files held, in rows: `bad` ones are no rows, `foreign` ones of no call of ours."""

    read: int = 0
    bad: int = 0
    foreign: int = 0
    doubled: int = 0

    def told(self) -> str:
        """What was odd; empty for nothing."""
        odd = (
            (self.bad, "lines cannot be read"),
            (self.foreign, "rows are of no call of the batch"),
            (self.doubled, "rows are second ones of a call"),
        )
        return ", ".join(f"{number} {what}" for number, what in odd if number)


@dataclass(slots=True)
class Results:
    """The rows of a batch's files, each call's first; `calls` are those known here, by key."""

    client: BatchClient
    files: Sequence[Path]
    keys: frozenset[str]
    calls: Mapping[str, Call]
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[Read]:
        """Yield what each row says; count what is odd anew."""
        self.tally, self.seen = Tally(), set()
        idle: dict[str, Row] = {}
        for row in self._rows():
            key = row.custom_id[1:]
            if key not in self.keys:
                self.tally.foreign += 1
            elif key in self.seen:
                self.tally.doubled += 1
            elif row.status == 0:
                idle[key] = row
            else:
                self.seen.add(key)
                self.tally.read += 1
                if key in self.calls:
                    yield self.client.read(row, self.calls[key])
        for key, row in idle.items():
            if key not in self.seen:
                self.seen.add(key)
                if key in self.calls:
                    yield self.client.read(row, self.calls[key])

    def _rows(self) -> Iterator[Row]:
        for file in self.files:
            for line in lines_of(file):
                try:
                    yield self.client.row(line)
                except ValueError:
                    self.tally.bad += 1

    def counted(self) -> list[tuple[Call, int]]:
        """Each call that has a reply, with the input tokens that the vendor counted."""
        return [
            (self.calls[found.custom_id[1:]], tokens)
            for found in self
            if isinstance(found.outcome, Reply)
            and (tokens := found.outcome.usage.input_tokens) is not None
        ]


def lines_of(file: Path) -> Iterator[bytes]:
    """The lines of a file that are not blank, without their ends and a byte order mark."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            text = line.strip(b"\r\n \t")
            if not number:
                text = text.removeprefix(BOM)
            if text:
                yield text
