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
from rmjudge.statistics.correlation import HELD_AGAINST, Coefficient, Correlation
from rmjudge.statistics.policies import Scale
from rmjudge.statistics.pooling import Pool

NOTES: Final = (
    "A policy is one case; how sure each accuracy is does not enter. 95 % intervals by Fisher's z; "
    "Spearman's p counts all orders of up to 8 policies.",
    "Which accuracy is held against which scores follows section 5 of the RM-Bench article.",
)
RELATIVE: Final[dict[Scale, str]] = {"score": "", "ratio": " / SFT", "drop": ", relative drop"}
POOL_NOTES: Final = (
    "Accuracies in standard deviations over the reward models, policies' scores as ratios to the "
    "SFT model's, tasks of a domain averaged: the number that section 5 of the RM-Bench article "
    "prints.",
    "The points of one reward model are not independent. So the p-value that takes them as "
    "independent, as the article does, is too small: where the model explains most of both sides, "
    "it is under 0.05 in up to a third of cases without any relation. The other p-value permutes "
    "whole models; use that one.",
)
CSV_HEADER: Final = (
    *("domain", "accuracy", "task", "policies"),
    *("pearson", "pearson_low", "pearson_high", "pearson_p"),
    *("spearman", "spearman_low", "spearman_high", "spearman_p", "note"),
)


def task_name(correlation: Correlation) -> str:
    """Name the task, and say what its scores are relative to."""
    name = correlation.task or "mean of the tasks"
    return name + RELATIVE[correlation.scale]


def doubts(found: Sequence[Correlation]) -> list[str]:
    """Name the rows that have no number, or one to be careful with, and say why."""
    return [
        f"{item.domain} {item.difficulty}, {task_name(item)}: {item.doubt}."
        for item in found
        if item.doubt
    ]


def correlation_sheets(
    found: Sequence[Correlation], pooled: Pool | None, reading: Reading, remarks: Sequence[str]
) -> list[Sheet]:
    """Lay out the coefficients, those of all domains together, then the points they come from."""
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
        *([_pool_sheet(pooled)] if pooled else []),
        Sheet(
            "The points",
            ("", "Policy's score", "Scorer", "Accuracy, %", "Score"),
            points,
            names=3,
        ),
    ]


def _pool_sheet(pooled: Pool) -> Sheet:
    row = (
        " + ".join(f"{domain} {HELD_AGAINST[domain]}" for domain in pooled.domains),
        str(len(pooled.scorers)),
        str(len(pooled.points)),
        signed(pooled.value),
        chance(pooled.naive_p),
        chance(pooled.permuted_p),
    )
    notes = [f"No number: {pooled.doubt}."] if pooled.doubt else []
    if pooled.orders:
        least = f"; the smallest p that they allow is {1 / pooled.orders:.3f}"
        notes.append(f"{pooled.orders:,} orders of models{least if pooled.orders < 1000 else ''}.")
    return Sheet(
        "All downstream tasks together",
        ("", "Models", "Points", "Pearson r", "p if independent", "p, whole models"),
        (row,),
        (*notes, *POOL_NOTES),
    )


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


def correlation_json(
    found: Sequence[Correlation], pooled: Pool | None, reading: Reading, remarks: Sequence[str]
) -> str:
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
                "scale": item.scale,
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
        "pool": _pool_json(pooled),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _pool_json(pooled: Pool | None) -> Json:
    if pooled is None:
        return None
    return {
        "domains": list(pooled.domains),
        "models": list(pooled.scorers),
        "pearson": pooled.value,
        "p_points": pooled.naive_p,
        "p_models": pooled.permuted_p,
        "orders": pooled.orders,
        "note": pooled.doubt,
        "points": [
            {
                "scorer": point.scorer,
                "domain": point.domain,
                "accuracy": point.accuracy,
                "score": point.score,
            }
            for point in pooled.points
        ],
    }


def _coefficient_json(coefficient: Coefficient) -> Json:
    return {
        "value": coefficient.value,
        "p": coefficient.p_value,
        "interval": interval_to_json(coefficient.interval),
    }
