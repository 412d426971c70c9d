"""`rmjudge panel`: what several runs say together, as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json
from rmjudge.render.commands.compare import READINGS
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.figures import (
    ends,
    points,
    points_range,
    scope,
    share,
    signed_ends,
)
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.alpha import Alpha
from rmjudge.statistics.panel import Panel, Seat
from rmjudge.vocabulary import DIFFICULTIES

NOTES: Final = (
    "Majority: the winner that most judges name in a cell; two that are named as often are a tie. "
    "Mean: whoever has more than half of the judges' mean credit, so that probabilities and votes "
    "count by their size.",
    "95 % intervals with the tuple as their unit, averages over domains.",
)
ADDS_NOTE: Final = (
    "Adds: the majority's average less that of the panel without this judge, paired by tuple. "
    "Agrees with the rest: cells in which the judge says what the majority of the others says."
)
ALPHA_NOTE: Final = (
    "Krippendorff's alpha of who won, tied or lost: 1 is full agreement, 0 that of chance. "
    "Judges who agree because they share a taste for style agree all the same: see Hard."
)
CSV_HEADER: Final = (
    *("row", "easy", "normal", "hard", "average", "average_low", "average_high"),
    *("adds", "adds_low", "adds_high", "agrees_with_the_rest"),
)


def panel_sheets(found: Panel, remarks: Sequence[str]) -> list[Sheet]:
    """Lay out judges and panel, what each judge adds, and how far they agree."""
    seats = (*found.judges, found.majority, found.mean)
    over = scope(None, found.domains)
    return [
        Sheet(
            f"Panel of {len(found.judges)} judges on {found.tuples:,} tuples ({over})",
            ("", "Easy", "Normal", "Hard", "Average"),
            tuple(_accuracies(seat) for seat in seats),
            (*_left_out(found), *remarks, READINGS[found.reading], *NOTES),
            bold=frozenset({len(found.judges), len(found.judges) + 1}),
        ),
        Sheet(
            "What each judge adds, points",
            ("", "Average without", "Adds", "95 %", "Agrees with the rest, %"),
            tuple(
                (
                    one.name,
                    share(one.rest.accuracies.average),
                    points(one.adds),
                    points_range(one.interval),
                    share(one.agrees),
                )
                for one in found.without
            ),
            (ADDS_NOTE,),
        ),
        Sheet(
            "Agreement among the judges",
            ("", "Krippendorff's alpha", "Equal pairs, %"),
            tuple(
                (name, signed_ends(one.value, one.interval), share(one.agreed))
                for name, one in (("all cells", found.alpha), *found.alphas.items())
            ),
            (ALPHA_NOTE,),
        ),
    ]


def _accuracies(seat: Seat) -> tuple[str, ...]:
    accuracies, intervals = seat.accuracies, seat.intervals
    return (
        seat.name,
        *(share(getattr(accuracies, name)) for name in DIFFICULTIES),
        share(accuracies.average) + ends(intervals.average),
    )


def _left_out(found: Panel) -> Iterator[str]:
    if found.incomplete:
        yield f"{found.incomplete:,} tuples are left out: some judge has cells without a score."
    if found.elsewhere:
        yield f"{found.elsewhere:,} tuples are left out: they are not in every run."


def panel_csv(found: Panel) -> str:
    """Write a row for each judge, for the majority and the mean; fractions."""
    by_name = {one.name: one for one in found.without}
    rows = []
    for seat in (*found.judges, found.majority, found.mean):
        one = by_name.get(seat.name) if seat in found.judges else None
        around = seat.intervals.average
        rows.append(
            (
                seat.name,
                *(getattr(seat.accuracies, name) for name in (*DIFFICULTIES, "average")),
                around and around.low,
                around and around.high,
                one and one.adds,
                one and one.interval and one.interval.low,
                one and one.interval and one.interval.high,
                one and one.agrees,
            )
        )
    return rows_csv(CSV_HEADER, rows)


def panel_json(found: Panel, remarks: Sequence[str]) -> str:
    """Write everything; fractions."""
    document: Json = {
        "format": 1,
        "tuples": found.tuples,
        "domains": list(found.domains),
        "reading": found.reading,
        "incomplete": found.incomplete,
        "elsewhere": found.elsewhere,
        "remarks": list(remarks),
        "judges": [_seat(seat) for seat in found.judges],
        "majority": _seat(found.majority),
        "mean": _seat(found.mean),
        "alpha": {
            "all": _alpha(found.alpha),
            **{name: _alpha(found.alphas[name]) for name in DIFFICULTIES},
        },
        "without": [
            {
                "judge": one.name,
                "average": one.rest.accuracies.average,
                "adds": one.adds,
                "interval": interval_to_json(one.interval),
                "agrees_with_the_rest": one.agrees,
            }
            for one in found.without
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _seat(seat: Seat) -> Json:
    return {
        "name": seat.name,
        **{name: getattr(seat.accuracies, name) for name in (*DIFFICULTIES, "average")},
        "intervals": {
            name: interval_to_json(getattr(seat.intervals, name))
            for name in (*DIFFICULTIES, "average")
        },
    }


def _alpha(one: Alpha) -> Json:
    return {"value": one.value, "interval": interval_to_json(one.interval), "equal": one.agreed}
