"""A result file: read, recognised by its shape, and taken to pieces with their places.

A place is `total_dataset_rm.json[17]`, as for data files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from rmjudge.dataset.parsing import MAX_BYTES
from rmjudge.errors import UsageError
from rmjudge.text import kind_of, printable, quote
from rmjudge.vocabulary import PUBLISHED_DOMAINS, bare_id

Format = Literal["rm-bench", "rm-r1", "reward-bench", "reward-bench-2", "rewardbench-all"]

SHAPES: Final = """a list of objects with score_chosen and score_rejected (RM-Bench), with result \
(RM-R1), an object of columns with scores_chosen and scores_rejected or results (reward-bench), \
with scores (reward-bench 2), or lines of {"chosen": number, "rejected": number} \
(rewardbench --save_all)"""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a file: an object, and where it stands."""

    place: str
    fields: Mapping[str, Any]

    def wrong(self, what: str) -> UsageError:
        """An error about this entry."""
        known = self.fields.get("id")
        who = f" tuple {_show_id(known)}" if known is not None else ""
        return UsageError(f"{self.place}{who}: {what}")

    @property
    def id(self) -> int | str:
        """The tuple's id."""
        value = self.fields.get("id")
        if value is None:
            raise self.wrong("id is missing; a tuple is known by its id and its domain")
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            raise self.wrong(f"id is {kind_of(value)}; expected an integer or a string")
        if isinstance(value, str) and not value.isprintable():
            raise self.wrong("id has characters that cannot be printed")
        return value

    def id_in(self, named: str) -> int | str:
        """The tuple's id as the domain's own file has it: 8 for `chat/8` of the total file."""
        return bare_id(self.id, named)


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A file of one of the formats. `model` is what it says, or its name says, was scored."""

    path: Path
    format: Format
    items: tuple[Item, ...]
    model: str
    digest: str

    @property
    def domain(self) -> str | None:
        """The published domain that the file's name begins with: `chat_filtered_...json`."""
        names = sorted(PUBLISHED_DOMAINS, key=len, reverse=True)
        return next((d for d in names if re.match(rf"{d}([_.]|$)", self.path.name)), None)


def read_result_file(path: Path) -> ResultFile:
    """Read a file and tell its format.

    Raises:
        UsageError: it cannot be read, or it is of none of the formats.
    """
    shown = printable(str(path))
    try:
        if not path.is_file():
            raise UsageError(f"{shown}: {'is no file' if path.exists() else 'no such file'}")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{shown}: holds more than {MAX_BYTES:,} bytes")
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    digest = sha256(raw).hexdigest()
    name = path.name
    if name.endswith(".jsonl"):
        items = tuple(_lines(raw, shown))
        model = name.removesuffix(".jsonl").removesuffix("_all")
    else:
        value = _parse(raw, shown)
        if isinstance(value, dict):
            items = tuple(rows_of(value, shown))
            model = str(value.get("model") or path.stem)
        elif isinstance(value, list):
            items = tuple(_object(f"{shown}[{k}]", item) for k, item in enumerate(value))
            model = _model_of(path.stem)
        else:
            raise UsageError(f"{shown}: is {kind_of(value)}; expected {SHAPES}")
    if not items:
        raise UsageError(f"{shown}: holds no results")
    return ResultFile(path, _format_of(items[0], shown), items, model, digest)


def _format_of(first: Item, shown: str) -> Format:
    keys = first.fields.keys()
    if {"score_chosen", "score_rejected"} & keys:
        return "rm-bench"
    if "result" in keys:
        return "rm-r1"
    if {"scores_chosen", "scores_rejected"} & keys:
        return "reward-bench"
    if "scores" in keys:
        return "reward-bench-2"
    if "results" in keys:
        return "reward-bench"
    if {"chosen", "rejected"} <= keys and _is_score(first.fields["chosen"]):
        return "rewardbench-all"
    if {"chosen", "rejected"} <= keys:
        raise UsageError(
            f"{shown}: these are tuples without results; this is the data, not a result file"
        )
    found = ", ".join(quote(key) for key in list(keys)[:8])
    raise UsageError(f"{shown}: unknown format; the fields are {found}; expected {SHAPES}")


def _is_score(value: object) -> bool:
    """Whether it is a score: rewardbench saves a head of one output as a list of one."""
    if isinstance(value, list):
        return len(value) == 1 and not isinstance(value[0], str)
    return not isinstance(value, str)


def _parse(raw: bytes, shown: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown}: byte {error.start:,} is no UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{shown}: invalid JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown}: invalid JSON: {printable(str(error))}") from None


def _lines(raw: bytes, shown: str) -> Iterator[Item]:
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            yield _object(f"{shown}:{number}", _parse(line, f"{shown}:{number}"))


def _object(place: str, value: Any) -> Item:
    if not isinstance(value, dict):
        raise UsageError(f"{place}: is {kind_of(value)}; expected an object")
    return Item(place, value)


def rows_of(columns: Mapping[str, Any], shown: str) -> Iterator[Item]:
    """Turn columns (what reward-bench saves) into rows; a text counts for all of them."""
    lists = {name: column for name, column in columns.items() if isinstance(column, list)}
    if not lists and "model" in columns:
        raise UsageError(
            f"{shown}: holds accuracies and no pair's score; reward-bench saves the scores apart, "
            "in eval-set-scores/ or, with --save_all, in a file that ends in _all.jsonl"
        )
    if not lists:
        raise UsageError(f"{shown}: an object without columns; expected {SHAPES}")
    sizes = {name: len(column) for name, column in lists.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{quote(name)} {size}" for name, size in list(sizes.items())[:8])
        raise UsageError(f"{shown}: the columns differ in length: {told}")
    for k, row in enumerate(zip(*lists.values(), strict=True)):
        yield Item(f"{shown}[{k}]", dict(zip(lists, row, strict=True)))


def _model_of(stem: str) -> str:
    """Find the model in `chat_filtered_MODEL_REWORD_MODEL_20250101_120000` and its like.

    RM-Bench's scripts write the data's name, the model, the word REWORD_MODEL (or the reference
    model) and the time; RM-R1's the data's name with the number of its file, and the model.
    """
    name = re.sub(r"_\d{8}_\d{6}$", "", stem)
    name = re.sub(r"_REWORD_MODEL$", "", name)
    domains = "|".join(PUBLISHED_DOMAINS)
    return re.sub(rf"^(total_dataset(_[123])?|({domains})(_filtered)?)_", "", name) or stem


def _show_id(value: object) -> str:
    return quote(value) if isinstance(value, str) else quote(str(value), 20).strip("'")
