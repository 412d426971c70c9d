"""Runs on another benchmark than RM-Bench among its published scores; a row to submit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.errors import UsageError
from rmjudge.runs.items import ItemResult, is_limited
from rmjudge.text import markdown_cell


@dataclass(frozen=True, slots=True)
class Standing:
    """A row: `score` is a fraction, `what` says of what; `is_run` tells a run from the published.

    `rank` is None for a run over a part of the items, or in which some are not scored.
    """

    scorer: str
    score: float | None
    what: str = ""
    is_run: bool = False
    rank: int | None = None


def stand_among(rules: Descriptor, runs: Sequence[ItemResult]) -> list[Standing]:
    """Order the published scores and the runs, the best first; equal scores share a rank."""
    ranked = [Standing(one.scorer, one.score / 100, one.what) for one in rules.published]
    rest: list[Standing] = []
    for run in runs:
        metrics = run.metrics
        what = f"{metrics.scored} of {metrics.items} items"
        whole = run.complete and not is_limited(run)
        row = Standing(metrics.scorer, metrics.headline, what if whole else f"{what}, a part", True)
        (ranked if whole and row.score is not None else rest).append(row)
    ranked.sort(key=lambda row: -_shown(row))  # published scores are rounded, so all are
    scores = list(map(_shown, ranked))
    return [
        *(replace(row, rank=1 + scores.index(_shown(row))) for row in ranked),
        *rest,
    ]


def _shown(row: Standing) -> float:
    """A score as it is published, to two decimals of a percent."""
    return round(100 * (row.score or 0.0), 2)


def emitted(result: ItemResult, name: str | None) -> str:
    """What the benchmark's own leaderboard takes, or its table holds.

    RewardBench 2's results are JSON objects, a fraction for each subset; JudgeBench and others have
    rows of percents: each subset, then the whole.

    Raises:
        UsageError: items are not scored, or a subset has no score.
    """
    metrics = result.metrics
    if is_limited(result):
        raise UsageError(
            f"{metrics.scorer}: a leaderboard takes complete runs, and this one has a --limit"
        )
    if not metrics.complete or metrics.headline is None:
        raise UsageError(
            f"{metrics.scorer}: a leaderboard takes complete runs, and {metrics.scored} of "
            f"{metrics.items} items of {metrics.title} are scored"
        )
    who = name or metrics.scorer
    subsets = {one: share.read(metrics.reading) for one, share in metrics.subsets.items()}
    if metrics.benchmark == "rewardbench-2":
        if "Ties" not in subsets:
            raise UsageError(
                f"{metrics.scorer}: RewardBench 2's leaderboard takes all six subsets, and this "
                "run has no Ties; run with --method pointwise"
            )
        kind = "Seq. Classifier" if metrics.method == "pointwise" else "Generative"
        return json.dumps({"model": who, "model_type": kind, **subsets}, ensure_ascii=True)
    header = ("Model", *(subset or "(none)" for subset in subsets), "Overall")
    values = [*subsets.values(), metrics.headline]
    row = (who, *(f"{100 * value:.2f}" if value is not None else "-" for value in values))
    lines = (header, ("---",) * len(header), row)
    return "\n".join(f"| {' | '.join(map(markdown_cell, line))} |" for line in lines)
