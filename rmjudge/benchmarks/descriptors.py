"""A benchmark as data: where its fields are, and how its score is made of the items.

Some ship with the package (`*.toml` beside this module); a user's own is a file of the same form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, Final, Literal, cast

from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean, printable, quote, slug
from rmjudge.vocabulary import SOURCES

Kind = Literal["pairs", "matrix", "best", "choose", "ties"]
Protocol = Literal["seeded", "both-mean", "both-net", "both-agree"]
Failure = Literal["absent", "no-vote", "half", "chance", "wrong"]
Average = Literal["micro", "macro", "weighted", "sections"]
Reading = Literal["strict", "half_credit"]

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": ("pairs", "matrix", "best", "choose", "ties"),
    "order": ("seeded", "both-mean", "both-net", "both-agree"),
    "failure": ("absent", "no-vote", "half", "chance", "wrong"),
    "average": ("micro", "macro", "weighted", "sections"),
    "ties": ("strict", "half_credit"),
}
_FIELDS: Final = (
    *("id", "prompt", "messages", "chosen", "rejected", "subset"),
    *("responses", "label", "first", "second", "equal"),
    *("texts", "grades", "groups"),
)
MAPPED: Final = (
    "prompt",
    "messages",
    "chosen",
    "rejected",
    "id",
    "subset",
    "label",
    "texts",
    "grades",
)
"""What `--map` may find under another name."""
_TOP: Final = (
    *("name", "title", "part_of", "licence", "citation", "source"),
    *("files", "fields", "subsets", "score", "download", "published"),
)


@dataclass(frozen=True, slots=True)
class Download:
    """A published file, the folder on the web that it is in, its git blob id."""

    file: str
    url: str
    blob: str


@dataclass(frozen=True, slots=True)
class Published:
    """A score that the authors, or the files that they publish, give for a scorer (percent)."""

    scorer: str
    score: float
    what: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Where things stand in a raw item; `a.b` looks inside. None: it has no such field.

    Responses are either `chosen` and `rejected` (each a text, a list, or a conversation whose last
    message is the response), or the two fields in `responses`, of which `label` names the better
    one by a value in `first` or in `second`; one in `equal` has no better one and is left out; or
    the list at `texts`, of which `grades` holds a number for each: the higher, the better.
    `groups` are the names of a matrix's rows and columns: those of the responses in `chosen`, and
    in the same order of those in `rejected`.
    """

    id: str | None = None
    prompt: str | None = None
    messages: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    subset: str | None = None
    responses: tuple[str, str] | None = None
    label: str | None = None
    first: tuple[Any, ...] = ()
    second: tuple[Any, ...] = ()
    equal: tuple[Any, ...] = ()
    texts: str | None = None
    grades: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """The top-level fields without which a raw item is none of these."""
        one_way = None if self.prompt and self.messages else self.prompt or self.messages
        named = [one_way, self.chosen, self.rejected, self.label, self.texts, self.grades]
        named += self.responses or ()
        return tuple(name.partition(".")[0] for name in named if name)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A benchmark.

    `kind`: pairs (better ones and worse ones), matrix (the same, by groups of both), best (the
    right ones against the wrong ones), choose (the same, and a judge is shown all at once), or ties
    (RewardBench 2's formula of ties).
    `order` is how judges are shown a pair; `failure` what a delivered reply without a verdict
    counts; `ties` which reading is the headline, and `average` how it is averaged: micro, macro
    over subsets, the mean of subsets by their `weights`, or macro over `sections`, each the mean of
    its subsets (by their weights, where there are some). `groups` gathers raw subsets by pattern.
    `ties_subset` is scored by RewardBench 2's formula of ties.

    Files are known by their git blob ids (`blobs`), the pattern of their path, or their fields;
    `marks` are fields that tell them from others. `several` is said where several files are read.
    Benchmarks that name the same `part_of` are one together: its score is the mean of theirs.
    """

    name: str
    title: str
    fields: Fields
    kind: Kind = "pairs"
    order: Protocol = "seeded"
    failure: Failure = "absent"
    ties: Reading = "strict"
    average: Average = "micro"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    ties_subset: str = ""
    part_of: str = ""
    subset_of_folder: bool = False
    patterns: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    several: str = ""
    licence: str = ""
    citation: str = ""
    source: str = ""
    downloads: tuple[Download, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def reads_texts(self) -> bool:
        """Whether it says where the texts are; else only its result files are read."""
        return self.fields != Fields()

    def is_ties(self, subset: str) -> bool:
        """Whether a subset is scored by the formula of ties."""
        return self.kind == "ties" or (bool(subset) and subset == self.ties_subset)

    def subset_of(self, raw: str) -> str:
        """The subset that a raw one counts towards."""
        for name, patterns in self.groups.items():
            if any(fnmatchcase(raw, pattern) for pattern in patterns):
                return name
        return raw

    def mapped(self, columns: Mapping[str, str]) -> Descriptor:
        """The same with other fields: `--map prompt=instruction`.

        Raises:
            UsageError: it has no such role.
        """
        for role in columns:
            if role not in MAPPED:
                raise UsageError(f"--map {role}=...: {did_you_mean(role, MAPPED)}")
        named: dict[str, Any] = dict(columns)
        if "prompt" in named:
            named.setdefault("messages", None)
        if "messages" in named:
            named.setdefault("prompt", None)
        return replace(self, fields=replace(self.fields, **named))


@cache
def shipped() -> Mapping[str, Descriptor]:
    """The benchmarks that ship, by name, those with more telling fields first."""
    found = [read_descriptor(path) for path in sorted(Path(__file__).parent.glob("*.toml"))]
    found.sort(key=lambda one: (one.name == "pairs", -len(one.fields.needed), one.name))
    return {one.name: one for one in found}


def descriptor_named(name: str) -> Descriptor:
    """The one that `--as` names: one that ships, or a file.

    Raises:
        UsageError: there is none, or the file is wrong.
    """
    if name in shipped():
        return shipped()[name]
    if name.endswith(".toml"):
        found = read_descriptor(Path(name))
        # Results lie in folders by these names, and some file systems know no capitals.
        taken = {slug(name).lower() for name in (*SOURCES, *shipped())}
        if slug(found.name).lower() in taken:
            raise UsageError(
                f"{printable(name)}: name = {quote(found.name, 40)} is another benchmark's, whose "
                "results yours would be taken for; give it a name of its own"
            )
        return found
    raise UsageError(
        f"--as {printable(name)}: {did_you_mean(name, shipped())} "
        "A descriptor of your own is a file whose name ends in .toml"
    )


def read_descriptor(path: Path) -> Descriptor:
    """Read and check a descriptor.

    Raises:
        UsageError: the file cannot be read, or something in it is wrong.
    """
    shown = printable(str(path))
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{shown}: no TOML: {printable(str(error))}") from error
    try:
        return _descriptor(data, path.stem)
    except _Wrong as error:
        raise UsageError(f"{shown}: {error}") from error


class _Wrong(Exception):
    """What is wrong in a descriptor."""


def _descriptor(data: Mapping[str, Any], stem: str) -> Descriptor:
    _known(data, _TOP, "")
    score = _table(data, "score")
    files, subsets = _table(data, "files"), _table(data, "subsets")
    _known(score, ("kind", "order", "failure", "ties", "average", "ties_subset"), "score.")
    _known(files, ("patterns", "blobs", "marks", "several"), "files.")
    _known(subsets, ("groups", "sections", "weights", "of_folder"), "subsets.")
    if not isinstance(subsets.get("of_folder", False), bool):
        raise _Wrong("subsets.of_folder is not true or false")
    chosen = {
        name: _choice(score[name], name, f"score.{name}") for name in _CHOICES if name in score
    }
    if chosen.get("average") == "sections" and not subsets.get("sections"):
        raise _Wrong('score.average = "sections" needs a table subsets.sections')
    if chosen.get("average") == "weighted" and not subsets.get("weights"):
        raise _Wrong('score.average = "weighted" needs a table subsets.weights')
    if chosen.get("kind") == "ties":
        chosen = {"average": "macro", **chosen}  # a subset has a score there, an item has none
    fields = _fields(_table(data, "fields"))
    if (chosen.get("kind") == "matrix") != bool(fields.groups):
        raise _Wrong('fields.groups and score.kind = "matrix" go together: give both, or neither')
    return Descriptor(
        name=_text(data, "name") or stem,
        title=_text(data, "title") or _text(data, "name") or stem,
        fields=fields,
        **cast(Any, chosen),
        groups=_lists(_table(subsets, "groups"), "subsets.groups"),
        sections=_lists(_table(subsets, "sections"), "subsets.sections"),
        weights=_weights(_table(subsets, "weights")),
        ties_subset=_text(score, "ties_subset"),
        part_of=_text(data, "part_of"),
        subset_of_folder=bool(subsets.get("of_folder")),
        patterns=_texts(files.get("patterns", []), "files.patterns"),
        blobs=_texts(files.get("blobs", []), "files.blobs"),
        marks=_texts(files.get("marks", []), "files.marks"),
        several=_text(files, "several"),
        licence=_text(data, "licence"),
        citation=_text(data, "citation"),
        source=_text(data, "source"),
        downloads=tuple(
            Download(*(_needed(one, name, "download") for name in ("file", "url", "blob")))
            for one in _tables(data, "download")
        ),
        published=tuple(
            Published(_needed(one, "scorer", "published"), _number(one), _text(one, "what"))
            for one in _tables(data, "published")
        ),
    )


def _fields(table: Mapping[str, Any]) -> Fields:
    _known(table, _FIELDS, "fields.")
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name in ("first", "second", "equal"):
            values[name] = tuple(value) if isinstance(value, list) else (value,)
        elif name in ("responses", "groups"):
            values[name] = _texts(value, f"fields.{name}")
            if len(set(values[name])) < 2 or (name == "responses" and len(values[name]) > 2):
                what = "two fields" if name == "responses" else "two groups or more"
                raise _Wrong(f"fields.{name} names {what}")
        else:
            values[name] = _text(table, name)
    found = Fields(**values)
    if not table:  # a benchmark whose result files are read, and whose texts are not
        return found
    sides = bool(found.chosen and found.rejected)
    labelled = bool(found.responses and found.label and found.first and found.second)
    if sides + labelled + bool(found.texts and found.grades) != 1:
        raise _Wrong(
            "fields names either chosen and rejected, or responses, label, first and second, or "
            "texts and grades"
        )
    if found.groups and not sides:
        raise _Wrong("fields.groups are those of the responses in chosen and in rejected")
    return found


def _known(table: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in names:
            raise _Wrong(f"{where}{printable(name)}: {did_you_mean(name, names)}")


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise _Wrong(f"{name} is no table")
    return value


def _tables(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = data.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _Wrong(f"{name} is no list of tables, each [[{name}]]")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise _Wrong(f"{name} is no text")
    return value


def _needed(data: Mapping[str, Any], name: str, where: str) -> str:
    if not (value := _text(data, name)):
        raise _Wrong(f"a [[{where}]] has no {name}")
    return value


def _number(data: Mapping[str, Any]) -> float:
    value = data.get("score")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong("a [[published]] has no score, a number")
    return float(value)


def _weights(table: Mapping[str, Any]) -> dict[str, float]:
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < inf:
            raise _Wrong(f"subsets.weights.{printable(name)} is no number above 0")
    return {name: float(value) for name, value in table.items()}


def _choice(value: Any, name: str, where: str) -> str:
    if value not in _CHOICES[name]:
        raise _Wrong(f"{where} = {value!r:.40} is not one of {', '.join(_CHOICES[name])}")
    return str(value)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise _Wrong(f"{where} is no list of texts")
    return tuple(given)


def _lists(table: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    return {name: _texts(value, f"{where}.{name}") for name, value in table.items()}
