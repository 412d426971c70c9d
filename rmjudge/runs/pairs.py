"""The file of `rmjudge compare --table`: which runs belong to which preference set.

It names the runs itself, or it is the `rmjudge.toml` that they were made by: then its policies say
which of the runs given belongs where.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.errors import UsageError
from rmjudge.options import policies, written
from rmjudge.options.policies import Policy, read_policies
from rmjudge.runs.stored import StoredRun, read_runs
from rmjudge.text import did_you_mean, one_line, printable
from rmjudge.vocabulary import REWARD_KINDS, RewardKind

_FORM: Final = (
    'a table a preference set, such as [hh-rlhf] with classifier = "runs/rm", dpo = "runs/dpo" '
    'and without-reference = "runs/alone", two of them at least'
)
_IMPLICIT: Final = {"dpo": True, "without-reference": False}
"""The kinds that are policies' rewards, and whether they have a reference."""


@dataclass(frozen=True, slots=True)
class PreferenceSet:
    """A set's name, and the run of each kind of reward that was trained on it."""

    name: str
    runs: Mapping[RewardKind, StoredRun]


def read_pairs(
    path: Path, data: tuple[str, ...] = (), runs: Sequence[Path] = ()
) -> tuple[PreferenceSet, ...]:
    """Read and check the file. Folders in it are those of one scorer each.

    Raises:
        UsageError: it cannot be read, names what is no run, or a run that is of another kind.
    """
    shown = printable(str(path))
    try:
        tables = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown} is no TOML: {error}") from error
    if not tables:
        raise UsageError(f"{shown} is empty; it holds {_FORM}")
    if _holds_policies(tables):
        return _by_policies(shown, read_policies(shown, tables[policies.TABLE]), runs, data)
    if runs:
        raise UsageError(f"--table FILE names the runs; {shown} takes no RUN beside it")
    return tuple(_set(shown, name, table, data) for name, table in tables.items())


def _holds_policies(tables: Mapping[str, Any]) -> bool:
    """Whether it is a `rmjudge.toml`: a preference set of that name has no tables in it."""
    held = tables.get(policies.TABLE)
    return isinstance(held, dict) and all(isinstance(value, dict) for value in held.values())


def _by_policies(
    shown: str, named: Sequence[Policy], runs: Sequence[Path], data: tuple[str, ...]
) -> tuple[PreferenceSet, ...]:
    """Sort runs into the preference sets of policies, by the scorers' names."""
    if not runs:
        raise UsageError(f"--table {shown} names policies; name the RUN that scored them too")
    found = {run.result.metrics.scorer: run for run in read_runs(runs, data=data)}
    sets: dict[str, dict[RewardKind, StoredRun]] = {}
    for policy in named:
        own = sets.setdefault(policy.preferences, {})
        for kind, (name, _) in policy.models.items():
            where = f"{shown}: {printable(policy.name)}"
            if name not in found:
                raise UsageError(
                    f"{where}: the runs given hold no scorer {printable(name)}; they hold "
                    + ", ".join(map(one_line, found))
                )
            if kind in own:
                raise UsageError(f"{where}: {printable(policy.preferences)} has two of {kind}")
            _check_kind(where, kind, found[name])
            own[kind] = found[name]
    if short := next((name for name, own in sets.items() if len(own) < 2), None):
        raise UsageError(
            f"{shown}: {printable(short)} has nothing to compare: a policy with `classifier` or "
            "`without-reference`, or two of the same `preferences`"
        )
    return tuple(
        PreferenceSet(one_line(name), {kind: own[kind] for kind in REWARD_KINDS if kind in own})
        for name, own in sets.items()
    )


def _set(shown: str, name: str, table: Any, data: tuple[str, ...]) -> PreferenceSet:
    where = f"{shown}: {printable(name)}"
    if not isinstance(table, dict):
        raise UsageError(f"{where} is no table; the file holds {_FORM}")
    for key in table:
        if key not in REWARD_KINDS:
            raise UsageError(f"{where}.{printable(key)}: {did_you_mean(key, REWARD_KINDS)}")
    if len(table) < 2:
        raise UsageError(f"{where} has nothing to compare; the file holds {_FORM}")
    runs = {
        kind: _run(f"{where}.{kind}", kind, table[kind], data)
        for kind in REWARD_KINDS
        if kind in table
        for kind in REWARD_KINDS
        if kind in table
    }
    return PreferenceSet(one_line(name), runs)


def _run(where: str, kind: RewardKind, folder: Any, data: tuple[str, ...]) -> StoredRun:
    if not isinstance(folder, str) or not folder:
        raise UsageError(f"{where} is not the folder of a run")
    found = read_runs([written.path(folder)], data=data)
    if len(found) > 1:
        names = ", ".join(one_line(str(run.folder)) for run in found)
        raise UsageError(f"{where}: {printable(folder)} holds several scorers; name one: {names}")
    (run,) = found
    _check_kind(where, kind, run)
    return run


def _check_kind(where: str, kind: RewardKind, run: StoredRun) -> None:
    """Refuse a run in another's place; of an imported one it is not known.

    Raises:
        UsageError: its record says that it is of another kind.
    """
    identity = run.record.identity
    if identity is None:
        return
    implicit = identity.get("provider") == "dpo"
    with_reference = implicit and identity.get("reference") is not None
    if implicit != (kind in _IMPLICIT) or (implicit and with_reference != _IMPLICIT[kind]):
        what = "of a classifier or of a judge"
        if implicit:
            what = f"of a policy with{'' if with_reference else 'out'} its reference"
        raise UsageError(f"{where}: {one_line(str(run.folder))} is a run {what}")
