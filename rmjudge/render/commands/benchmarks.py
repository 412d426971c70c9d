"""Results on other sets than RM-Bench: one table over scorers and sets, one of their subsets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Group, RenderableType

from rmjudge.benchmarks.descriptors import shipped
from rmjudge.calls import Json
from rmjudge.metrics.items import ItemMetrics
from rmjudge.render.commands.report import report_renderable
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.runs.files import happened
from rmjudge.runs.items import ItemResult
from rmjudge.runs.results import ScorerResult
from rmjudge.text import label, one_line

NONE: Final = "\N{EN DASH}"
TIES_COUNT: Final = {"strict": "a tie is no win", "half_credit": "ties share the credit"}
CAPTION: Final = (
    "Score: the benchmark's own average and reading, with its 95 % interval over items. Strict: a "
    "tie is no win; half: it counts half. Micro: over all items; macro: the mean of the subsets."
)


def report_of(results: Sequence[ScorerResult], items: Sequence[ItemResult]) -> RenderableType:
    """Everything of a run over several sets: RM-Bench's tables first, where it is there."""
    parts: list[RenderableType] = [report_renderable(results)] if results else []
    parts.append(sheets_renderable(sheets_of(results, items)))
    return Group(*parts)


def sheets_of(results: Sequence[ScorerResult], items: Sequence[ItemResult]) -> list[Sheet]:
    """The tables of other sets; with RM-Bench or several sets, one of all sets before them."""
    several = len({one.metrics.benchmark for one in items}) + bool(results) > 1
    sheets = [together_sheet(results, items)] if several else []
    for name in dict.fromkeys(one.metrics.benchmark for one in items):
        found = [one for one in items if one.metrics.benchmark == name]
        sheets += [set_sheet(found), subsets_sheet(found), *map(matrix_sheet, found)]
    return [sheet for sheet in sheets if sheet.rows]


def to_data(items: Sequence[ItemResult]) -> list[Json]:
    """For programs: the metrics of each scorer on each set, and what it took."""
    return [{**asdict(one.metrics), **happened(one)} for one in items]


CSV_HEADER: Final = (
    *("benchmark", "scorer", "subset", "items", "scored", "strict", "half_credit"),
    *("low", "high", "headline"),
)


def to_csv(items: Sequence[ItemResult]) -> str:
    """A row for each scorer, set and subset; fractions. The row without a subset is the set's."""
    rows: list[tuple[str | float | None, ...]] = []
    for metrics in (one.metrics for one in items):
        whole, head = metrics.whole, (metrics.benchmark, metrics.scorer)
        read = metrics.averages[metrics.average]
        bounds = (metrics.low, metrics.high, metrics.headline)
        rows.append(
            (*head, "", whole.items, whole.scored, read["strict"], read["half_credit"], *bounds)
        )
        for name, share in metrics.subsets.items():
            figures = (share.items, share.scored, share.strict, share.half_credit)
            rows.append((*head, name, *figures, share.low, share.high, None))
    return rows_csv(CSV_HEADER, rows)


def percent(value: float | None) -> str:
    """A share as a figure in percent."""
    return NONE if value is None else f"{100 * value:.2f}"


def together_sheet(results: Sequence[ScorerResult], items: Sequence[ItemResult]) -> Sheet:
    """One judge, several benchmarks: each scorer's own headline on each set."""
    sets = list(dict.fromkeys(one.metrics.benchmark for one in items))
    titles = [next(i.metrics.title for i in items if i.metrics.benchmark == name) for name in sets]
    scorers = dict.fromkeys(
        [one.metrics.scorer for one in results] + [one.metrics.scorer for one in items]
    )
    figures: dict[tuple[str, str], str] = {}
    for result in results:
        figures.setdefault((result.metrics.scorer, ""), percent(result.metrics.headline.average))
    for one in items:
        shown = percent(one.metrics.headline) + ("" if one.complete else "*")
        figures.setdefault((one.metrics.scorer, one.metrics.benchmark), shown)
    columns = [*([""] if results else []), *sets]
    for whole, parts in _wholes(sets).items():  # RMB: the mean of its pairs and its best of N
        columns.append(f"{whole} ")
        titles.append(f"{whole} (mean of {len(parts)})")
        for name in scorers:
            mean = _mean_of([i for i in items if i.metrics.scorer == name], parts)
            figures[name, columns[-1]] = percent(mean)
    incomplete = not all(one.complete for one in items)
    return Sheet(
        title="One scorer, several benchmarks, %",
        header=("Scorer", *(["RM-Bench"] if results else []), *map(label, titles)),
        rows=tuple(
            (label(name), *(figures.get((name, column), NONE) for column in columns))
            for name in scorers
        ),
        notes=("* some of its items are not scored",) if incomplete else (),
        caption="Each benchmark's own number; the tables below say how it is made.",
    )


