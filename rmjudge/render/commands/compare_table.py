"""`rmjudge compare --table` as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json
from rmjudge.render.csvrows import precise, rows_csv
from rmjudge.render.figures import chance, ends, points, points_range, share
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.implicit import Accuracy, Contrast, SetRow
from rmjudge.vocabulary import DOMAINS, PARTS, RewardKind

NAMES: Final[dict[RewardKind, str]] = {
    "classifier": "classifier",
    "dpo": "DPO, reference",
    "without-reference": "DPO, no reference",
}
CSV_HEADER: Final = (
    *("set", "first", "second", "tuples", "first_accuracy", "second_accuracy", "difference"),
    *("low", "high", "p", "p_holm", "evident"),
)


def table_sheets(rows: Sequence[SetRow]) -> list[Sheet]:
    """The accuracies of each set, then which differences are real."""
    return [_accuracies(rows), _contrasts(rows)]


def _accuracies(rows: Sequence[SetRow]) -> Sheet:
    return Sheet(
        title="Classifiers and implicit rewards",
        header=("Preference set", "Reward", "Easy", "Normal", "Hard", "Average"),
        rows=tuple(
            (row.name, NAMES[kind], *(_shown(parts[part]) for part in PARTS))
            for row in rows
            for kind, parts in row.accuracies.items()
        ),
        notes=tuple(_notes(rows)),
        caption="Accuracy, %, the mean over the domains, with its 95 % interval; of each set on "
        "the tuples that all of its scorers scored.",
        names=2,
        strong=5,
    )


def _notes(rows: Sequence[SetRow]) -> Iterator[str]:
    for row in rows:
        counts = ", ".join(f"{domain} {count:,}" for domain, count in row.tuples.items())
        text = f"{row.name}: {counts}"
        own = any(domain not in DOMAINS for domain in row.tuples)
        if missing := [d for d in DOMAINS if d not in row.tuples and not own]:
            text += f"; without {', '.join(missing)}"
        if row.left_out:
            text += f"; {row.left_out:,} tuples left out, which not all scored"
        if row.reading == "half_credit":
            text += "; a tie is half a win"
        yield f"{text}."


def _contrasts(rows: Sequence[SetRow]) -> Sheet:
    found = [(row, item) for row in rows for item in row.contrasts]
    real = sum(item.evident for _, item in found)
    return Sheet(
        title="Which differences are real",
        header=("Preference set", "Difference", "Points", "95 %", "p", "p Holm", "Real"),
        rows=tuple(
            (
                row.name,
                f"{NAMES[item.first]} - {NAMES[item.second]}",
                points(item.difference),
                points_range(item.interval),
                chance(item.p_value),
                chance(item.p_holm),
                "yes" if item.evident else "no evidence",
            )
            for row, item in found
        ),
        notes=(f"{real} of {len(found)} differences are real.",),
        caption="Average accuracy, in points, paired by tuple; p: McNemar's test with the tuple as "
        f"the unit; p Holm is corrected for all {len(found)} differences, and below 0.05 it is "
        "evidence. The interval is of its row alone.",
        names=2,
        words=frozenset({6}),
    )


def _shown(accuracy: Accuracy) -> str:
    return f"{share(accuracy.value)}{ends(accuracy.interval)}"


def table_json(rows: Sequence[SetRow]) -> str:
    """For programs: fractions, every figure of the tables."""
    return json.dumps({"format": 1, "sets": [_json(row) for row in rows]}, indent=2) + "\n"


def _json(row: SetRow) -> dict[str, Json]:
    return {
        "set": row.name,
        "reading": row.reading,
        "tuples": {str(domain): count for domain, count in row.tuples.items()},
        "left_out": row.left_out,
        "accuracies": {
            kind: {
                part: {"value": found.value, "interval": interval_to_json(found.interval)}
                for part, found in parts.items()
            }
            for kind, parts in row.accuracies.items()
        },
        "differences": [_contrast(item) for item in row.contrasts],
    }


def _contrast(item: Contrast) -> dict[str, Json]:
    return {
        "first": item.first,
        "second": item.second,
        "difference": item.difference,
        "interval": interval_to_json(item.interval),
        "p": item.p_value,
        "p_holm": item.p_holm,
        "evident": item.evident,
    }


def table_csv(rows: Sequence[SetRow]) -> str:
    """A line a difference."""
    return rows_csv(CSV_HEADER, (_line(row, item) for row in rows for item in row.contrasts))


def _line(row: SetRow, item: Contrast) -> Sequence[str | float | bool | None]:
    low, high = (item.interval.low, item.interval.high) if item.interval else (None, None)
    first, second = (row.accuracies[kind]["average"].value for kind in (item.first, item.second))
    return (
        *(row.name, item.first, item.second, sum(row.tuples.values())),
        *(first, second, item.difference, low, high),
        *(precise(item.p_value), precise(item.p_holm), item.evident),
    )
