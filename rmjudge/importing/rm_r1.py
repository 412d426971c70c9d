"""RM-R1's result files: three, each the data set with three of a tuple's nine results.

Source: `run_generative.py` and `process_final_result.py` of RM-R1-UIUC/RM-R1 (`eval/RM-Bench`).
The cells are read as the files mean them, each once: RM-R1's own aggregation takes the third file
twice (see `rmjudge.readings`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rmjudge.errors import UsageError
from rmjudge.importing.domains import domain_of, subset_of
from rmjudge.importing.files import Item, ResultFile
from rmjudge.importing.numbers import credit, three
from rmjudge.runs.results import TupleResult
from rmjudge.text import printable
from rmjudge.vocabulary import PUBLISHED_DOMAINS


def read(files: Sequence[ResultFile], domain: str | None) -> Iterator[TupleResult]:
    """File k of three compares chosen i with rejected (i + k - 1) mod 3."""
    by_number = _numbered(files)
    first = by_number[1]
    for k, item in enumerate(first.items):
        items = [_same(item, by_number[number], k) for number in (1, 2, 3)]
        grid: list[list[float | None]] = [[None] * 3 for _ in range(3)]
        for shift, rotated in enumerate(items):
            _check_rotation(item, rotated, shift)
            for i, value in enumerate(three(rotated, "result")):
                grid[i][(i + shift) % 3] = credit(rotated, f"result[{i}]", value)
        named = domain_of(item, first, domain)
        yield TupleResult(
            item.id_in(named),
            PUBLISHED_DOMAINS[named],
            subset_of(item, named),
            matrix=tuple(map(tuple, grid)),
        )


def _numbered(files: Sequence[ResultFile]) -> Mapping[int, ResultFile]:
    found: dict[int, ResultFile] = {}
    for file in files:
        match = re.search(r"_([123])_", file.path.name)
        shown = printable(str(file.path))
        if match is None:
            raise UsageError(
                f"{shown}: the name does not tell which of RM-R1's three files it is; "
                "they are called like total_dataset_1_MODEL.json"
            )
        if int(match[1]) in found:
            raise UsageError(f"{shown}: file {match[1]} of the three is named twice")
        found[int(match[1])] = file
    missing = [f"total_dataset_{number}_..." for number in (1, 2, 3) if number not in found]
    if missing:
        raise UsageError(
            f"RM-R1 writes three files, each with three of the nine cells; {', '.join(missing)} "
            "missing. Name all three in one command"
        )
    sizes = {number: len(file.items) for number, file in found.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{number}: {size}" for number, size in sorted(sizes.items()))
        raise UsageError(f"RM-R1's three files hold different numbers of tuples ({told})")
    return found


def _same(item: Item, file: ResultFile, k: int) -> Item:
    other = file.items[k]
    if other.id != item.id or other.fields.get("domain") != item.fields.get("domain"):
        raise other.wrong(
            f"another tuple than {item.place}; the three files belong to one data set"
        )
    return other


def _check_rotation(first: Item, rotated: Item, shift: int) -> None:
    """Where the texts are there, the rejected of file k are those of file 1, turned by k - 1."""
    texts, turned = first.fields.get("rejected"), rotated.fields.get("rejected")
    if isinstance(texts, list) and isinstance(turned, list) and len(texts) == len(turned) == 3:
        expected = [texts[(i + shift) % 3] for i in range(3)]
        if turned != expected:
            raise rotated.wrong(
                f"the rejected responses are not those of {first.place} turned by {shift}; "
                "was the file given another number?"
            )
