"""`rmjudge.toml`: every option of a run may stand in it; the command line wins."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from rmjudge.errors import UsageError
from rmjudge.options import ProviderOptions
from rmjudge.providers.local.settings import DTYPES, ENGINES, REDUCTIONS, REWARD_TOKENS
from rmjudge.providers.registry import LOCAL, NAMES
from rmjudge.vocabulary import DOMAINS, JUDGING_METHODS, ORDERS

FILE_NAME: Final = "rmjudge.toml"
Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_whole(value) and value > 0


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value <= sys.float_info.max


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


_ENDPOINT: Final[Mapping[str, tuple[Check, str]]] = {
    "base_url": (_is_text, "an address"),
    "concurrency": (_is_count, "a whole number above 0"),
    "rpm": (_is_positive, "a number above 0"),
    "tpm": (_is_positive, "a number above 0"),
    "deadline": (_is_positive, "seconds above 0"),
    "params": (_is_table, "a table"),
    "template": (_is_text, "a file"),
}
_LOCAL: Final[Mapping[str, tuple[Check, str]]] = {
    "revision": (_is_text, "a branch, a tag or a commit"),
    "dtype": (lambda value: value in DTYPES, f"one of {', '.join(DTYPES)}"),
    "attention": (_is_text, "auto or the name of an implementation"),
    "device": (_is_text, "auto, cpu, mps, cuda or cuda:N"),
    "device_map": (lambda value: value == "auto", "auto"),
    "max_tokens": (_is_count, "a whole number above 0"),
    "trust_remote_code": (lambda value: isinstance(value, bool), "true or false"),
    "reward_head": (_is_text, "the name or the number of an output, as a text"),
    "reference": (_is_text, "a folder or a model of the hub"),
    "dpo_reduction": (lambda value: value in REDUCTIONS, f"one of {', '.join(REDUCTIONS)}"),
    "engine": (lambda value: value in ENGINES, f"one of {', '.join(ENGINES)}"),
    "allow_unused": (_is_text, "a regular expression"),
    "template_date": (_is_text, "a date, YYYY-MM-DD"),
    "reward_token": (lambda value: value in REWARD_TOKENS, f"one of {', '.join(REWARD_TOKENS)}"),
}
_RUN: Final[Mapping[str, tuple[Check, str]]] = {
    **_ENDPOINT,
    **_LOCAL,
    "models": (_is_texts, "a list of PROVIDER/MODEL"),
    "data": (_is_texts, "a list of sources"),
    "out": (_is_text, "a folder"),
    "cache_dir": (_is_text, "a folder"),
    "method": (
        lambda value: value in JUDGING_METHODS,
        f"one of {', '.join(JUDGING_METHODS)}",
    ),
    "outage": (_is_positive, "seconds above 0"),
    "max_cost": (_is_positive, "dollars above 0"),
    "max_calls": (_is_count, "a whole number above 0"),
    "fallback": (_is_text, "a PROVIDER/MODEL"),
    "offline": (lambda value: isinstance(value, bool), "true or false"),
    "votes": (_is_count, "a whole number above 0"),
    "order": (lambda value: value in ORDERS, f"one of {', '.join(ORDERS)}"),
    "seed": (_is_whole, "a whole number"),
    "limit": (_is_count, "a whole number above 0"),
    "domains": (
        lambda value: _is_texts(value) and set(value) <= set(DOMAINS),
        f"a list of {', '.join(DOMAINS)}",
    ),
    "provider": (_is_table, "tables such as [provider.openai]"),
    "prices": (_is_table, 'tables such as [prices."openai/my-model"]'),
}

_LOCAL_MODEL: Final = {**_LOCAL, "template": _ENDPOINT["template"]}


def read_config(path: Path | None) -> dict[str, Any]:
    """Read and check the file; `rmjudge.toml` in this folder when none is named.

    Returns the values under their option names, with `providers` as `ProviderOptions`.

    Raises:
        UsageError: it cannot be read, or a name or value in it is wrong.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.is_file():
            return {}
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of 5000 digits
        raise UsageError(f"{path} is no TOML: {error}") from error
    _check(path, "", data, _RUN)
    tables = data.pop("provider", {})
    for name, table in tables.items():
        if name not in NAMES:
            close = get_close_matches(name, NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(NAMES)}"
            raise UsageError(f"{path}: provider.{name}: no provider is called {name!r}; {hint}")
        if not isinstance(table, dict):
            raise UsageError(f"{path}: provider.{name} is a table")
        _check(path, f"provider.{name}.", table, _LOCAL_MODEL if name in LOCAL else _ENDPOINT)
        if "template" in table:
            table["template"] = Path(table["template"])
    if tables:
        data["providers"] = {name: ProviderOptions(**table) for name, table in tables.items()}
    return data


def check_option(name: str, value: Any) -> None:
    """Check an option that a caller in Python gives.

    Raises:
        UsageError: the value is wrong.
    """
    fine, what = _RUN[name]
    if not fine(value):
        raise UsageError(f"{name} = {value!r} is not {what}")


def _check(
    path: Path, prefix: str, table: Mapping[str, Any], known: Mapping[str, tuple[Check, str]]
) -> None:
    for name, value in table.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            if "key" in name.lower() or "token" in name.lower():
                hint = "API keys go into environment variables, never into files"
            raise UsageError(f"{path}: {prefix}{name} is no option; {hint}")
        fine, what = known[name]
        if not fine(value):
            raise UsageError(f"{path}: {prefix}{name} = {value!r} is not {what}")
