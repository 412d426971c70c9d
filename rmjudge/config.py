"""Options from a file (`rmjudge.toml`), the command line or Python: checked, and made into one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS, ProviderOptions, RunOptions, kinds, policies
from rmjudge.options.declaration import Option
from rmjudge.providers.spec import LOCAL, NAMES
from rmjudge.text import did_you_mean

FILE_NAME: Final = "rmjudge.toml"
MODELS: Final = Option(kinds.MODELS, name="models")
PROVIDER: Final = Option(
    replace(kinds.TABLE, what="tables such as [provider.openai]"), name="provider"
)
POLICY: Final = Option(
    replace(kinds.TABLE, what="tables such as [policy.hh-rlhf]"), name=policies.TABLE
)
_RUN: Final[Mapping[str, Option]] = {
    item.key: item for item in (*OPTIONS.values(), MODELS, PROVIDER, POLICY)
}
_HOSTED_MODEL: Final = {k: v for k, v in OPTIONS.items() if v.concerns in ("hosted", "both")}
_LOCAL_MODEL: Final = {k: v for k, v in OPTIONS.items() if v.concerns in ("local", "both")}
_SECTIONS: Final = {item.section for item in OPTIONS.values() if item.section}


def read_config(path: Path | None) -> dict[str, Any]:
    """Read and check the file; `rmjudge.toml` in this folder when none is named.

    Returns the values as they are written, under their option names, with `providers` as
    `ProviderOptions`, and the models of `[policy.NAME]` among `models`.

    Raises:
        UsageError: it cannot be read, or a name or value in it is wrong.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.is_file():
            return {}
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of 5000 digits
        raise UsageError(f"{path} is no TOML: {error}") from error
    values = _values(path, "", _flat(path, data), _RUN)
    if (named := values.pop(policies.TABLE, None)) is not None:
        found = policies.read_policies(str(path), named)
        values["models"] = [*values.get("models", ()), *(x for one in found for x in one.specs)]
    tables = values.pop("provider", {})
    for name, table in tables.items():
        if name not in NAMES:
            raise UsageError(
                f"{path}: provider.{name}: no provider is called {name!r}; "
                f"{did_you_mean(name, NAMES)}"
            )
        if not isinstance(table, dict):
            raise UsageError(f"{path}: provider.{name} is a table")
    if tables:
        values["providers"] = {
            name: ProviderOptions(
                **_made(_values(path, f"provider.{name}.", table, _of_provider(name)))
            )
            for name, table in tables.items()
        }
    return values


def run_options(values: Mapping[str, Any]) -> RunOptions:
    """Make the options of checked values; what the user wrote as a path is expanded here, once."""
    return RunOptions(**_made(values))


def models_of(names: Sequence[str]) -> list[str]:
    """Models as the user names them; the folder of a local one is a path, and is expanded."""
    return [kinds.MODEL.made(name) for name in names]


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Values over others: `above` wins, name by name in options that are tables."""
    tables = {
        name: {**below.get(name, {}), **value}
        for name, value in above.items()
        if name in OPTIONS and OPTIONS[name].kind.form == "table"
    }
    return {**below, **above, **tables}


def check_option(name: str, value: Any) -> None:
    """Check an option that a caller in Python gives.

    Raises:
        UsageError: the value is wrong.
    """
    kind = OPTIONS[name].kind
    if not kind.fits(value):
        raise UsageError(f"{name} = {value!r} is not {kind.what}")


def _made(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: OPTIONS[name].kind.made(value) if name in OPTIONS else value
        for name, value in values.items()
    }


def _of_provider(name: str) -> Mapping[str, Option]:
    if name in LOCAL:
        return _LOCAL_MODEL
    return {key: item for key, item in _HOSTED_MODEL.items() if item.only in (None, name)}


def _flat(path: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out the sections, whose options are named `section.name`."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if name not in _SECTIONS:
            found[name] = value
        elif isinstance(value, dict):
            found |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            raise UsageError(f"{path}: {name} is a table")
    return found


def _values(
    path: Path, prefix: str, table: Mapping[str, Any], known: Mapping[str, Option]
) -> dict[str, Any]:
    """Check a table, and name its values by their options."""
    for key, value in table.items():
        if key not in known:
            hint = did_you_mean(key, known, "known are")
            if "key" in key.lower() or "token" in key.lower():
                hint = "API keys go into environment variables, never into files"
            raise UsageError(f"{path}: {prefix}{key} is no option; {hint}")
        kind = known[key].kind
        if not kind.fits(value):
            raise UsageError(f"{path}: {prefix}{key} = {value!r} is not {kind.what}")
    return {known[key].name: value for key, value in table.items()}
