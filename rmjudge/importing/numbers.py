"""Scores and credits as other tools write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rmjudge.importing.files import Item
from rmjudge.planning.plan import Scores
from rmjudge.text import kind_of


def score(item: Item, name: str, value: Any) -> float | None:
    """A score; null, NaN and infinities are none, which is a cell that is not scored.

    An integer that a float cannot hold stays an integer: two of them may differ in the last digit
    alone, and a tie is no win.

    Raises:
        UsageError: it is no number.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # a head of one output, as some models' pipelines return it
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise item.wrong(f"{name} is {kind_of(value)}; expected a number")
    try:
        number = float(value)
    except OverflowError:
        return None
    if isinstance(value, int) and number != value:
        return value
    return number if math.isfinite(number) else None


def three(item: Item, name: str) -> Sequence[Any]:
    """A field with one value a style, or a file: a list of three.

    Raises:
        UsageError: it is missing, or something else.
    """
    if name not in item.fields:
        raise item.wrong(f"{name} is missing; expected a list of 3 numbers")
    value = item.fields[name]
    if not isinstance(value, list):
        raise item.wrong(f"{name} is {kind_of(value)}; expected a list of 3 numbers")
    if len(value) != 3:
        raise item.wrong(f"{name} has {len(value)} values; expected 3, one a style")
    return value


def scores(item: Item, name: str, values: Sequence[Any]) -> Scores:
    """Three scores."""
    one, two, last = (score(item, f"{name}[{k}]", value) for k, value in enumerate(values))
    return one, two, last


def credit(item: Item, name: str, value: Any) -> float | None:
    """A judge's result for a pair: 1, 0.5, 0, or a probability.

    Raises:
        UsageError: it is no number in [0, 1].
    """
    number = score(item, name, value)
    if number is not None and not 0.0 <= number <= 1.0:
        raise item.wrong(f"{name} is {number}; expected a result between 0 and 1")
    return number
