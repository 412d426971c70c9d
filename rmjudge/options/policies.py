"""`[policy.NAME]` of `rmjudge.toml`: DPO policies, each with its reference and preference set.

A table stands for up to three models of a run: the policy with its reference, the same without it,
and the classifier of the same preference set. `rmjudge compare --table` puts them side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean
from rmjudge.vocabulary import RewardKind

TABLE: Final = "policy"
_TEXTS: Final = ("model", "reference", "preferences", "classifier")
_SWITCH: Final = "without-reference"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy. `preferences` is what its preference set is called, `models` are named specs."""

    name: str
    preferences: str
    models: Mapping[RewardKind, tuple[str, str]]

    @property
    def specs(self) -> list[str]:
        """`NAME=PROVIDER/MODEL` of each of its models."""
        return [f"{name}={spec}" for name, spec in self.models.values()]


def read_policies(where: str, tables: Any) -> tuple[Policy, ...]:
    """Check the tables of policies.

    Raises:
        UsageError: one is no table, lacks its model, or says what has no meaning.
    """
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(f'{where}: {TABLE} has tables, such as [policy.hh] with model = "./dpo"')
    return tuple(_policy(f"{where}: {TABLE}.{name}", name, table) for name, table in tables.items())


def _policy(where: str, name: str, table: Mapping[str, Any]) -> Policy:
    for key, value in table.items():
        if key not in (*_TEXTS, _SWITCH):
            raise UsageError(f"{where}.{key}: {did_you_mean(key, (*_TEXTS, _SWITCH))}")
        if key == _SWITCH and not isinstance(value, bool):
            raise UsageError(f"{where}.{key} = {value!r} is not true or false")
        if key != _SWITCH and (not isinstance(value, str) or not value):
            raise UsageError(f"{where}.{key} = {value!r} is not a text")
    if "model" not in table:
        raise UsageError(f"{where} names no model, a folder or an id on the hub")
    policy, reference = f"dpo/{table['model']}", table.get("reference")
    alone = bool(table.get(_SWITCH))
    if alone and reference is None:
        raise UsageError(f"{where}: without-reference is for a policy that has a reference")
    models: dict[RewardKind, tuple[str, str]] = {}
    if classifier := table.get("classifier"):
        models["classifier"] = (f"{name}-classifier", f"hf/{classifier}")
    if reference is not None:
        written = reference.replace("%", "%25").replace("&", "%26")
        models["dpo"] = (name, f"{policy}?reference={written}")
    if reference is None or alone:
        models["without-reference"] = (f"{name}-alone" if alone else name, policy)
    return Policy(name, table.get("preferences", name), models)
