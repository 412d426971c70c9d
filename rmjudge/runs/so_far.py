"""What is known of a run that goes on: its complete tuples, added to a file in its folder.

The file is for whoever looks from outside, and goes when the run ends: results are written then.
A scorer's first line says what it is asked; each later one is a tuple, as in `results.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rmjudge.metrics.codec import design_from_json, design_to_json
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import NINE_CELLS, Design
from rmjudge.metrics.tallies import Asked, Credits
from rmjudge.runs.files import line_of, record_of, tuple_of
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens, TupleResult
from rmjudge.text import one_line
from rmjudge.vocabulary import METHODS, ORDERS, Domain, Method, Order, in_order, may_be_domain

SO_FAR: Final = "so-far.jsonl"
FORMAT: Final = 1
_NOTHING: Final[Credits] = ((None,) * 3,) * 3


@dataclass(slots=True)
class SoFar:
    """A scorer of a run that goes on. `asked` has the domain and the cells of every tuple of it.

    `complete` are the tuples whose calls are all answered, by their places.
    """

    scorer: str
    method: Method
    order: Order | None
    asked: tuple[tuple[Domain, Asked], ...]
    design: Design = NINE_CELLS
    complete: dict[int, TupleResult] = field(default_factory=dict)

    @property
    def begun(self) -> tuple[Domain, ...]:
        """The domains with a complete tuple."""
        return in_order({item.domain for item in self.complete.values()})

    def result(self) -> ScorerResult:
        """The numbers so far: every cell of a tuple that is not complete has no score yet.

        Domains without a complete tuple are left out.
        """
        begun = self.begun
        credits: dict[Domain, list[Credits]] = {}
        masks: dict[Domain, list[Asked]] = {}
        for place, (domain, cells) in enumerate(self.asked):
            if domain in begun:
                found = self.complete.get(place)
                credits.setdefault(domain, []).append(found.credits if found else _NOTHING)
                masks.setdefault(domain, []).append(cells)
        metrics = compute_metrics(
            self.scorer, self.method, self.order, credits, asked=masks, design=self.design
        )
        tuples = tuple(self.complete[place] for place in sorted(self.complete))
        return ScorerResult(metrics, tuples, CallCounts(), Tokens(), None, True, {}, {}, ())


def begin_so_far(folder: Path) -> None:
    """Begin the file, without what a run that was killed has left.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SO_FAR).write_text(line_of({"format": FORMAT}), "ascii")


def append_so_far(folder: Path, lines: Iterable[str]) -> None:
    """Add lines.

    Raises:
        OSError: it cannot be written.
    """
    with (folder / SO_FAR).open("a", encoding="ascii", newline="\n") as file:
        file.writelines(lines)


def clear_so_far(folder: Path) -> None:
    """Remove the file."""
    with suppress(OSError):
        (folder / SO_FAR).unlink()


def asked_line(number: int, about: SoFar) -> str:
    """The first line of a scorer, by its number in the run."""
    return line_of(
        {
            "of": number,
            "name": about.scorer,
            "method": about.method,
            "order": about.order,
            "design": design_to_json(about.design),
            "tuples": [[domain, _bits(cells)] for domain, cells in about.asked],
        }
    )


def tuple_line(number: int, place: int, item: TupleResult) -> str:
    """The line of a complete tuple, by its place in the data."""
    return line_of({"of": number, "place": place, **record_of(item)})


def find_so_far(folder: Path) -> list[SoFar]:
    """Read what is known of the runs that go on in a folder, or in its subfolders."""
    return [one for path in so_far_files(folder) for one in _read(path)]


def so_far_files(folder: Path) -> list[Path]:
    """The files of the runs that go on in a folder, or in its subfolders."""
    files = [folder / SO_FAR, *sorted(folder.glob(f"*/{SO_FAR}"))]
    return [path for path in files if path.is_file()]


def _read(path: Path) -> list[SoFar]:
    found: dict[int, SoFar] = {}
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # It is being written: what stands before a line that is not whole is right.
        for line in path.read_text("utf-8").splitlines():
            record = json.loads(line)
            if "tuples" in record:
                found[int(record["of"])] = _scorer(record)
            elif "place" in record:
                about = found[int(record["of"])]
                place, item = int(record["place"]), tuple_of(record)
                if about.asked[place][0] == item.domain:
                    about.complete[place] = item
    return list(found.values())


def _scorer(record: Mapping[str, Any]) -> SoFar:
    if record["method"] not in METHODS or record["order"] not in (*ORDERS, None):
        raise ValueError("it was asked in a way that is not known")
    return SoFar(
        scorer=one_line(str(record["name"])),
        method=record["method"],
        order=record["order"],
        asked=tuple((_domain(domain), _cells(bits)) for domain, bits in record["tuples"]),
        design=design_from_json(record["design"]),
    )


def _domain(name: Any) -> Domain:
    if not isinstance(name, str) or not may_be_domain(name):
        raise ValueError(f"{name!r} is no name of a domain")
    return name


def _bits(cells: Asked) -> str:
    return "".join("1" if asked else "0" for row in cells for asked in row)


def _cells(bits: str) -> Asked:
    if len(bits) != 9:
        raise ValueError(f"{bits!r} is not nine cells")
    return tuple(tuple(bit == "1" for bit in bits[row : row + 3]) for row in (0, 3, 6))
