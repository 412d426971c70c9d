"""The published rows, as shipped with the package.

`published.csv` is the table of https://github.com/THU-KEG/RM-Bench-Leaderboard at commit b0d159f
(23 July 2025) as published, with the source that each row names there; `remarks.toml` holds what
is known to be wrong in it. `reported.csv` holds what others have reported since, each with the
source that it was read in.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

from rmjudge.metrics.accuracy import mean

WEIGHTED: Final = frozenset(("easy", "normal", "hard", "overall"))
"""The figures that are means over domains."""
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
    """What is known of a published row. `figures` holds what the source says instead.

    `by_tuples`: Easy, Normal, Hard and Overall weigh the domains by their tuples.
    """

    text: str
    source: str
    figures: Mapping[str, float]
    by_tuples: bool = False


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of the leaderboard; `figures` are as published."""

    model: str
    type: str
    figures: Figures
    source: str
    license: str
    remarks: tuple[Remark, ...] = ()

    @property
    def corrections(self) -> dict[str, float]:
        """What the sources say in place of published figures, by name."""
        return {name: value for one in self.remarks for name, value in one.figures.items()}

    @property
    def corrected(self) -> Figures:
        """The figures with what the sources say instead."""
        return replace(self.figures, **self.corrections)

    @property
    def by_tuples(self) -> frozenset[str]:
        """The figures, by name, that weigh the domains by their tuples."""
        if not any(remark.by_tuples for remark in self.remarks):
            return frozenset()
        return WEIGHTED - self.corrections.keys()


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """Figures that others have reported since, for a model that the leaderboard does not have.

    `by_tuples` as in `Remark`. `copied`: read in a copy of the source, not in the source itself.
    """

    model: str
    figures: Figures
    source: str
    by_tuples: bool
    copied: bool
    remark: str


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
            figures=_figures(line),
            source=line["source"],
            license=line["license"],
            remarks=tuple(
                Remark(
                    entry["text"],
                    entry["source"],
                    {name: _fraction(value) for name, value in entry.get("figures", {}).items()},
                    by_tuples=entry.get("weighting") == "tuples",
                )
                for entry in remarks
                if line["model"] in entry["models"]
            ),
        )
        for line in lines
    )


@cache
def reported() -> tuple[ReportedRow, ...]:
    """What has been reported since, the best first; those with an Overall alone at the end."""
    lines = csv.DictReader(
        (files("rmjudge.leaderboard") / "reported.csv").read_text("utf-8").splitlines()
    )
    return tuple(
        ReportedRow(
            model=line["model"],
            figures=_figures(line),
            source=line["source"],
            by_tuples=line["weighting"] == "tuples",
            copied=line["copied"] == "yes",
            remark=line["remark"],
        )
        for line in lines
    )


def _figures(line: Mapping[str, str]) -> Figures:
    return Figures(
        **{
            name: _fraction(line[name]) if line[name] else None
            for name in Figures.__dataclass_fields__
        }
    )


def _fraction(percent: str | float) -> float:
    # 84.1 / 100 is 0.8409999999999999.
    return round(float(percent) / 100, 6)
