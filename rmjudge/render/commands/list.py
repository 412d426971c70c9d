"""The runs of a folder, a line for each scorer, and how those that stopped are gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rmjudge.render.figures import NO_DATA, dollars, known, percent
from rmjudge.render.sheets import Sheet
from rmjudge.runs.listing import Listed
from rmjudge.text import label, one_line
from rmjudge.vocabulary import PARTS

if TYPE_CHECKING:
    from rmjudge.calls import Json

HEADER = ("Run", "Scorer", "Started", "Data", "Tuples", "Hard", "Cost", "Open calls")


def list_sheet(runs: Sequence[Listed], folder: Path) -> Sheet:
    """A row for each scorer; below, the commands that go on with what has open calls."""
    return Sheet(
        title=f"Runs in {one_line(str(folder))}",
        header=HEADER,
        rows=tuple(_row(one, folder) for one in runs),
        notes=tuple(_to_go_on(runs)),
        caption=(
            "Hard in %, * where domains or scores are missing. Cost: of all answers, whenever they "
            "were bought. Started: UTC."
        ),
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
            "tuples": one.metrics.tuples,
            "complete": one.metrics.complete,
            **{part: known(getattr(one.metrics.headline, part)) for part in PARTS},
            "unscored_cells": one.metrics.unscored_cells,
            "cost": {"usd": one.cost, "known": one.cost_known},
            "open_calls": one.open_calls,
            "stopped": one.stopped,
            "resume": one.resume or None,
        }
        for one in runs
    ]
    return {"format": 1, "runs": found}


def _row(one: Listed, folder: Path) -> tuple[str, ...]:
    metrics = one.metrics
    hard = percent(metrics.headline.hard) + ("" if metrics.complete else "*")
    return (
        one_line(str(one.folder.relative_to(folder))) if one.folder != folder else ".",
        label(metrics.scorer),
        _date(one.record.started),
        one_line(one.record.label) or NO_DATA,
        f"{metrics.tuples:,}",
        hard,
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
