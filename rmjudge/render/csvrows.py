"""Tidy rows as CSV, for scripts and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from rmjudge.render.figures import known
from rmjudge.text import clean, csv_cell

DECIMALS: Final = 9
"""What is smaller is the noise of adding up."""


def rows_csv(header: Sequence[str], rows: Iterable[Sequence[str | float | bool | None]]) -> str:
    """Write tidy rows; numbers with nine decimals, an empty field where there is none."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(map(_csv_field, row))
    return stream.getvalue()


def _csv_field(value: str | float | bool | None) -> str:
    match value:
        case str():
            return csv_cell(clean(value))
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            number = known(value)
            return "" if number is None else f"{round(number, DECIMALS) + 0.0:.9g}"


def precise(number: float | None) -> str:
    """Write a figure that is never rounded to nothing, such as a p-value, for `rows_csv`."""
    value = known(number)
    return "" if value is None else f"{value:.{DECIMALS}g}"
