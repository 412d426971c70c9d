"""`rmjudge compare --with CHEAP` as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json
from rmjudge.metrics.report import Interval
from rmjudge.render.csvrows import precise, rows_csv
from rmjudge.render.figures import (
    NO_DATA,
    chance,
    points,
    points_range,
    scope,
    share,
    signed,
)
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.control import LEAST, Controlled, Estimate
from rmjudge.statistics.power import ALPHA

CSV_HEADER: Final = (
    *("subject", "part", "correlation", "asked", "asked_low", "asked_high"),
    *("value", "low", "high", "narrower", "p"),
)
Row = tuple[str, bool, Estimate]
"""A subject's name, whether it is a difference, and an estimate."""


def with_sheets(found: Controlled) -> list[Sheet]:
    """The correlations first, then what they are worth."""
    return [_correlations(found), _estimates(found)]


def _correlations(found: Controlled) -> Sheet:
    parts = [item.part for item in next(iter(found.estimates.values()))]
    return Sheet(
        title=f"Correlation with {found.cheap}, tuple by tuple",
        header=("", *(part.capitalize() for part in parts)),
        rows=tuple(
            (" - ".join(names), *(signed(item.correlation) for item in items))
            for names, items in found.estimates.items()
        ),
        notes=(f"Under {LEAST:.1f}, either way, nothing is estimated with it.",),
        strong=len(parts),
    )


def _estimates(found: Controlled) -> Sheet:
    asked, every = sum(found.asked.values()), sum(found.tuples.values())
    return Sheet(
        title=f"Estimated over the {every:,} tuples of {found.cheap}; {asked:,} were asked",
        header=("", "Asked", "95 %", "Estimate", "95 %", "Width", "p"),
        rows=tuple(_row(row) for row in _rows(found)),
        notes=tuple(_notes(found)),
        caption=f"%, and points of a difference; means over {scope(None, tuple(found.asked))}. "
        "Asked: the tuples asked alone. Estimate: over all tuples, with the cheap scorer as "
        "control variate. Width: of the second interval over the first. p: of no difference, one "
        "test, not corrected.",
    )


def _row(row: Row) -> tuple[str, ...]:
    name, paired, item = row
    figure = points if paired else share
    return (
        f"{name} {item.part}",
        figure(item.asked),
        points_range(item.asked_interval),
        figure(item.value),
        points_range(item.interval),
        NO_DATA if item.narrower is None else f"x {item.narrower:.2f}",
        chance(item.p),
    )


def _rows(found: Controlled) -> Iterator[Row]:
    for names, items in found.estimates.items():
        for item in items:
            yield " - ".join(names), len(names) > 1, item


def _notes(found: Controlled) -> Iterator[str]:
    for domain, count in found.asked.items():
        yield f"{domain}: {count:,} of {found.tuples[domain]:,} tuples asked."
    if found.without:
        yield f"{found.without:,} tuples left out: {found.cheap} did not score them."
    if found.incomplete:
        yield (
            f"{found.incomplete:,} tuples left out: a cell was not scored by every scorer. If such "
            "tuples are unlike the others, the estimate is off."
        )
    for name, paired, item in _rows(found):
        if paired and item.part == "average" and item.p is not None:
            yield f"{name}: {_verdict(item)}"


def _verdict(item: Estimate) -> str:
    size = f"{points(item.value)} points ({points_range(item.interval)}), p {chance(item.p)}."
    evident = item.p is not None and item.p < ALPHA
    return f"{'evidence' if evident else 'no evidence'} of a difference on average: {size}"


def with_json(found: Controlled) -> str:
    """For programs: fractions, every figure of the tables."""
    document: Json = {
        "format": 1,
        "with": found.cheap,
        "reading": found.reading,
        "asked": {str(domain): count for domain, count in found.asked.items()},
        "tuples": {str(domain): count for domain, count in found.tuples.items()},
        "left_out": {"without": found.without, "incomplete": found.incomplete},
        "subjects": [
            {"scorers": list(names), "parts": {str(item.part): _json(item) for item in items}}
            for names, items in found.estimates.items()
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _json(item: Estimate) -> Json:
    return {
        "correlation": item.correlation,
        "asked": item.asked,
        "asked_interval": interval_to_json(item.asked_interval),
        "value": item.value,
        "interval": interval_to_json(item.interval),
        "narrower": item.narrower,
        "p": item.p,
    }


def with_csv(found: Controlled) -> str:
    """A line for each part of each subject; fractions."""
    return rows_csv(CSV_HEADER, (_line(row) for row in _rows(found)))


def _line(row: Row) -> Sequence[str | float | None]:
    name, _, item = row
    return (
        *(name, item.part, item.correlation, item.asked, *_ends(item.asked_interval)),
        *(item.value, *_ends(item.interval), item.narrower),
        None if item.p is None else precise(item.p),
    )


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
