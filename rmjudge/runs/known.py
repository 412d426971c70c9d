"""What to say to somebody who names a tuple that no run has."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.runs.files import RESULTS
from rmjudge.runs.results import ScorerResult, TupleResult
from rmjudge.text import one_line

NAMED: Final = 3
"""Tuples that a message names."""
LIKE: Final = 0.5
"""How alike ids must be to be named, as difflib counts: `78` is like `7`, and `none` is not."""


def check_known(name: str, results: Sequence[ScorerResult]) -> None:
    """Make sure that a run has a tuple of that name or that id.

    Raises:
        UsageError: none has; it says where the id is, or which are like it.
    """
    items = list({item.name: item for result in results for item in result.tuples}.values())
    if any(name in (item.name, str(item.id)) for item in items):
        return
    told = f"no tuple of these runs is called {one_line(name)}; {_instead(name, items)}"
    folder = next((result.folder for result in results if result.folder), None)
    if folder:
        told += f". Each line of {one_line(str(folder / RESULTS))} begins with an id and its domain"
    raise UsageError(told)


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
