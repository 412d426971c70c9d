"""What people call a run, and which tuple they mean by a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.errors import NotInRunsError, UsageError
from rmjudge.runs.files import RESULTS
from rmjudge.runs.results import ScorerResult, TupleResult
from rmjudge.text import label, one_line
from rmjudge.vocabulary import CELLS, TupleKey

if TYPE_CHECKING:
    from rmjudge.metrics.report import Metrics
    from rmjudge.runs.items import ItemResult
    from rmjudge.runs.stored import StoredRun

NAMED: Final = 3
"""Tuples that a message names."""
LIKE: Final = 0.5
"""How alike ids must be to be named, as difflib counts: `78` is like `7`, and `none` is not."""


def labels(results: Sequence[ScorerResult | ItemResult]) -> list[str]:
    """Clean names in the order of the results, no two alike.

    A name that recurs gets what tells the runs' folders apart, or a number where nothing does.
    """
    bases = [label(result.metrics.scorer) for result in results]
    apart: dict[int, str] = {}
    for base in {name for name in bases if bases.count(name) > 1}:
        places = [place for place, name in enumerate(bases) if name == base]
        folders = [results[place].folder for place in places]
        apart.update(zip(places, _apart(folders), strict=True))
    taken: set[str] = set()
    names: list[str] = []
    for place, base in enumerate(bases):
        own = f"{base} ({label(apart[place])})" if apart.get(place) else base
        name, number = own, 2
        while name in taken:
            name, number = f"{own} ({number})", number + 1
        taken.add(name)
        names.append(name)
    return names


def _apart(folders: Sequence[Path | None]) -> list[str]:
    """What is left of each folder without the parts at which all begin and end alike."""
    paths = [folder.absolute().parts for folder in folders if folder is not None]
    if len(paths) < len(folders) or len(set(paths)) < len(paths):
        return [""] * len(folders)
    shortest = min(map(len, paths))
    start = _alike(paths, range(shortest))
    end = _alike([parts[start:] for parts in paths], range(-1, start - shortest - 1, -1))
    if any(len(parts) == start + end for parts in paths):  # one folder lies inside another
        start, end = max(start - 1, 0), 0
    return ["/".join(parts[start : len(parts) - end]) for parts in paths]


def _alike(paths: Sequence[Sequence[str]], places: Iterable[int]) -> int:
    """Count the places, from the first on, at which all paths have the same part."""
    same = takewhile(lambda place: len({parts[place] for parts in paths}) == 1, places)
    return sum(1 for _ in same)


def about(result: ScorerResult) -> str:
    """How a run was made and where it lies: `pairwise, both orders, runs/o`."""
    metrics = result.metrics
    parts = [str(metrics.method)]
    parts += asked_words(metrics)
    if result.folder is not None:
        parts.append(one_line(str(result.folder)))
    return ", ".join(parts)


def asked_words(metrics: Metrics) -> list[str]:
    """How pairs were shown, and how many of them: `both orders`, `3 of 9 cells`."""
    words: list[str] = []
    if metrics.order == "audit":
        words.append(f"seeded order, both on {100 * (metrics.design.audit or 0):g} % of the tuples")
    elif metrics.order:
        words.append("both orders" if metrics.order == "both" else f"{metrics.order} order")
    if metrics.design.cells != len(CELLS):
        words.append(f"{metrics.design.cells} of {len(CELLS)} cells")
    return words


def tuples_named(name: str, runs: Sequence[StoredRun]) -> frozenset[TupleKey]:
    """Find the tuples called `DOMAIN/ID`, or by an id alone where it is unique.

    There are several only if a number and a text are written alike.

    Raises:
        UsageError: tuples of several domains have this id.
        NotInRunsError: the runs have none of the name; the message says where the id is, or which
            are like it.
    """
    items = list({item.key: item for run in runs for item in run.result.tuples}.values())
    found = [item for item in items if item.name == name] or [
        item for item in items if str(item.id) == name
    ]
    names = dict.fromkeys(item.name for item in found)
    if len(names) > 1:
        raise UsageError(f"{name} is the id of several tuples; name one: {', '.join(names)}")
    if not found:
        raise NotInRunsError(_unknown(name, items, runs))
    return frozenset(item.key for item in found)


def _unknown(name: str, items: Sequence[TupleResult], runs: Sequence[StoredRun]) -> str:
    once = list({item.name: item for item in items}.values())
    told = f"no tuple of these runs is called {one_line(name)}; {_instead(name, once)}"
    if runs:
        lines = one_line(str(runs[0].folder / RESULTS))
        told += f". Each line of {lines} begins with an id and its domain"
    return told


def _instead(name: str, items: Sequence[TupleResult]) -> str:
    domain, slash, id = name.rpartition("/")
    same = [item for item in items if slash and str(item.id) == id]
    if same:
        return f"there is {_names(same)}"
    within = [item for item in items if item.domain == domain]
    pool = within or items
    near = get_close_matches(id, {str(item.id): None for item in pool}, n=NAMED, cutoff=LIKE)
    if near:
        like = [item for word in near for item in pool if str(item.id) == word]
        return f"the closest {'is' if len(like) == 1 else 'are'} {_names(like)}"
    if not items:
        return "these have none"
    where = f" of {domain}" if within else ""
    return f"there are {len(pool):,}{where}, such as {_names(pool)}"


def _names(items: Sequence[TupleResult]) -> str:
    return ", ".join(one_line(item.name) for item in items[:NAMED])
