"""People's labels, from CSV or JSON lines: read and checked; errors name the line.

`docs/people.md` describes the columns.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from rmjudge.errors import UsageError
from rmjudge.statistics.people import WINNERS, Label, Winner
from rmjudge.text import did_you_mean, error_line, printable, problem_list, quote, separator_of
from rmjudge.vocabulary import STYLES, TupleKey

NEEDED: Final = ("tuple", "winner")
COLUMNS: Final = ("tuple", "pair", "winner", "annotator")
_EXAMPLE: Final = "tuple,pair,winner,annotator"


@dataclass(frozen=True, slots=True)
class WrittenLabel:
    """A line of the file: the tuple by its name, as `rmjudge show` takes it."""

    line: int
    name: str
    cell: tuple[int, int] | None
    winner: Winner
    annotator: str


def read_labels(path: Path) -> list[WrittenLabel]:
    """Read and check a file, whose name ends in .csv or .jsonl.

    Raises:
        UsageError: with every line that is wrong, and why.
    """
    shown = printable(str(path))
    try:
        text = path.read_text("utf-8-sig")
        problems: list[str] = []
        rows = _json_rows(text, problems) if path.suffix == ".jsonl" else _csv_rows(text, problems)
        found = [label for line, row in rows if (label := _label(line, row, problems))]
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{shown} cannot be read ({error_line(error)}); it must be CSV in UTF-8 whose first "
            f"line is {_EXAMPLE}, or a .jsonl file with an object of these names in each line"
        ) from error
    problems += _twice(found)
    if not found and not problems:
        problems.append("there are no labels")
    if problems:
        raise UsageError(problem_list(shown, problems))
    return found


def labels_of(
    written: Sequence[WrittenLabel], keys: Sequence[TupleKey]
) -> tuple[list[Label], list[str]]:
    """Find the labelled tuples among those of the runs; return too the names that are none of them.

    An id without its domain names a tuple if no other tuple has it.

    Raises:
        UsageError: somebody has labelled one thing twice, under two names of a tuple.
    """
    by_name: dict[str, set[TupleKey]] = {}
    for domain, id in dict.fromkeys(keys):
        for name in (f"{domain}/{id}", str(id)):
            by_name.setdefault(name, set()).add((domain, id))
    found: list[Label] = []
    missing: dict[str, None] = {}
    named: list[WrittenLabel] = []
    for one in written:
        match = by_name.get(one.name, set())
        if len(match) == 1:
            ((domain, id),) = match
            found.append(Label((domain, id), one.cell, one.winner, one.annotator))
            named.append(replace(one, name=f"{domain}/{id}"))
        else:
            missing[one.name] = None
    if twice := list(_twice(named)):
        raise UsageError(problem_list("the labels", twice))
    return found, list(missing)


def _csv_rows(text: str, problems: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    comma = separator_of(text)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=comma)
    header = [name.strip().lower() for name in next(rows, [])]
    if missing := [name for name in NEEDED if name not in header]:
        problems.append(f"line 1: no column {', '.join(missing)}; it should be {_EXAMPLE}")
        return
    if len(set(header)) < len(header):
        problems.append("line 1: a column is there twice")
        return
    for row in rows:
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            what = f"{len(row)} fields, but the first line names {len(header)}"
            problems.append(f"line {rows.line_num}: {what}")
            continue
        yield rows.line_num, dict(zip(header, row, strict=True))


def _json_rows(text: str, problems: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(f"line {number}: invalid JSON: {error_line(error)}")
            continue
        if not isinstance(value, dict):
            problems.append(f"line {number}: expected an object")
            continue
        yield number, value


def _label(line: int, row: Mapping[str, Any], problems: list[str]) -> WrittenLabel | None:
    texts: dict[str, str] = {}
    for name in COLUMNS:
        value = row.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
            problems.append(f"line {line}: {name} is no text")
            return None
        texts[name] = "" if value is None else str(value).strip()
    wrong = []
    if not texts["tuple"]:
        wrong.append("tuple is empty")
    winner = texts["winner"].lower()
    if winner not in WINNERS:
        hint = did_you_mean(winner, WINNERS)
        wrong.append(f"winner {quote(texts['winner'])} is unknown; {hint}")
    cell, told = _cell(texts["pair"])
    problems += [f"line {line}: {what}" for what in (*wrong, *([told] if told else []))]
    if wrong or told:
        return None
    return WrittenLabel(line, texts["tuple"], cell, cast("Winner", winner), texts["annotator"])


def _cell(pair: str) -> tuple[tuple[int, int] | None, str]:
    if not pair:
        return None, ""
    chosen, slash, rejected = pair.partition("/")
    styles: list[str] = list(STYLES)
    if slash and chosen in styles and rejected in styles:
        return (styles.index(chosen), styles.index(rejected)), ""
    told = (
        f"pair {quote(pair)} is not STYLE/STYLE, first the chosen response's, then the rejected's; "
        f"styles are {', '.join(STYLES)}"
    )
    return None, told


def _twice(labels: Sequence[WrittenLabel]) -> Iterator[str]:
    """One person has one label of a thing."""
    seen: dict[tuple[object, ...], int] = {}
    for label in labels:
        same = (label.name, label.cell, label.annotator)
        if same in seen:
            who = quote(label.annotator) if label.annotator else "somebody without a name"
            yield f"line {label.line}: {who} has labelled this in line {seen[same]}"
        seen.setdefault(same, label.line)
