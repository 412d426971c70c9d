"""From what the user names as data to item sets; RM-Bench's own sources are left to `dataset`.

A file is RM-Bench's where its first item is a tuple, or where no benchmark knows it: then the
errors of `dataset` say what is wrong. Else it is of the benchmark that knows its content (git blob
id), its path, or its fields; `--as` names the benchmark of a file that none of these tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeAlias

from rmjudge.benchmarks.descriptors import Descriptor, descriptor_named, shipped
from rmjudge.benchmarks.fetching import fetch
from rmjudge.benchmarks.items import Item, ItemSet
from rmjudge.benchmarks.reading import LISTED, Wrong, lacks, read_item, says
from rmjudge.benchmarks.remarks import notes_on_subsets, notes_on_texts, untwinned
from rmjudge.dataset.download import git_blob_id
from rmjudge.dataset.folders import TOTAL, find_files
from rmjudge.dataset.parsing import DataFile, Problem, RawItem, read_file, show_path
from rmjudge.errors import DataError, UsageError
from rmjudge.text import printable, quote
from rmjudge.vocabulary import PUBLISHED_DOMAINS, SOURCES

Notice: TypeAlias = Callable[[str], None]
PARQUET: Final = ".parquet"


@dataclass(slots=True)
class _Found:
    """Files of one benchmark."""

    descriptor: Descriptor
    files: list[tuple[Path, str]] = field(default_factory=list)


def load_sets(
    sources: Sequence[str | Path],
    *,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    notice: Notice | None = None,
) -> tuple[list[str | Path], list[ItemSet]]:
    """Part the sources: RM-Bench's own, which are left, and the item sets of all others.

    Args:
        sources: as the user names them.
        name: the benchmark (`--as`) of files that are not known otherwise.
        columns: where the fields of such files are (`--map`).
        notice: called with a line for each thing that is worth knowing.

    Raises:
        UsageError: the benchmark is unknown, or its files cannot be had.
        DataError: with every problem of every file.
    """
    tell = notice or (lambda _line: None)
    given = descriptor_named(name) if name else shipped()["pairs"] if columns else None
    if given is not None and columns:
        given = given.mapped(columns)
    only = sum(source not in SOURCES for source in sources) == 1
    left: list[str | Path] = []
    found: dict[str, _Found] = {}
    for source in sources:
        assigned = _assign(source, given, only, tell)
        if not assigned:
            left.append(source)
        for descriptor, path, shown in assigned:
            entry = found.setdefault(descriptor.name, _Found(descriptor))
            if (path, shown) not in entry.files:
                entry.files.append((path, shown))
    # What is not there, or holds no file, `dataset` tells.
    if given is not None and given.name not in found and all(map(_has_files, left)):
        option = "--as" if name else "--map"
        raise UsageError(f"{option} is for files, and every source is known without it")
    problems: list[str] = []
    sets = [_read(entry, problems) for entry in found.values()]
    if problems:
        raise DataError(problems)
    return left, sets


def _has_files(source: str | Path) -> bool:
    path = Path(source)
    return source in SOURCES or path.is_file() or (path.is_dir() and any(path.iterdir()))


def of_rm_bench(sources: Sequence[str]) -> list[str]:
    """Those of the sources that are RM-Bench's, or unknown; nothing is downloaded."""
    return [
        source
        for source in sources
        if source not in shipped() and not _assign(source, None, False, lambda _line: None)
    ]


Assigned: TypeAlias = list[tuple[Descriptor, Path, str]]


def _assign(source: str | Path, given: Descriptor | None, only: bool, tell: Notice) -> Assigned:
    """The files of a source and their benchmarks; none where it is RM-Bench's, or unknown."""
    if source in SOURCES or source == "":
        return []
    if isinstance(source, str) and source in shipped():
        descriptor = shipped()[source]
        return [
            (descriptor, path, f"{source}/{path.name}") for path in fetch(descriptor, notice=tell)
        ]
    path, shown = Path(source), show_path(source)
    if path.is_dir():
        return _of_folder(path, given, only)
    if not path.is_file():
        return []
    known = _of_file(path, shown, given, forced=only)
    if known is None and path.suffix.lower() == PARQUET:
        raise DataError([_unknown_table(path, shown)])
    return [(known, path, shown)] if known else []


