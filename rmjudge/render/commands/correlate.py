"""`rmjudge correlate` as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json
from rmjudge.metrics.report import Reading
from rmjudge.render.commands.compare import READINGS
from rmjudge.render.csvrows import precise, rows_csv
from rmjudge.render.figures import chance, share, signed, signed_range
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.correlation import Coefficient, Correlation

NOTES: Final = (
    "A policy is one case; how sure each accuracy is does not enter. 95 % intervals by Fisher's z; "
    "Spearman's p counts all orders of up to 8 policies.",
    "Which accuracy is held against which scores follows section 5 of the RM-Bench article.",
)
CSV_HEADER: Final = (
    *("domain", "accuracy", "task", "policies"),
    *("pearson", "pearson_low", "pearson_high", "pearson_p"),
    *("spearman", "spearman_low", "spearman_high", "spearman_p", "note"),
)


def task_name(correlation: Correlation) -> str:
    """Name the task, and say whether its scores are ratios to the SFT model's."""
    name = correlation.task or "mean of the tasks"
    return f"{name} / SFT" if correlation.normalised else name


def doubts(found: Sequence[Correlation]) -> list[str]:
    """Name the rows that have no number, or one to be careful with, and say why."""
    return [
        f"{item.domain} {item.difficulty}, {task_name(item)}: {item.doubt}."
        for item in found
        if item.doubt
    ]


def correlation_sheets(
    found: Sequence[Correlation], reading: Reading, remarks: Sequence[str]
) -> list[Sheet]:
    """Lay out the coefficients, then the points they come from."""
    rows = tuple(
        (
            f"{item.domain} {item.difficulty}",
            task_name(item),
            str(len(item.points)),
            name,
            signed(coefficient.value),
            signed_range(coefficient.interval),
            chance(coefficient.p_value),
        )
        for item in found
        for name, coefficient in (("Pearson", item.pearson), ("Spearman", item.spearman))
    )
    points = tuple(
        (
            f"{item.domain} {item.difficulty}",
            task_name(item),
            point.scorer,
            share(point.accuracy),
            f"{point.score:.4g}",
        )
        for item in found
        for point in item.points
    )
    return [
        Sheet(
            "Accuracy against the scores of policies",
            ("", "Policy's score", "Policies", "", "r", "95 %", "p"),
            rows,
            (*doubts(found), *remarks, READINGS[reading], *NOTES),
            names=4,
        ),
        Sheet(
            "The points",
            ("", "Policy's score", "Scorer", "Accuracy, %", "Score"),
            points,
            names=3,
        ),
    ]


def correlation_csv(found: Sequence[Correlation]) -> str:
    """Write a row for each task; `accuracy` is the difficulty that it is held against."""
    return rows_csv(
        CSV_HEADER,
        (
            (
                *(item.domain, item.difficulty, task_name(item), len(item.points)),
                *_fields(item.pearson),
                *_fields(item.spearman),
                item.doubt,
            )
            for item in found
        ),
    )


def _fields(coefficient: Coefficient) -> tuple[str | float | None, ...]:
    low, high = (
        (coefficient.interval.low, coefficient.interval.high)
        if coefficient.interval
        else (None, None)
    )
    return coefficient.value, low, high, precise(coefficient.p_value)


def correlation_json(found: Sequence[Correlation], reading: Reading, remarks: Sequence[str]) -> str:
    """Write everything; accuracies are fractions."""
    document: Json = {
        "format": 1,
        "reading": reading,
        "remarks": list(remarks),
        "correlations": [
            {
                "domain": item.domain,
                "accuracy": item.difficulty,
                "task": item.task,
                "normalised": item.normalised,
                "pearson": _coefficient_json(item.pearson),
                "spearman": _coefficient_json(item.spearman),
                "note": item.doubt,
                "points": [
                    {"scorer": point.scorer, "accuracy": point.accuracy, "score": point.score}
                    for point in item.points
                ],
            }
            for item in found
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _coefficient_json(coefficient: Coefficient) -> Json:
    return {
        "value": coefficient.value,
        "p": coefficient.p_value,
        "interval": interval_to_json(coefficient.interval),
    }
