"""Which tuple a user means: `DOMAIN/ID`, or an id alone where it is unique."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.errors import UsageError
from rmjudge.runs.statements import Key
from rmjudge.runs.stored import StoredRun


def tuples_named(name: str, runs: Sequence[StoredRun]) -> frozenset[Key]:
    """Find the tuples of that name; several only if a number and a text are written alike.

    Raises:
        UsageError: the runs have none, or tuples of several domains have this id.
    """
    keys = dict.fromkeys(key for run in runs for key in run.keys)
    found = [key for key in keys if _name(key) == name] or [
        key for key in keys if str(key[1]) == name
    ]
    names = dict.fromkeys(map(_name, found))
    if len(names) > 1:
        raise UsageError(f"{name} is the id of several tuples; name one: {', '.join(names)}")
    if not found:
        raise UsageError(f"no tuple of these runs is called {name}")
    return frozenset(found)


def _name(key: Key) -> str:
    return f"{key[0]}/{key[1]}"
