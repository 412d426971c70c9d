"""Kinds of values: how one is checked, read from a word of the command line, and kept."""

from __future__ import annotations

import json
import math
import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from rmjudge.errors import UsageError
from rmjudge.options import written

Form: TypeAlias = Literal["value", "switch", "list", "table"]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """What values an option takes.

    `what` completes the sentence "NAME = VALUE is not ...". `fits` checks a value that
    `rmjudge.toml` or Python gives, `made` turns it into what the run works with. `word` reads one
    word of the command line into such a value and raises ValueError, ArgumentTypeError (told with
    the option's name) or UsageError; without one the word is the value, if it fits. A switch
    stands without a word. A list gets an item, a table a (name, value), each time that its option
    is repeated. `choices` are the values there are, for `--help`.
    """

    what: str
    fits: Callable[[Any], bool]
    word: Callable[[str], Any] | None = None
    made: Callable[[Any], Any] = _same
    form: Form = "value"
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> Any:
        """One word of the command line."""
        if self.word is not None:
            return self.word(text)
        if not self.fits([text] if self.form == "list" else text):
            raise ArgumentTypeError(f"{text!r} is not {self.what}")
        return text


def is_text(value: Any) -> bool:
    """A text that is not empty."""
    return isinstance(value, str) and bool(value)


def is_whole(value: Any) -> bool:
    """A whole number; True is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_texts(value: Any) -> bool:
    """A list of texts that are not empty, with one at least."""
    return is_list(value) and all(map(is_text, value))


def is_list(value: Any) -> bool:
    """A list, tuple or set with one item at least."""
    return (
        isinstance(value, (Sequence, AbstractSet))
        and not isinstance(value, (str, bytes))
        and bool(value)
    )


def _is_count(value: Any) -> bool:
    return is_whole(value) and value > 0


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value <= sys.float_info.max


def _is_path(value: Any) -> bool:
    return is_text(value) or isinstance(value, os.PathLike)


def _is_sources(value: Any) -> bool:
    return is_list(value) and all(map(_is_path, value))


def is_table(value: Any) -> bool:
    """A table whose names are texts."""
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def count(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("must be at least 1")
    return number


def positive(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise ArgumentTypeError("must be above 0")
    return number


# argparse names the type in its message: "invalid whole number value: 'x'".
count.__name__ = "whole number"
positive.__name__ = "number"


def text(what: str) -> Kind:
    """Any text that is not empty."""
    return Kind(what, is_text)


def above_zero(what: str) -> Kind:
    """A number above 0, of dollars or seconds or the like."""
    return Kind(what, _is_positive, positive)


def path(what: str) -> Kind:
    """A file or a folder: `what` says which. It becomes a `Path`."""
    return Kind(what, _is_path, made=written.path)


def one_of(choices: tuple[str, ...]) -> Kind:
    """One of these words."""
    return Kind(
        choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}",
        lambda value: is_text(value) and value in choices,
        choices=choices,
        word=str,
    )


def pairs(what: str, fits: Callable[[Any], bool], word: Callable[[str], Any] | None = None) -> Kind:
    """A table of texts and values: NAME=VALUE on the command line, repeated.

    `fits` checks one value, `word` reads it from the command line (as a text, where none is given).
    `what` describes the table, and NAME=VALUE as the user is to write it.
    """

    def read(text: str) -> tuple[str, Any]:
        name, equals, rest = text.partition("=")
        try:
            value = word(rest) if word else rest
        except ValueError:
            equals = ""
        if not (name and equals and fits(value)):
            raise ArgumentTypeError(f"{text!r} is not {what}")
        return name, value

    return Kind(
        what,
        lambda value: is_table(value) and all(map(fits, value.values())),
        read,
        dict,
        form="table",
    )


def _parameter(flag: str, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError("it has no =")
        return name, json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{flag} {text!r} is not NAME=JSON: {error}; write temperature=0.5, or "
            "reasoning_effort='\"low\"' for a text"
        ) from None


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):  # said without the text, which may hold a secret
        raise UsageError(
            "--header is HEADER=VALUE or NAME:HEADER=VALUE; a VALUE of env:VARIABLE stands for "
            "what it holds"
        )
    return name, value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_input(value: Any) -> bool:
    return isinstance(value, str)


INPUTS: Final = pairs("NAME=TEXT, such as principle='Be concise.'", _is_input)
COLUMNS: Final = pairs("NAME=FIELD, such as prompt=instruction", is_text)
COUNT: Final = Kind("a whole number above 0", _is_count, count)
WHOLE: Final = Kind("a whole number", is_whole, int)
RATE: Final = above_zero("a number above 0")
SECONDS: Final = above_zero("seconds above 0")
SWITCH: Final = Kind("true or false", lambda value: isinstance(value, bool), form="switch")
MODEL: Final = Kind("a PROVIDER/MODEL", is_text, made=written.model)
MODELS: Final = Kind("a list of PROVIDER/MODEL", is_texts, form="list")
PLACE: Final = Kind("a folder or a model of the hub", _is_path, made=written.place)
SOURCES: Final = Kind(
    "a list of sources",
    _is_sources,
    word=str,
    made=lambda given: tuple(map(written.source, given)),
    form="list",
)
TABLE: Final = Kind("a table", is_table, form="table")
HEADERS: Final = Kind(
    "a table of texts, NAME = VALUE",
    lambda value: is_table(value) and all(map(is_text, value.values())),
    _header,
    dict,
    form="table",
)
TRANSPORT: Final = Kind(
    "an httpx.AsyncBaseTransport, which Python alone can give",
    lambda value: callable(getattr(value, "handle_async_request", None)),
)


def parameters(flag: str) -> Kind:
    """Fields of request bodies, NAME=JSON; `flag` is the option, for messages."""
    return Kind("a table", is_table, partial(_parameter, flag), dict, form="table")


def plain(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
