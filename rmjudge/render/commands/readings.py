"""`rmjudge readings`: a run as other tools read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.readings.compute import ToolNumbers
from rmjudge.render.cells import OVERALL
from rmjudge.render.figures import UNICODE, known, percent
from rmjudge.render.rows import READING_NAMES
from rmjudge.render.sheets import Sheet
from rmjudge.runs.results import ScorerResult
from rmjudge.text import csv_cell, label
from rmjudge.vocabulary import DIFFICULTIES, DOMAINS, Domain, average_over, in_order, title_of

HEADER: Final = (*OVERALL, "To ours")
CAPTION: Final = (
    "To ours: difference of the averages in points. A tool without a way of its own with "
    "RM-Bench is applied to each cell and averaged as RM-Bench does."
)


def readings_sheet(result: ScorerResult, readings: Sequence[ToolNumbers], name: str) -> Sheet:
    """Lay one run out: ours first, then each tool; a sentence for each below.

    `name` is the run's in the title: the scorer's, and what tells two runs of it apart.
    """
    metrics = result.metrics
    ours = {domain: part.headline for domain, part in metrics.domains.items()}
    over = average_over(metrics.domains)
    mark = UNICODE.incomplete if over else ""
    own = f"rmjudge ({READING_NAMES[metrics.reading]})"
    rows = [(own, *_figures(ours, ours, metrics.headline, mark), "")]
    notes: list[str] = []
    if over:
        notes.append(f"{mark} {over}")
    for reading in readings:
        tool = reading.tool
        if reading.unavailable:
            continue
        figures = _figures(ours, reading.domains, reading.overall, mark)
        rows.append((tool.title, *figures, _points(reading.difference)))
        notes.append(f"{tool.title}: {tool.how} {reading.why}")
    for reason in dict.fromkeys(reading.unavailable for reading in readings):
        if reason:
            titles = [one.tool.title for one in readings if one.unavailable == reason]
            notes.append(f"Not from this run: {', '.join(titles)}. Needed: {reason}.")
    return Sheet(
        title=f"{name} as other tools read it, %",
        header=("Tool", *map(title_of, in_order(ours)), *HEADER),
        rows=tuple(rows),
        notes=tuple(notes),
        caption=CAPTION,
        bold=frozenset({0}),
    )


def _figures(
    columns: Iterable[Domain],
    domains: Mapping[Domain, Accuracies],
    overall: Accuracies,
    mark: str,
) -> tuple[str, ...]:
    parts = [domains[domain].average if domain in domains else None for domain in in_order(columns)]
    difficulties = [getattr(overall, name) for name in DIFFICULTIES]
    return (
        *(percent(value) for value in parts),
        *(percent(value) for value in difficulties),
        percent(overall.average) + mark,
    )


def _points(difference: float | None) -> str:
    value = known(difference)
    if value is None:
        return UNICODE.no_data
    return f"{value * 100:+.1f}" if abs(value) >= 0.0005 else "0.0"


def readings_json(runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]]) -> str:
    """Write one object, ASCII; fractions, null where a tool says nothing."""
    document: Json = {
        "format": 1,
        "scorers": [
            {
                "scorer": label(result.metrics.scorer),
                "missing_domains": list(result.metrics.missing_domains),
                "headline": result.metrics.reading,
                "ours": {**_parts(result.metrics.headline)},
                "readings": [
                    {
                        "tool": reading.tool.name,
                        "title": reading.tool.title,
                        **_parts(reading.overall),
                        "domains": {
                            domain: {**_parts(part)} for domain, part in reading.domains.items()
                        },
                        "difference": known(reading.difference),
                        "how": reading.tool.how,
                        "why": reading.why or None,
                        "unavailable": reading.unavailable or None,
                        "source": reading.tool.source,
                    }
                    for reading in readings
                ],
            }
            for result, readings in runs
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def readings_csv(runs: Sequence[tuple[ScorerResult, Sequence[ToolNumbers]]]) -> str:
    """Write a row a scorer and tool, ours as `rmjudge`; fractions, empty where unknown."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    present = (domain for result, _ in runs for domain in result.metrics.domains)
    columns = in_order((*DOMAINS, *present))
    rest = ("average", "difference", "missing_domains", "unavailable")
    writer.writerow(("scorer", "tool", *columns, *DIFFICULTIES, *rest))
    for result, readings in runs:
        metrics = result.metrics
        missing = "+".join(metrics.missing_domains)
        ours = {domain: part.headline for domain, part in metrics.domains.items()}
        rows = [("rmjudge", ours, metrics.headline, 0.0, "")] + [
            (one.tool.name, dict(one.domains), one.overall, one.difference, one.unavailable)
            for one in readings
        ]
        for name, domains, overall, difference, lacking in rows:
            values = (
                *(domains[domain].average if domain in domains else None for domain in columns),
                *_parts(overall).values(),
                difference,
            )
            numbers = map(_number, values)
            writer.writerow((csv_cell(label(metrics.scorer)), name, *numbers, missing, lacking))
    return stream.getvalue()


def _parts(accuracies: Accuracies) -> dict[str, float | None]:
    return {name: known(getattr(accuracies, name)) for name in (*DIFFICULTIES, "average")}


def _number(value: float | None) -> str:
    number = known(value)
    return "" if number is None else f"{number:.6f}"