def _of_folder(path: Path, given: Descriptor | None, only: bool) -> Assigned:
    known = [given] if given and given.patterns else list(shipped().values())
    found: Assigned = []
    for descriptor in known:
        matched = {file for pattern in descriptor.patterns for file in path.glob(pattern)}
        files = sorted(file for file in matched if file.is_file())
        found += [(descriptor, file, show_path(file)) for file in files]
    if found:  # a benchmark's own folder; RMB's has two
        return found
    quiet: Notice = lambda _line: None  # noqa: E731 - `dataset` says it again
    files_there = [file for file in find_files(path, quiet) if isinstance(file, DataFile)]
    files_there += [DataFile(entry, show_path(entry)) for entry in sorted(path.glob(f"*{PARQUET}"))]
    for file in files_there:
        of_file = _of_file(file.path, file.shown, given, forced=only and given is not None)
        if of_file is given and given is not None and given.file and given.patterns:
            raise UsageError(_unmatched(path, given))
        if of_file is not None:
            found.append((of_file, file.path, file.shown))
    if found and len(found) < len(files_there):
        raise UsageError(
            f"{show_path(path)}: some of its files are RM-Bench's or unknown, and others are of "
            f"{found[0][0].name}; name the files one by one"
        )
    return found


def _unmatched(path: Path, given: Descriptor) -> str:
    names = sorted(entry.name + "/" * entry.is_dir() for entry in path.iterdir())
    more = [f"{len(names) - LISTED} more"] if len(names) > LISTED else []
    return (
        f"{show_path(path)}: no file in it matches files.patterns of {given.file} "
        f"({', '.join(map(quote, given.patterns))}); there are "
        f"{', '.join([*map(printable, names[:LISTED]), *more])}. Change the patterns, or name the "
        "files one by one"
    )


def _of_file(
    path: Path, shown: str, given: Descriptor | None, *, forced: bool
) -> Descriptor | None:
    if given is not None and forced:
        return given
    stem = DataFile(path, shown).stem
    if stem in PUBLISHED_DOMAINS or stem == TOTAL:
        return None
    first = next(iter(_rows(path, shown)), None)
    fields = first.value if isinstance(first, RawItem) else None
    if not isinstance(fields, dict) or _is_tuple(fields):
        return None
    return _known(path, fields) or given or _by_fields(fields)


def _unknown_table(path: Path, shown: str) -> str:
    """What a Parquet file is that no benchmark knows: RM-Bench's tuples are in none."""
    match next(iter(_rows(path, shown)), None):
        case Problem(text):
            return text
        case RawItem(value=dict() as fields):
            names = [printable(name) for name in fields]
            more = [f"{len(names) - LISTED} more"] if len(names) > LISTED else []
            return (
                f"{shown}: no set is known by its columns ({', '.join([*names[:LISTED], *more])}); "
                "--map prompt=COLUMN says where pairs are, --as FILE.toml describes another layout"
            )
        case _:
            return f"{shown}: holds no rows"


def _known(path: Path, fields: Mapping[str, Any]) -> Descriptor | None:
    """The benchmark that knows the file by its content, or by its path and its fields."""
    blob = (
        git_blob_id(path) if any(one.blobs or one.downloads for one in shipped().values()) else ""
    )
    for descriptor in shipped().values():
        if blob in (*descriptor.blobs, *(one.blob for one in descriptor.downloads)):
            return descriptor
        named = any(fnmatchcase(path.as_posix(), f"*{one}") for one in descriptor.patterns)
        if named and _has_fields(descriptor, fields):
            return descriptor
    return None


def _by_fields(fields: Mapping[str, Any]) -> Descriptor | None:
    found = next((one for one in shipped().values() if _has_fields(one, fields)), None)
    if (
        found is not None
        and found.fields.chosen is not None
        and found.kind == "pairs"
        and any(
            isinstance(fields.get(side), list)
            and not any(isinstance(x, dict) for x in fields[side])
            for side in ("chosen", "rejected")
        )
    ):
        return None  # lists of texts are a tuple's, and what is wrong with it `dataset` says
    return found


