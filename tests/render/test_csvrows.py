"""Tidy rows: what a spreadsheet would obey is inert, what is unknown is empty."""

from __future__ import annotations

import csv
import math

from rmjudge.render.csvrows import rows_csv


def test_names_cannot_steer_a_terminal_or_a_spreadsheet() -> None:
    text = rows_csv(("scorer", "value"), [("=cmd()\x1b[2J", 0.5)])
    assert list(csv.reader(text.splitlines()))[1] == ["'=cmd()[2J", "0.5"]


def test_csv_leaves_unknown_numbers_empty() -> None:
    text = rows_csv(("a",) * 5, [(None, math.nan, True, 3, 1 / 3)])
    assert text.splitlines()[1] == ",,true,3,0.333333333"


def test_csv_has_no_noise_of_adding_up_and_no_negative_nothing() -> None:
    text = rows_csv(("a",) * 4, [(-0.0, 1.11022302e-16, -1e-12, -2 / 3)])
    assert text.splitlines()[1] == "0,0,0,-0.666666667"
