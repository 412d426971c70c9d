"""Kinds of values: how one is checked, read from a word of the command line, and kept."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from rmjudge.calls import UNSCORED_STATUSES
from rmjudge.errors import UsageError
from rmjudge.options import written
from rmjudge.text import did_you_mean
from rmjudge.vocabulary import DOMAINS, PARTS, may_be_domain

Form: TypeAlias = Literal["value", "switch", "list", "table"]
AUDIT: Final = 15
"""Percent of the tuples that an audit asks in both orders."""


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
    return _is_list(value) and all(map(is_text, value))


def _is_list(value: Any) -> bool:
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
    return _is_list(value) and all(map(_is_path, value))


def _is_table(value: Any) -> bool:
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


_DOMAINS: Final = ", ".join(DOMAINS)
SOME_DOMAINS: Final = Kind(
    f"a list of {_DOMAINS} or of the data's own domains",
    lambda value: is_texts(value) and all(map(may_be_domain, value)),
    made=tuple,
    form="list",
)
"""Names of domains; whether the data has them is known once it is read."""


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
        lambda value: _is_table(value) and all(map(fits, value.values())),
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


def _is_scale(value: Any) -> bool:
    ends = isinstance(value, (list, tuple)) and len(value) == 2
    if not ends or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in value):
        return False
    low, high = value
    return bool(-sys.float_info.max <= low < high <= sys.float_info.max)


def _scale(text: str) -> tuple[float, float]:
    """`LOW:HIGH`, two finite numbers, the lower first."""
    low, colon, high = text.partition(":")
    ends = (float(low), float(high)) if colon else (0.0, 0.0)
    if not _is_scale(ends):
        raise ArgumentTypeError("must be LOW:HIGH, two numbers, the lower first, such as 1:5")
    return ends


def _is_statuses(value: Any) -> bool:
    return value is True or (is_texts(value) and set(value) <= UNSCORED_STATUSES)


def _statuses(text: str) -> list[str]:
    """Statuses, apart by commas."""
    found = text.split(",")
    if not _is_statuses(found):
        raise ArgumentTypeError(
            f"{text!r} is not some of {', '.join(sorted(UNSCORED_STATUSES))}, apart by commas; a "
            "model's name goes before the option"
        )
    return found


RETRIED: Final = ("empty", "truncated", "unparsed")
"""Statuses that another try may change."""
STATUSES: Final = Kind(
    f"true or a list of {', '.join(sorted(UNSCORED_STATUSES))}",
    _is_statuses,
    _statuses,
    lambda value: RETRIED if value is True else tuple(value),
)


def _nine_or_three(text: str) -> int:
    if text not in ("9", "3"):
        raise ArgumentTypeError("must be 9 or 3")
    return int(text)


def _is_order(value: Any) -> bool:
    return is_text(value) and (value in ("seeded", "both", "adaptive") or audit_share(value) > 0)


def audit_share(order: str) -> float:
    """The share of the tuples in `audit`, `audit=15%`; 0 where it is no audit of up to all."""
    found = re.fullmatch(r"audit(?:=(\d+(?:\.\d+)?) ?%?)?", order)
    percent = float(found[1] or AUDIT) if found else 0.0
    return percent / 100 if percent <= 100 else 0.0


def _order_word(text: str) -> str:
    if not _is_order(text):
        meant = did_you_mean(text, ("seeded", "both", "audit"), otherwise="")
        told = f"; {meant}" if meant else ""
        raise ArgumentTypeError(f"{text!r} is not seeded, both, audit or audit={AUDIT}%{told}")
    return text


def _order(value: str) -> str:
    share = audit_share(value)
    return f"audit={100 * share:g}%" if share else value


def _is_until(value: Any) -> bool:
    return is_text(value) and until_of(value)[2] > 0


def until_of(target: str) -> tuple[str, str, float]:
    """`hard±3` in one spelling, its part and its half width as a fraction; 0 where it is none."""
    words = r"(easy|normal|hard|average)?\s*(?:±|\+/?-)?\s*(\d+(?:\.\d+)?)"
    found = re.fullmatch(words, target.strip(), re.IGNORECASE)
    part, points = (found[1] or "average", float(found[2])) if found else ("average", 0.0)
    part = part.lower()
    name = "" if part == "average" else part
    return f"{name}±{points:g}", part, points / 100 if points < 50 else 0.0


def _is_allowance(value: Any) -> bool:
    return allowed_of(value, 100) is not None


def allowed_of(allowance: Any, cells: int) -> int | None:
    """How many of so many cells `2%` or `5` are, a part of a cell not counted; None for no such."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(%)?", str(allowance).strip())
    if found is None or isinstance(allowance, bool):
        return None
    number = float(found[1])
    if found[2]:
        return int(cells * number / 100 + 1e-9) if number <= 100 else None
    return int(number) if number.is_integer() else None


def _allowance_word(text: str) -> str:
    if not _is_allowance(text):
        raise ArgumentTypeError(f"{text!r} is no share such as 2% and no number of cells")
    return text


def _is_least(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 <= value <= 100


def _least_word(text: str) -> tuple[str, float]:
    """`hard=40`, in percent."""
    part, equals, number = text.partition("=")
    part = part.strip().lower()
    if equals and part not in PARTS:
        meant = did_you_mean(part, PARTS)
        raise ArgumentTypeError(f"{part!r} is none of {', '.join(PARTS)}; {meant}")
    try:
        least = float(number.strip().removesuffix("%"))
    except ValueError:
        least = -1.0
    if not _is_least(least):
        raise ArgumentTypeError(f"{text!r} is not PART=PERCENT, such as hard=40")
    return part, least


def _is_input(value: Any) -> bool:
    return isinstance(value, str)


SCALE: Final = Kind("two numbers, the lowest and the highest rating", _is_scale, _scale, made=tuple)
INPUTS: Final = pairs("NAME=TEXT, such as principle='Be concise.'", _is_input)
COLUMNS: Final = pairs("NAME=FIELD, such as prompt=instruction", is_text)
COUNT: Final = Kind("a whole number above 0", _is_count, count)
WHOLE: Final = Kind("a whole number", is_whole, int)
CELL_COUNT: Final = Kind(
    "9 or 3", lambda value: is_whole(value) and value in (9, 3), _nine_or_three
)
ORDER: Final = Kind(f"seeded, both, audit or audit={AUDIT}%", _is_order, _order_word, made=_order)
UNTIL: Final = Kind(
    "±POINTS or hard±POINTS, such as ±2", _is_until, made=lambda value: until_of(value)[0]
)
ALLOWANCE: Final = Kind("a share such as 2% or a number of cells", _is_allowance, _allowance_word)
LEAST: Final = Kind(
    f"a table of {', '.join(PARTS)} and percentages, such as hard = 40",
    lambda value: (
        _is_table(value) and set(value) <= set(PARTS) and all(map(_is_least, value.values()))
    ),
    _least_word,
    dict,
    form="table",
)
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
TABLE: Final = Kind("a table", _is_table, form="table")
HEADERS: Final = Kind(
    "a table of texts, NAME = VALUE",
    lambda value: _is_table(value) and all(map(is_text, value.values())),
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
    return Kind("a table", _is_table, partial(_parameter, flag), dict, form="table")


def plain(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
