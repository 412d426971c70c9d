"""Scorers compared on other sets than RM-Bench, set by set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.render.commands.benchmarks import NONE, percent
from rmjudge.render.csvrows import precise, rows_csv
from rmjudge.render.sheets import Sheet
from rmjudge.runs.items import ItemResult
from rmjudge.statistics.items import ItemDifference, compare_items
from rmjudge.statistics.testing import holm
from rmjudge.text import label

CSV_HEADER: Final = (
    *("benchmark", "scorer", "other", "items", "difference", "low", "high", "p_value"),
    *("scorer_better", "other_better"),
)


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two scorers of one set; `p_value` is corrected by Holm over the pairs of the set."""

    benchmark: str
    title: str
    scorer: str
    other: str
    found: ItemDifference
    p_value: float


def two_by_two(items: Sequence[ItemResult]) -> list[ComparedPair]:
    """Every two scorers of a set on the items that both scored; none where a set has but one.

    Raises:
        UsageError: two runs on a set scored different items.
    """
    compared = []
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        if len({one.digest for one in found if one.digest}) > 1:
            raise UsageError(f"the runs on {name} scored different items; compare runs of one set")
        pairs = []
        for one, other in combinations(found, 2):
            difference = compare_items(_scores(one), _scores(other))
            if difference is not None:
                pairs.append((one.metrics, other.metrics, difference))
        corrected = holm([difference.p_value for _, _, difference in pairs])
        compared += [
            ComparedPair(name, one.title, one.scorer, other.scorer, difference, p_value)
            for (one, other, difference), p_value in zip(pairs, corrected, strict=True)
        ]
    return compared


def _scores(result: ItemResult) -> dict[str, float | None]:
    return {
        outcome.name: score for outcome, score in zip(result.outcomes, result.scores, strict=True)
    }


def compare_sheets(pairs: Sequence[ComparedPair]) -> list[Sheet]:
    """A table a set."""
    return [
        Sheet(
            title=f"{next(p.title for p in pairs if p.benchmark == name)}: two by two, points",
            header=("Scorers", "Difference", "95 %", "p", "1st", "2nd", "Items"),
            rows=tuple(_row(pair) for pair in pairs if pair.benchmark == name),
            caption=(
                "Over the items that both scored, each counting once. p: McNemar's test, "
                "corrected by Holm. 1st and 2nd: items that one scores above the other."
            ),
        )
        for name in dict.fromkeys(pair.benchmark for pair in pairs)
    ]


def _row(pair: ComparedPair) -> tuple[str, ...]:
    found, interval = pair.found, pair.found.interval
    return (
        f"{label(pair.scorer)} - {label(pair.other)}",
        percent(found.difference),
        f"{percent(interval.low)} to {percent(interval.high)}" if interval else NONE,
        f"{pair.p_value:.4f}" if pair.p_value >= 0.0001 else "<0.0001",
        str(found.one_better),
        str(found.other_better),
        str(found.items),
    )


def compare_data(pairs: Sequence[ComparedPair]) -> list[Json]:
    """For programs; differences are fractions."""
    return [dict(zip(CSV_HEADER, _figures(pair), strict=True)) for pair in pairs]


def compare_csv(pairs: Sequence[ComparedPair]) -> str:
    """A row a pair; differences are fractions."""
    rows = [_figures(pair) for pair in pairs]
    place = CSV_HEADER.index("p_value")
    return rows_csv(
        CSV_HEADER,
        [
            (*row[:place], precise(pair.p_value), *row[place + 1 :])
            for row, pair in zip(rows, pairs, strict=True)
        ],
    )


def _figures(pair: ComparedPair) -> tuple[str | float | None, ...]:
    found, interval = pair.found, pair.found.interval
    return (
        *(pair.benchmark, label(pair.scorer), label(pair.other)),
        *(found.items, found.difference),
        *((interval.low, interval.high) if interval else (None, None)),
        *(pair.p_value, found.one_better, found.other_better),
    )
