"""Values of a TOML table, each checked: a descriptor is written by hand.

What is wrong raises a WrongValue that names where.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import devnull
from pathlib import Path
from typing import Any, Final

from rmjudge.text import did_you_mean, printable, quote

LARGEST: Final = 1e300
"""What is above this is a slip of the pen, and of an integer no float can be made."""


class WrongValue(Exception):
    """What is wrong in the table, for people."""


def refuse_unknown(table: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    """Refuse a name that is none of these; `where` is its table, `score.`."""
    for name in table:
        if name not in names:
            raise WrongValue(f"{where}{printable(name)}: {did_you_mean(name, names)}")


def table_at(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table, empty where there is none."""
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise WrongValue(f"{name} is no table")
    return value


def tables_at(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of tables, empty where there is none."""
    value = data.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WrongValue(f"{name} is no list of tables, each [[{name}]]")
    return value


def text_at(data: Mapping[str, Any], name: str, where: str = "") -> str:
    """A text, empty where there is none; `where` is its table, `fields.`."""
    value = data.get(name, "")
    if not isinstance(value, str):
        raise WrongValue(f"{where}{name} is no text")
    return value


def needed_text(data: Mapping[str, Any], name: str, where: str) -> str:
    """A text that each [[`where`]] has."""
    if not (value := text_at(data, name)):
        raise WrongValue(f"a [[{where}]] has no {name}")
    return value


def number_at(data: Mapping[str, Any], name: str, where: str) -> float:
    """A number that each [[`where`]] has."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < LARGEST:
        raise WrongValue(f"a [[{where}]] has no {name}, a number")
    return float(value)


def weights_of(table: Mapping[str, Any], where: str) -> dict[str, float]:
    """Numbers above 0."""
    for name, value in table.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not 0 < value < LARGEST
        ):
            raise WrongValue(f"{where}.{printable(name)} is no number above 0")
    return {name: float(value) for name, value in table.items()}


def texts_of(value: Any, where: str) -> tuple[str, ...]:
    """A list of texts; one text is a list of one."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise WrongValue(f"{where} is no list of texts")
    return tuple(given)


def patterns_of(value: Any, where: str) -> tuple[str, ...]:
    """Patterns of paths below a folder."""
    given = texts_of(value, where)
    for pattern in given:
        try:
            next(Path(devnull).glob(pattern), None)
            if ".." in Path(pattern).parts:
                raise ValueError("it leaves the folder")
        except (ValueError, NotImplementedError) as error:
            raise WrongValue(
                f"{where}: {quote(pattern, 60)} is no pattern of paths below a folder "
                f"({printable(str(error))})"
            ) from error
    return given


def lists_of(table: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    """Lists of texts, by name."""
    return {name: texts_of(value, f"{where}.{name}") for name, value in table.items()}
