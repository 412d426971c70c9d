"""Kinds of values that a run's own options take: orders, targets, allowances, statuses."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError
from typing import Any, Final

from rmjudge.calls import UNSCORED_STATUSES
from rmjudge.options.kinds import Kind, is_table, is_text, is_texts, is_whole
from rmjudge.text import did_you_mean
from rmjudge.vocabulary import DOMAINS, PARTS, may_be_domain

AUDIT: Final = 15
"""Percent of the tuples that an audit asks in both orders."""


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


_DOMAINS: Final = ", ".join(DOMAINS)
SOME_DOMAINS: Final = Kind(
    f"a list of {_DOMAINS} or of the data's own domains",
    lambda value: is_texts(value) and all(map(may_be_domain, value)),
    made=tuple,
    form="list",
)
"""Names of domains; whether the data has them is known once it is read."""
SCALE: Final = Kind("two numbers, the lowest and the highest rating", _is_scale, _scale, made=tuple)
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
        is_table(value) and set(value) <= set(PARTS) and all(map(_is_least, value.values()))
    ),
    _least_word,
    dict,
    form="table",
)
