"""The process that compares answers: math-verify reads them, their values decide.

It runs without math-verify's own limit of time, which is a signal and turns "too slow" into
"different": the process that asks has a deadline.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from math_verify import LatexExtractionConfig, parse
from sympy import Abs, FiniteSet, I, Interval, N, Rational, Symbol, Tuple, nsimplify, oo
from sympy.core.relational import Equality, Relational

from rmjudge.workers.lines import serve

MEMORY: Final = 4 << 30
"""Of addresses: a tower of powers ends in an error of memory, not in a machine without any."""
NOISE: Final = 1e-12
"""Two values that are so near, relative to them, are one number."""
ROUNDED: Final = 0.02
"""So near to a decimal number a value may be the same one, rounded: that proves no difference."""
_PLAIN: Final = LatexExtractionConfig()
_LATEX: Final = replace(
    _PLAIN, normalization_config=replace(_PLAIN.normalization_config, units=False)
)
"""A unit is no part of a formula, and `7 m` is seven times m: letters are not left out."""
_SHIFTS: Final = (100.0, 1000.0, 1e6)
"""A decimal may be a percentage, or have a point between its thousands."""
_POINTS: Final = (
    (Rational(7, 3), Rational(11, 5), Rational(13, 7), Rational(17, 11), Rational(19, 13)),
    (Rational(-5, 7), Rational(3, 11), Rational(-9, 4), Rational(1, 17), Rational(-23, 6)),
    (Rational(29, 3), Rational(-31, 9), Rational(2, 19), Rational(-8, 5), Rational(37, 10)),
)
"""Where formulas with letters are compared: all above zero first, then of both signs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an answer comes to: numbers or formulas, in an order, or a `set` of them."""

    kind: str
    values: tuple[Any, ...]


def compare(question: Mapping[str, Any]) -> str:
    """Tell whether two answers are equal, different or unread.

    `one` and `other` are LaTeX; `places`: digits behind the point, where one is a decimal number.
    """
    try:
        one, other = (_parts(_read(question[name])) for name in ("one", "other"))
        if one is None or other is None:
            return "unread"
        return _verdict(one, other, question["places"])
    except Exception:  # noqa: BLE001 - the parsers and sympy raise whatever they meet
        return "unread"


def _read(latex: str) -> Any:
    found = parse(
        f"${latex}$",
        extraction_config=(_LATEX,),
        fallback_mode="no_fallback",
        parsing_timeout=None,
        raise_on_error=True,
    )
    return found[0] if len(found) == 1 else None


def _parts(found: Any) -> Parts | None:
    if isinstance(found, FiniteSet):
        return _set(tuple(found))
    if isinstance(found, Tuple):
        return Parts("()", tuple(found))
    if isinstance(found, Interval):
        ends = ("(" if found.left_open else "[") + (")" if found.right_open else "]")
        return Parts(ends, (found.start, found.end))
    if isinstance(found, Relational) and not isinstance(found, Equality):
        named = isinstance(found.lhs, Symbol)
        return Parts(f"{found.lhs}{type(found).__name__}", (found.rhs,)) if named else None
    return None if found is None else _set((found,))


def _set(found: tuple[Any, ...]) -> Parts:
    """A set of numbers or formulas, or solutions: x = 1 and x = 2, or x = 1 and y = 2."""
    names = {str(one.lhs) for one in found if isinstance(one, Equality)}
    if len(names) > 1:
        found = tuple(sorted(found, key=lambda one: str(one.lhs)))
    kind = "set" if len(names) < 2 else ",".join(sorted(names))
    return Parts(kind, tuple(_value(one) for one in found))


def _value(found: Any) -> Any:
    """What stands on the right of `x = 5` and of `60 + 96 = 156`."""
    if not isinstance(found, Equality):
        return found
    left, right = found.args
    if not isinstance(left, Symbol) and not _apart(left, right, _POINTS[0]) <= NOISE:
        raise ValueError("an equation")
    return right


def _verdict(one: Parts, other: Parts, places: int | None) -> str:
    if one.kind != other.kind:
        return "unread"
    if one.kind == "set":
        return _sets(one.values, other.values, places)
    if len(one.values) != len(other.values):
        return "different"
    pairs = zip(one.values, other.values, strict=True)
    found = [_pair(*pair, places) for pair in pairs]
    if "different" in found:
        return "different"
    return "equal" if set(found) == {"equal"} else "unread"


def _sets(one: Sequence[Any], other: Sequence[Any], places: int | None) -> str:
    """Equal: each value is in the other set. Different: one is surely not."""
    rows = [[_pair(left, right, places) for right in other] for left in one]
    lines = [set(line) for line in (*rows, *zip(*rows, strict=True))]
    if all("equal" in line for line in lines):
        return "equal"
    return "different" if {"different"} in lines else "unread"


def _pair(one: Any, other: Any, places: int | None) -> str:
    """By value, at several points where there are letters: those may not be of different names."""
    if {one, other} & {oo, -oo}:
        return "equal" if one == other else "different"
    if _letters(one) != _letters(other):
        return "unread"
    if not _letters(one):
        apart = _apart(one, other, ())
        if apart <= NOISE:
            return "equal"
        return "unread" if places is not None and _near(one, other, places) else "different"
    apart_at = [_apart(one, other, point) for point in _POINTS]
    if max(apart_at) <= NOISE:
        return "equal"
    return "different" if apart_at[0] > NOISE else "unread"


def _letters(found: Any) -> tuple[str, ...]:
    return tuple(sorted(str(letter) for letter in found.free_symbols if str(letter) != "i"))


def _at(found: Any, point: Sequence[Any]) -> Any:
    """A formula with numbers for its letters, and exact ones for its decimals."""
    values = dict(zip(_letters(found), point, strict=False))
    if len(values) < len(_letters(found)):
        raise ValueError("too many letters")
    taken = {letter: values.get(str(letter), I) for letter in found.free_symbols}
    return nsimplify(found.subs(taken), rational=True)


def _apart(one: Any, other: Any, point: Sequence[Any]) -> float:
    """How far two values are from each other, relative to the larger, or to 1.

    Raises:
        ValueError: one of them is no finite number.
    """
    left, right = _at(one, point), _at(other, point)
    if not (left.is_finite is not False and right.is_finite is not False):
        raise ValueError("not finite")
    if left.is_Rational and right.is_Rational and left == right:
        return 0.0
    scale = max(float(N(Abs(left), 30)), float(N(Abs(right), 30)))
    found = float(N(Abs(left - right), 30)) / scale if scale else 0.0
    if left.is_Rational and right.is_Rational:
        return max(found, 2 * NOISE)  # exact numbers that differ
    return found


def _near(one: Any, other: Any, places: int) -> bool:
    """Whether a decimal may be the other value, rounded or written in another way."""
    left, right = (float(N(Abs(_at(value, ())), 30)) for value in (one, other))
    apart = float(N(Abs(_at(one, ()) - _at(other, ())), 30))
    if apart <= max(ROUNDED * max(left, right), 0.5 * 10.0**-places * (1 + NOISE)):
        return True
    small, large = sorted((left, right))
    return any(abs(small * shift - large) <= ROUNDED * large for shift in _SHIFTS)


def main() -> None:
    """Answer until standard input ends."""
    logging.disable(logging.CRITICAL)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    serve(compare)


if __name__ == "__main__":
    main()