def _is_tuple(fields: Mapping[str, Any]) -> bool:
    """Whether it is one of RM-Bench's: three chosen and three rejected, a text each."""
    return (
        all(
            isinstance(texts := fields.get(name), list)
            and len(texts) == 3
            and all(isinstance(text, str) for text in texts)
            for name in ("chosen", "rejected")
        )
        and "num_correct" not in fields
    )


def _has_fields(descriptor: Descriptor, fields: Mapping[str, Any]) -> bool:
    needed = (*descriptor.fields.needed, *descriptor.marks)
    return bool(needed) and descriptor.reads_texts and all(name in fields for name in needed)


def _rows(path: Path, shown: str) -> Iterator[RawItem | Problem]:
    if path.suffix.lower() != PARQUET:
        return read_file(DataFile(path, shown))
    return _parquet(path, shown)


def _parquet(path: Path, shown: str) -> Iterator[RawItem | Problem]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            f"{shown}: reading Parquet needs pyarrow: pip install 'rmjudge[parquet]'"
        ) from None
    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        yield Problem(f"{shown}: is no sound Parquet file ({type(error).__name__})")
        return
    for number, row in enumerate(rows):
        yield RawItem(f"{shown}[{number}]", path.stem, row, shown, number + 1)


def _read(found: _Found, problems: list[str]) -> ItemSet:
    descriptor = found.descriptor
    if not descriptor.reads_texts:
        problems.append(
            f"{found.files[0][1]}: the texts of {descriptor.title} are not read, only its result "
            "files: see `rmjudge import`"
        )
        return ItemSet(descriptor, ())
    several = len(found.files) > 1
    items, equal, lacking = _items_of(found, problems)
    if not items and not problems:
        problems.append(f"{found.files[0][1]}: holds no item in which one response is better")
    problems += [f"{found.files[0][1]}: in every item {told}" for told in lacking if items]
    problems += untwinned(descriptor, items, found.files[0][1])
    notes = [*notes_on_texts(items), *notes_on_subsets(descriptor, items)]
    if equal:
        notes.append(f"items left out, in which no response is better than another: {equal}")
    if several and descriptor.several:
        notes.append(descriptor.several)
    return ItemSet(descriptor, tuple(items), tuple(notes))


def _items_of(found: _Found, problems: list[str]) -> tuple[list[Item], int, list[str]]:
    """The sound items, how many say that no response is better, what the user names in vain."""
    items: list[Item] = []
    places: dict[str, str] = {}
    descriptor, several, equal = found.descriptor, len(found.files) > 1, 0
    by_id = descriptor.fields.id
    named = {"id": by_id, "subset": descriptor.fields.subset}
    lacking = {role: "" for role, path in named.items() if path and descriptor.said_by(role)}
    for row, number, path in _raw_items(found, problems):
        for role in list(lacking):
            where = str(named[role])
            if says(row.value, where):
                del lacking[role]
            elif not lacking[role]:
                lacking[role] = lacks(row.value, descriptor, role, where)
        stem = DataFile(path, row.shown).stem
        try:
            item = read_item(
                row.value, descriptor, number, path.parent.name, stem if several else ""
            )
        except Wrong as error:
            problems.append(f"{row.place}: {error}")
            continue
        if item is None:
            equal += 1
            continue
        if item.name in places and not (by_id and says(row.value, by_id)):
            # Two files without ids both begin to count at 0.
            item = replace(item, id=f"{stem}:{item.id}")
        if item.name in places:
            problems.append(f"{row.place}: the id of {places[item.name]} again; ids are unique")
            continue
        places[item.name] = row.place
        items.append(item)
    return items, equal, list(lacking.values())


def _raw_items(found: _Found, problems: list[str]) -> Iterator[tuple[RawItem, int, Path]]:
    """The raw items of all files, each with its place in its file, from 0."""
    for path, shown in found.files:
        number = 0
        for row in _rows(path, shown):
            if isinstance(row, Problem):
                problems.append(row.text)
            else:
                yield row, number, path
                number += 1
