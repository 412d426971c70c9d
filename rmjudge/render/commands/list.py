"""The runs of a folder, a line for each scorer, and how those that stopped are gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rmjudge.metrics.items import ItemMetrics
from rmjudge.render.figures import NO_DATA, dollars, known, percent
from rmjudge.render.sheets import Sheet
from rmjudge.runs.listing import Listed
from rmjudge.text import label, one_line
from rmjudge.vocabulary import PARTS

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.metrics.report import Metrics

HEADER = ("Run", "Scorer", "Started", "Data", "Tuples", "Hard", "Cost", "Open calls")
OF_ITEMS = ("Run", "Scorer", "Started", "Benchmark", "Items", "Score", "Cost", "Open calls")


def list_sheets(runs: Sequence[Listed], folder: Path) -> list[Sheet]:
    """A row for each scorer, other benchmarks apart; below, the commands that go on."""
    own = [one for one in runs if not isinstance(one.metrics, ItemMetrics)]
    others = [one for one in runs if isinstance(one.metrics, ItemMetrics)]
    sheets = []
    if own:
        hard = "Hard in %, * where domains or scores are missing."
        sheets.append(_sheet(f"Runs in {one_line(str(folder))}", HEADER, own, folder, hard))
    if others:
        score = "Score: the benchmark's own, in %, * where items are not scored."
        title = f"Runs in {one_line(str(folder))} on other benchmarks"
        sheets.append(_sheet(title, OF_ITEMS, others, folder, score))
    return sheets


def _sheet(
    title: str, header: tuple[str, ...], runs: Sequence[Listed], folder: Path, figures: str
) -> Sheet:
    return Sheet(
        title=title,
        header=header,
        rows=tuple(_row(one, folder) for one in runs),
        notes=tuple(_to_go_on(runs)),
        caption=f"{figures} Cost: of all answers, whenever they were bought. Started: UTC.",
        names=2,
        words=frozenset((2, 3)),
    )


def list_json(runs: Sequence[Listed]) -> dict[str, Json]:
    """One object: `format` and `runs`, a scorer each; fractions, US dollars, Unix time."""
    found: list[Json] = [
        {
            "folder": str(one.folder),
            "started": one.record.started,
            "wall_s": one.record.wall_s,
            "data": one.record.label,
            "scorer": label(one.metrics.scorer),
            "method": one.metrics.method,
            **_figures(one.metrics),
            "cost": {"usd": one.cost, "known": one.cost_known},
            "open_calls": one.open_calls,
            "stopped": one.stopped,
            "resume": one.resume or None,
        }
        for one in runs
    ]
    return {"format": 1, "runs": found}


def _figures(metrics: Metrics | ItemMetrics) -> dict[str, Json]:
    if isinstance(metrics, ItemMetrics):
        return {
            "benchmark": metrics.benchmark,
            "items": metrics.items,
            "complete": metrics.complete,
            "score": known(metrics.headline),
        }
    return {
        "tuples": metrics.tuples,
        "complete": metrics.complete,
        **{part: known(getattr(metrics.headline, part)) for part in PARTS},
        "unscored_cells": metrics.unscored_cells,
    }


def _row(one: Listed, folder: Path) -> tuple[str, ...]:
    metrics = one.metrics
    mark = "" if metrics.complete else "*"
    if isinstance(metrics, ItemMetrics):
        data, count = metrics.title, metrics.items
        figure = percent(metrics.headline) + mark
    else:
        data, count = one.record.label, metrics.tuples
        figure = percent(metrics.headline.hard) + mark
    return (
        one_line(str(one.folder.relative_to(folder))) if one.folder != folder else ".",
        label(metrics.scorer),
        _date(one.record.started),
        one_line(data) or NO_DATA,
        f"{count:,}",
        figure,
        dollars(one.cost, cost_known=one.cost_known),
        "?" if one.open_calls is None else f"{one.open_calls:,}",
    )


def _date(started: float | None) -> str:
    if started is None:
        return NO_DATA
    try:
        return datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return NO_DATA


def _to_go_on(runs: Sequence[Listed]) -> list[str]:
    """Each command once, with the last reason of its scorers."""
    reasons: dict[str, str] = {}
    for one in runs:
        if one.resume:
            reasons[one.resume] = one.stopped or reasons.get(one.resume, "")
    return [
        f"To go on{f' ({one_line(reason)})' if reason else ''}: {one_line(command)}"
        for command, reason in reasons.items()
    ]