def _wholes(sets: Sequence[str]) -> dict[str, list[str]]:
    """Benchmarks of several parts of which all are among the sets, and the names of the parts."""
    wholes: dict[str, list[str]] = {}
    for name, descriptor in shipped().items():
        if descriptor.part_of:
            wholes.setdefault(descriptor.part_of, []).append(name)
    return {whole: parts for whole, parts in wholes.items() if set(parts) <= set(sets)}


def _mean_of(items: Sequence[ItemResult], parts: Sequence[str]) -> float | None:
    """The mean of the headlines of all parts; None unless each is complete."""
    scores = {i.metrics.benchmark: i.metrics.headline for i in items if i.complete}
    values = [value for part in parts if (value := scores.get(part)) is not None]
    return math.fsum(values) / len(values) if len(values) == len(parts) else None


def matrix_sheet(result: ItemResult) -> Sheet:
    """A matrix set's cells: rows are the groups of the better response, columns of the worse."""
    metrics = result.metrics
    groups = list(dict.fromkeys(name.partition("/")[0] for name in metrics.cells))
    read = {name: percent(cell[metrics.reading]) for name, cell in metrics.cells.items()}
    return Sheet(
        title=f"{metrics.title}: {label(metrics.scorer)}, % ({TIES_COUNT[metrics.reading]})",
        header=("Better, worse", *map(label, groups)),
        rows=tuple(
            (label(one), *(read.get(f"{one}/{other}", NONE) for other in groups)) for one in groups
        ),
    )


def set_sheet(items: Sequence[ItemResult]) -> Sheet:
    """The scorers of one set."""
    metrics = items[0].metrics
    rows = [_row(one.metrics) for one in items]
    notes = [
        f"{label(one.metrics.scorer)}: {one_line(note)}" for one in items for note in one.notes
    ]
    for one in items:
        m = one.metrics
        if m.mrr is not None:
            notes.append(f"{label(m.scorer)}: mean reciprocal rank {m.mrr:.4f}")
        if m.absent or not one.complete:
            total = sum(share.items for share in m.subsets.values())
            scored = sum(share.scored for share in m.subsets.values())
            notes.append(
                f"{label(m.scorer)}: {total - scored} of {total} items are not scored; the score "
                f"lies between {percent(m.low)} (all wrong) and {percent(m.high)} (all right)"
            )
    return Sheet(
        title=f"{metrics.title}, % ({metrics.average}, {TIES_COUNT[metrics.reading]})",
        header=(
            *("Scorer", "Score", "95 %", "Micro strict", "Micro half", "Macro strict"),
            *("Macro half", "Items", "Order", "Ties", "No verdict", "Swap kept"),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
        caption=CAPTION,
    )


def _row(metrics: ItemMetrics) -> tuple[str, ...]:
    found = metrics.averages
    interval = metrics.interval
    bounds = f"{percent(interval.low)}-{percent(interval.high)}" if interval else NONE
    scored = sum(share.scored for share in metrics.subsets.values())
    return (
        label(metrics.scorer),
        percent(metrics.headline),
        bounds,
        *(percent(found["micro"][reading]) for reading in ("strict", "half_credit")),
        *(percent(found["macro"][reading]) for reading in ("strict", "half_credit")),
        str(scored),
        metrics.order or NONE,
        percent(metrics.tie_rate),
        str(metrics.no_verdict),
        percent(metrics.swap_rate),
    )


def subsets_sheet(items: Sequence[ItemResult]) -> Sheet:
    """Each subset and section, in the benchmark's own reading; none where there is one subset."""
    first = items[0].metrics
    subsets = list(dict.fromkeys(name for one in items for name in one.metrics.subsets))
    sections = [
        name
        for name in dict.fromkeys(name for one in items for name in one.metrics.sections)
        if name not in subsets
    ]
    if len(subsets) < 2:
        return Sheet(title="", header=(), rows=())
    rows = []
    for name in subsets:
        shares = [one.metrics.subsets.get(name) for one in items]
        count = max(share.items for share in shares if share is not None)
        figures = [percent(share.read(first.reading)) if share else NONE for share in shares]
        rows.append((label(name) or "(none)", str(count), *figures))
    for name in sections:
        figures = [percent(one.metrics.sections.get(name)) for one in items]
        rows.append((f"{label(name)} (mean of its subsets)", "", *figures))
    return Sheet(
        title=f"{first.title}: subsets, % ({TIES_COUNT[first.reading]})",
        header=("Subset", "Items", *(label(one.metrics.scorer) for one in items)),
        rows=tuple(rows),
    )
