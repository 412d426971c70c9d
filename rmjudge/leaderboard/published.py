"""The published rows, as shipped with the package.

`published.csv` is the table of https://github.com/THU-KEG/RM-Bench-Leaderboard at commit b0d159f
(23 July 2025) as published, with the source that each row names there; `remarks.toml` holds what
is known to be wrong in it.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from rmjudge.metrics.accuracy import mean

LEADERBOARD: Final = "https://github.com/THU-KEG/RM-Bench-Leaderboard"


@dataclass(frozen=True, slots=True)
class Figures:
    """A row's numbers as fractions; None where none is published."""

    chat: float | None = None
    math: float | None = None
    code: float | None = None
    safety: float | None = None
    easy: float | None = None
    normal: float | None = None
    hard: float | None = None
    overall: float | None = None

    @property
    def domain_average(self) -> float | None:
        """The mean of the four domains, None unless all are known."""
        return mean((self.chat, self.math, self.code, self.safety))

    @property
    def difficulty_average(self) -> float | None:
        """The mean of the three difficulties, None unless all are known."""
        return mean((self.easy, self.normal, self.hard))

    @property
    def recomputed(self) -> float | None:
        """Overall as the benchmark defines it: the mean of the four domains.

        Where no domains are published, the mean of the difficulties, which equals it by
        construction; where neither is, the published figure.
        """
        for value in (self.domain_average, self.difficulty_average):
            if value is not None:
                return value
        return self.overall


@dataclass(frozen=True, slots=True)
class Remark:
    """What is known of a published row. `figures` holds what the source says instead."""

    text: str
    source: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of the leaderboard."""

    model: str
    type: str
    figures: Figures
    source: str
    license: str
    remarks: tuple[Remark, ...] = ()


@cache
def published() -> tuple[PublishedRow, ...]:
    """The rows in the order of the leaderboard."""
    folder = files("rmjudge.leaderboard")
    remarks = tomllib.loads((folder / "remarks.toml").read_text("utf-8"))["remark"]
    lines = csv.DictReader((folder / "published.csv").read_text("utf-8").splitlines())
    return tuple(
        PublishedRow(
            model=line["model"],
            type=line["type"],
            figures=Figures(
                **{
                    name: _fraction(line[name]) if line[name] else None
                    for name in Figures.__dataclass_fields__
                }
            ),
            source=line["source"],
            license=line["license"],
            remarks=tuple(
                Remark(
                    entry["text"],
                    entry["source"],
                    {name: _fraction(value) for name, value in entry.get("figures", {}).items()},
                )
                for entry in remarks
                if line["model"] in entry["models"]
            ),
        )
        for line in lines
    )


def _fraction(percent: str | float) -> float:
    # 84.1 / 100 is 0.8409999999999999.
    return round(float(percent) / 100, 6)
