"""Runs on other sets than RM-Bench, as other tools would count them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.readings.items import ItemReading
from rmjudge.render.commands.benchmarks import NONE, percent
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.sheets import Sheet
from rmjudge.runs.items import ItemResult
from rmjudge.text import label

Read = tuple[ItemResult, Sequence[ItemReading]]
CSV_HEADER: Final = ("benchmark", "scorer", "tool", "score", "ours", "scored", "lacks")


def readings_sheets(read: Sequence[Read]) -> list[Sheet]:
    """A table a run: ours first, then each tool; a sentence for each below."""
    return [_sheet(result, readings) for result, readings in read]


def _sheet(result: ItemResult, readings: Sequence[ItemReading]) -> Sheet:
    metrics = result.metrics
    ours = metrics.headline
    rows = [("rmjudge", percent(ours), "", str(metrics.scored))]
    notes = []
    for one in readings:
        if one.lacks:
            continue
        gap = None if one.score is None or ours is None else one.score - ours
        shown = NONE if gap is None else f"{100 * gap + 0.0:+.2f}"
        rows.append((one.tool.title, percent(one.score), shown, str(one.scored)))
        notes.append(f"{one.tool.title}: {one.tool.how}")
    for lacks in dict.fromkeys(one.lacks for one in readings if one.lacks):
        titles = ", ".join(one.tool.title for one in readings if one.lacks == lacks)
        notes.append(f"Not from this run: {titles}. Needed: {lacks}.")
    return Sheet(
        title=f"{label(metrics.scorer)} on {metrics.title} as other tools count it, %",
        header=("Tool", "Score", "To ours", "Items"),
        rows=tuple(rows),
        notes=tuple(notes),
        caption="To ours: difference to the benchmark's own number, in points.",
        bold=frozenset({0}),
    )


def readings_data(read: Sequence[Read]) -> list[Json]:
    """For programs; scores are fractions."""
    return [dict(zip(CSV_HEADER, row, strict=True)) for row in _rows(read)]


def readings_csv(read: Sequence[Read]) -> str:
    """A row a run and tool; scores are fractions."""
    return rows_csv(CSV_HEADER, _rows(read))


def _rows(read: Sequence[Read]) -> list[tuple[str | float | None, ...]]:
    return [
        (
            *(result.metrics.benchmark, label(result.metrics.scorer), one.tool.name),
            *(one.score, result.metrics.headline, one.scored, one.lacks),
        )
        for result, readings in read
        for one in readings
    ]
