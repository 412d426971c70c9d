"""Kinds of values that several commands take."""

from __future__ import annotations

import argparse
import math
from typing import Final

FORMATS: Final = ("table", "json", "csv", "markdown", "latex")
SHEET_FORMATS: Final = ("table", "json", "csv", "markdown")
READINGS: Final = ("strict", "half_credit")


def count(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def positive(text: str) -> float:
    """A finite number above 0."""
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


def scale(text: str) -> tuple[float, float]:
    """`LOW:HIGH`, two finite numbers, the lower first."""
    low, colon, high = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("must be LOW:HIGH, such as 1:5")
    ends = float(low), float(high)
    if not (all(map(math.isfinite, ends)) and ends[0] < ends[1]):
        raise argparse.ArgumentTypeError("must be two numbers, the lower first")
    return ends


# argparse names the type in its message: "invalid whole number value: 'x'".
count.__name__ = "whole number"
positive.__name__ = "number"
