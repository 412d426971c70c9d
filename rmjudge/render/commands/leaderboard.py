"""`rmjudge leaderboard`: runs among the published rows, and what is wrong with some of these."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Final

from rmjudge.leaderboard.published import LEADERBOARD, Figures
from rmjudge.leaderboard.standing import Entry
from rmjudge.render.cells import Figure, aligned
from rmjudge.render.figures import UNICODE, known, percent
from rmjudge.render.sheets import Sheet
from rmjudge.text import csv_cell, label

HEADER: Final = (
    *("#", "Chat", "Math", "Code", "Safety"),
    *("Easy", "Normal", "Hard", "Mean", "Overall"),
)
DOUBT: Final = "!"
CAPTION: Final = (
    "Mean: Overall as RM-Bench defines it, recomputed: the mean of the four domains, else of the "
    "three difficulties; ranks go by it. Overall: as published. "
    f"Published figures: {LEADERBOARD}, commit b0d159f, 23 July 2025."
)
NAMES: Final = ("chat", "math", "code", "safety", "easy", "normal", "hard", "overall")


def leaderboard_sheet(entries: Sequence[Entry]) -> Sheet:
    """Lay the table out; a doubtful row has a mark and its notes, a run is bold."""
    notes: list[str] = []
    for doubt in dict.fromkeys(doubt for entry in entries for doubt in entry.doubts):
        # One remark may stand for several rows; a mismatch is a row's own.
        names = [label(entry.name) for entry in entries if doubt in entry.doubts]
        notes.append(f"{DOUBT} {', '.join(names)}: {doubt}")
    for entry in entries:
        if entry.unranked:
            notes.append(f"{UNICODE.incomplete} {label(entry.name)}: not ranked; {entry.unranked}")
        if entry.unscored:
            notes.append(
                f"{UNICODE.unscored} {label(entry.name)}: "
                f"{entry.unscored} of {entry.cells} cells not scored"
            )
    means = aligned([_mean(entry) for entry in entries])
    return Sheet(
        title="RM-Bench leaderboard, %",
        header=("Model", *HEADER),
        rows=tuple(
            (label(entry.name), *_figures(entry, mean))
            for entry, mean in zip(entries, means, strict=True)
        ),
        notes=tuple(notes),
        caption=CAPTION,
        bold=frozenset(number for number, entry in enumerate(entries) if entry.is_run),
    )


def _mean(entry: Entry) -> Figure:
    marks = UNICODE.incomplete * bool(entry.unranked) + UNICODE.unscored * bool(entry.unscored)
    return Figure(percent(entry.average), marks=marks + DOUBT * bool(entry.doubts))


def _figures(entry: Entry, mean: str) -> tuple[str, ...]:
    figures = entry.figures
    values = (
        *(figures.chat, figures.math, figures.code, figures.safety),
        *(figures.easy, figures.normal, figures.hard),
    )
    rank = UNICODE.no_data if entry.rank is None else str(entry.rank)
    overall = UNICODE.no_data if entry.is_run else percent(figures.overall)
    return (rank, *(percent(value) for value in values), mean, overall)


def standing_lines(entries: Sequence[Entry]) -> list[str]:
    """Say in a sentence for each run where it stands, or why it has no rank."""
    ranked = [entry for entry in entries if entry.rank is not None]
    lines: list[str] = []
    for entry in entries:
        if not entry.is_run:
            continue
        if entry.rank is None:
            why = entry.unranked or "it has no average"
            lines.append(f"{label(entry.name)} is not ranked: {why}.")
            continue
        place = ranked.index(entry)
        beside = [
            f"{how} {label(other.name)} ({percent(other.average)})"
            for how, other in (
                *(("below", one) for one in ranked[max(place - 1, 0) : place]),
                *(("above", one) for one in ranked[place + 1 : place + 2]),
            )
        ]
        lines.append(
            f"{label(entry.name)}: rank {entry.rank} of {len(ranked)} with {percent(entry.average)}"
            f" %, {' and '.join(beside)}."
        )
    return lines


def leaderboard_json(entries: Sequence[Entry]) -> str:
    """Write one object, ASCII; fractions, null where there is no figure."""
    rows = [
        {
            "rank": entry.rank,
            "name": label(entry.name),
            "run": entry.is_run,
            "type": None if entry.is_run else entry.type,
            **_named(entry.figures),
            "domain_average": known(entry.figures.domain_average),
            "difficulty_average": known(entry.figures.difficulty_average),
            "mean": known(entry.average),
            "doubts": list(entry.doubts),
            "corrected": dict(entry.corrected),
            "not_ranked": entry.unranked or None,
            "unscored_cells": entry.unscored if entry.is_run else None,
            "source": entry.source or None,
            "license": entry.license or None,
        }
        for entry in entries
    ]
    document = {"format": 1, "leaderboard": LEADERBOARD, "rows": rows}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def leaderboard_csv(entries: Sequence[Entry]) -> str:
    """Write a row a model; fractions, empty where there is no figure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    extra = ("domain_average", "difficulty_average", "mean", "not_ranked", "doubts", "source")
    writer.writerow(("rank", "name", "run", *NAMES, *extra))
    for entry in entries:
        averages = (
            entry.figures.domain_average,
            entry.figures.difficulty_average,
            entry.average,
        )
        writer.writerow(
            (
                "" if entry.rank is None else entry.rank,
                csv_cell(label(entry.name)),
                str(entry.is_run).lower(),
                *map(_number, (*_named(entry.figures).values(), *averages)),
                entry.unranked,
                " | ".join(entry.doubts),
                entry.source,
            )
        )
    return stream.getvalue()


def _named(figures: Figures) -> dict[str, float | None]:
    return {name: known(getattr(figures, name)) for name in NAMES}


def _number(value: float | None) -> str:
    number = known(value)
    return "" if number is None else f"{number:.6f}"
