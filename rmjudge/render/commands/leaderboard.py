"""`rmjudge leaderboard`: runs among the published rows, and what is wrong with some of these."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Final

from rmjudge.leaderboard.published import LEADERBOARD, WEIGHTED, Figures, ReportedRow
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
BY_TUPLES: Final = "w"
BY_TUPLES_NOTE: Final = (
    f"{BY_TUPLES}: the domains weigh by their tuples, so that math is 40 %; not to be held against "
    "figures without it."
)
CORRECTED: Final = "c"
CORRECTED_NOTE: Final = f"{CORRECTED}: the figure of a source, in place of the leaderboard's."
REPORTED_CAPTION: Final = (
    "Not on the leaderboard, and not ranked among its rows: figures as their sources report them. "
    "Mean: of the four domains, each weighing the same."
)
COPIED: Final = "?"
NAMES: Final = ("chat", "math", "code", "safety", "easy", "normal", "hard", "overall")


def leaderboard_sheet(entries: Sequence[Entry], rows: int | None = None) -> Sheet:
    """Lay the table out; a doubtful row has a mark and its notes, a run is bold.

    `rows` is how many there are, where these are an excerpt.
    """
    notes: list[str] = []
    if rows is not None and rows > len(entries):
        notes.append(f"{len(entries)} of {rows} rows are shown.")
    if any(entry.by_tuples for entry in entries):
        notes.append(BY_TUPLES_NOTE)
    if any(entry.corrected for entry in entries):
        notes.append(CORRECTED_NOTE)
    for doubt in dict.fromkeys(doubt for entry in entries for doubt in entry.doubts):
        # Several rows may share a remark; a mismatch is a row's own.
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
    return Sheet(
        title="RM-Bench leaderboard, %",
        header=("Model", *HEADER),
        rows=_rows(
            [label(entry.name) for entry in entries],
            [UNICODE.no_data if entry.rank is None else str(entry.rank) for entry in entries],
            [_figures(entry) for entry in entries],
        ),
        notes=tuple(notes),
        caption=CAPTION,
        bold=frozenset(number for number, entry in enumerate(entries) if entry.is_run),
    )


def reported_sheet(rows: Sequence[ReportedRow]) -> Sheet:
    """Lay out what has been reported since, with its sources."""
    by_source: dict[str, list[str]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(label(row.model))
    return Sheet(
        title="Reported elsewhere since, %",
        header=("Model", *HEADER[1:]),
        rows=_rows([label(row.model) for row in rows], None, [_reported(row) for row in rows]),
        notes=(
            *([BY_TUPLES_NOTE] if any(row.by_tuples for row in rows) else []),
            *([f"{COPIED}: read in a copy of the source."] if any(r.copied for r in rows) else []),
            *(f"{label(row.model)}: {row.remark}" for row in rows if row.remark),
            *(f"{', '.join(names)}: {source}" for source, names in by_source.items()),
        ),
        caption=REPORTED_CAPTION,
    )


def _rows(
    names: Sequence[str], ranks: Sequence[str] | None, figures: Sequence[Sequence[Figure]]
) -> tuple[tuple[str, ...], ...]:
    columns = [aligned(column) for column in zip(*figures, strict=True)]
    return tuple(zip(names, *([ranks] if ranks is not None else []), *columns, strict=True))


def _figures(entry: Entry) -> list[Figure]:
    marks = UNICODE.incomplete * bool(entry.unranked) + UNICODE.unscored * bool(entry.unscored)
    mean = Figure(percent(entry.average), marks=marks + DOUBT * bool(entry.doubts))
    marked = dict.fromkeys(entry.by_tuples, BY_TUPLES)
    marked |= dict.fromkeys(entry.corrected, CORRECTED)
    *first, overall = _marked(entry.figures, marked)
    return [*first, mean, Figure(UNICODE.no_data) if entry.is_run else overall]


def _reported(row: ReportedRow) -> list[Figure]:
    copied = COPIED if row.copied else ""
    weighted = dict.fromkeys(WEIGHTED, BY_TUPLES) if row.by_tuples else {}
    *first, overall = _marked(row.figures, weighted)
    mean = Figure(percent(row.figures.domain_average))
    return [*first, mean, Figure(overall.value, marks=overall.marks + copied)]


def _marked(figures: Figures, marks: Mapping[str, str]) -> list[Figure]:
    """Each figure of `NAMES`, with its mark where it has a value."""
    values = [(name, getattr(figures, name)) for name in NAMES]
    return [
        Figure(percent(value), marks=marks.get(name, "") if value is not None else "")
        for name, value in values
    ]


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


def leaderboard_json(entries: Sequence[Entry], since: Sequence[ReportedRow] = ()) -> str:
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
            "replaced": dict(entry.replaced),
            "weighted_by_tuples": [name for name in NAMES if name in entry.by_tuples],
            "not_ranked": entry.unranked or None,
            "unscored_cells": entry.unscored if entry.is_run else None,
            "source": entry.source or None,
            "license": entry.license or None,
        }
        for entry in entries
    ]
    others = [
        {
            "name": label(row.model),
            **_named(row.figures),
            "mean": known(row.figures.domain_average),
            "weighted_by_tuples": [n for n in NAMES if n in WEIGHTED] if row.by_tuples else [],
            "read_in_a_copy": row.copied,
            "remark": row.remark or None,
            "source": row.source,
        }
        for row in since
    ]
    document = {"format": 1, "leaderboard": LEADERBOARD, "rows": rows, "reported": others}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def leaderboard_csv(entries: Sequence[Entry]) -> str:
    """Write a row a model; fractions, empty where there is no figure."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    extra = (
        *("domain_average", "difficulty_average", "mean", "not_ranked", "doubts", "source"),
        "weighted_by_tuples",
    )
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
                "+".join(name for name in NAMES if name in entry.by_tuples),
            )
        )
    return stream.getvalue()


def _named(figures: Figures) -> dict[str, float | None]:
    return {name: known(getattr(figures, name)) for name in NAMES}


def _number(value: float | None) -> str:
    number = known(value)
    return "" if number is None else f"{number:.6f}"
