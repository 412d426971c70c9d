"""What the page shows of other sets than RM-Bench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rmjudge.errors import UsageError
from rmjudge.render.commands.benchmark_compare import compare_sheets, two_by_two
from rmjudge.render.commands.benchmark_style import length_biases, style_sheets
from rmjudge.render.commands.benchmarks import sheets_of
from rmjudge.render.sheets import Sheet
from rmjudge.runs.items import ItemResult
from rmjudge.runs.results import ScorerResult


def page_sheets(
    results: Sequence[ScorerResult], items: Sequence[ItemResult], data: Sequence[str] = ()
) -> list[Sheet]:
    """The tables of `report`, `compare` and `style`; a note in place of one that cannot be made."""
    return [*sheets_of(results, items), *_compared(items), *_lengths(items, data)]


def _compared(items: Sequence[ItemResult]) -> Iterator[Sheet]:
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        try:
            yield from compare_sheets(two_by_two(found))
        except UsageError as error:
            yield Sheet(f"{found[0].metrics.title}: two by two", notes=(str(error),))


def _lengths(items: Sequence[ItemResult], data: Sequence[str]) -> Iterator[Sheet]:
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        try:
            yield from style_sheets(length_biases(found, data))
        except UsageError as error:
            yield Sheet(f"{found[0].metrics.title}: length bias", notes=(str(error),))
