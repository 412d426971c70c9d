"""A benchmark as data: where its fields are, and how its score is made of the items.

Some ship with the package (`*.toml` beside this module); a user's own is a file of the same form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from rmjudge.benchmarks.fields import MAPPED, Fields, fields_of
from rmjudge.benchmarks.values import (
    WrongValue,
    lists_of,
    needed_text,
    number_at,
    patterns_of,
    refuse_unknown,
    table_at,
    tables_at,
    text_at,
    texts_of,
    weights_of,
)
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
LONGEST: Final = 80
"""Characters of a name or a title, which head tables."""
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
    `columns` are the fields that `--map` names; `file` is the descriptor's own, if it is a user's.
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
    columns: frozenset[str] = frozenset()
    file: str = ""

    def said_by(self, role: str) -> str:
        """Where the user names a field: `--map chosen`, `fields.chosen`; nowhere if it ships."""
        if role in self.columns:
            return f"--map {role}"
        return f"fields.{role}" if self.file else ""

    @property
    def reads_texts(self) -> bool:
        """Whether it says where the texts are; else only its result files are read."""
        return self.fields != Fields()

    def is_ties(self, subset: str) -> bool:
        """Whether a subset is scored by the formula of ties."""
        return self.kind == "ties" or (bool(subset) and subset == self.ties_subset)

    def groups_of(self, raw: str) -> tuple[str, ...]:
        """The groups of which a pattern fits a raw subset."""
        return tuple(
            name
            for name, patterns in self.groups.items()
            if any(fnmatchcase(raw, pattern) for pattern in patterns)
        )

    def subset_of(self, raw: str) -> str:
        """The subset that a raw one counts towards."""
        return next(iter(self.groups_of(raw)), raw)

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
        fields = replace(self.fields, **named)
        if bool(fields.texts) != bool(fields.grades):
            raise UsageError("--map texts=... and --map grades=... go together: give both")
        used = {"id", "prompt", "messages", "subset", *fields.of_responses}
        for role in columns:
            if role not in used:
                raise UsageError(
                    f"--map {role}=...: {self.name} has its responses in "
                    f"{' and '.join(fields.of_responses)}, and would not look there"
                )
        return replace(self, fields=fields, columns=frozenset(columns))


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
        _check_own(found, printable(name))
        # Results lie in folders by these names, and some file systems know no capitals.
        taken = {slug(name).lower() for name in (*SOURCES, *shipped())}
        if slug(found.name).lower() in taken:
            raise UsageError(
                f"{printable(name)}: name = {quote(found.name, 40)} is another benchmark's, whose "
                "results yours would be taken for; give it a name of its own"
            )
        return replace(found, file=printable(name))
    raise UsageError(
        f"--as {printable(name)}: {did_you_mean(name, shipped())}; a descriptor of your own is a "
        "file whose name ends in .toml"
    )


def _check_own(found: Descriptor, shown: str) -> None:
    """Refuse what a user's descriptor lacks, or has and nothing reads."""
    if not found.reads_texts:
        raise UsageError(
            f"{shown}: it has no table [fields], which says where the prompt and the responses are"
        )
    unread = {
        "part_of": found.part_of,
        "files.blobs": found.blobs,
        "files.marks": found.marks,
        "[[download]]": found.downloads,
    }
    for name in (name for name, given in unread.items() if given):
        raise UsageError(f"{shown}: {name} is for benchmarks that ship with rmjudge; leave it out")
    for name, text in (("name", found.name), ("title", found.title)):
        if not text.isprintable() or len(text) > LONGEST:
            raise UsageError(
                f"{shown}: {name} = {quote(text, 40)} is no heading: expected up to {LONGEST} "
                "characters that can be printed"
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
    except WrongValue as error:
        raise UsageError(f"{shown}: {error}") from error


def _descriptor(data: Mapping[str, Any], stem: str) -> Descriptor:
    refuse_unknown(data, _TOP, "")
    score = table_at(data, "score")
    files, subsets = table_at(data, "files"), table_at(data, "subsets")
    refuse_unknown(score, ("kind", "order", "failure", "ties", "average", "ties_subset"), "score.")
    refuse_unknown(files, ("patterns", "blobs", "marks", "several"), "files.")
    refuse_unknown(subsets, ("groups", "sections", "weights", "of_folder"), "subsets.")
    if not isinstance(subsets.get("of_folder", False), bool):
        raise WrongValue("subsets.of_folder is not true or false")
    chosen = {
        name: _choice(score[name], name, f"score.{name}") for name in _CHOICES if name in score
    }
    if chosen.get("average") == "sections" and not subsets.get("sections"):
        raise WrongValue('score.average = "sections" needs a table subsets.sections')
    if chosen.get("average") == "weighted" and not subsets.get("weights"):
        raise WrongValue('score.average = "weighted" needs a table subsets.weights')
    if (
        subsets.get("weights")
        and chosen.get("average") != "weighted"
        and not subsets.get("sections")
    ):
        raise WrongValue('subsets.weights are read where score.average is "weighted" or "sections"')
    if chosen.get("kind") == "ties":
        chosen = {"average": "macro", **chosen}  # a subset has a score there, an item has none
    fields = fields_of(table_at(data, "fields"))
    if (chosen.get("kind") == "matrix") != bool(fields.groups):
        raise WrongValue(
            'fields.groups and score.kind = "matrix" go together: give both, or neither'
        )
    return Descriptor(
        name=text_at(data, "name") or stem,
        title=text_at(data, "title") or text_at(data, "name") or stem,
        fields=fields,
        **cast(Any, chosen),
        groups=lists_of(table_at(subsets, "groups"), "subsets.groups"),
        sections=lists_of(table_at(subsets, "sections"), "subsets.sections"),
        weights=weights_of(table_at(subsets, "weights"), "subsets.weights"),
        ties_subset=text_at(score, "ties_subset"),
        part_of=text_at(data, "part_of"),
        subset_of_folder=bool(subsets.get("of_folder")),
        patterns=patterns_of(files.get("patterns", []), "files.patterns"),
        blobs=texts_of(files.get("blobs", []), "files.blobs"),
        marks=texts_of(files.get("marks", []), "files.marks"),
        several=text_at(files, "several"),
        licence=text_at(data, "licence"),
        citation=text_at(data, "citation"),
        source=text_at(data, "source"),
        downloads=tuple(
            Download(*(needed_text(one, name, "download") for name in ("file", "url", "blob")))
            for one in tables_at(data, "download")
        ),
        published=tuple(
            Published(
                needed_text(one, "scorer", "published"),
                number_at(one, "score", "published"),
                text_at(one, "what"),
            )
            for one in tables_at(data, "published")
        ),
    )


def _choice(value: Any, name: str, where: str) -> str:
    if value not in _CHOICES[name]:
        raise WrongValue(f"{where} = {value!r:.40} is not one of {', '.join(_CHOICES[name])}")
    return str(value)
