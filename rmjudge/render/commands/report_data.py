"""A report as JSON and CSV, for scripts; Markdown and LaTeX are beside it.

JSON and CSV hold fractions; Markdown and LaTeX (`report_documents`) percent, as the terminal
does. Names are clean and inert in each format; what is unknown is null, an empty field or a dash.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from rmjudge.calls import Json
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.codec import metrics_to_json
from rmjudge.metrics.conclusion import Conclusion
from rmjudge.metrics.report import DomainMetrics, Interval, Intervals, Metrics
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.commands.report_documents import to_latex, to_markdown
from rmjudge.render.figures import known
from rmjudge.runs.conclusions import conclusions
from rmjudge.runs.files import bill_to_json, calls_to_json, tokens_to_json
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult
from rmjudge.text import csv_cell, label, one_line
from rmjudge.vocabulary import CELLS, DOMAINS, PARTS, STYLES, in_order, is_benchmark

__all__ = ["to_csv", "to_json", "to_latex", "to_markdown"]

JSON_FORMAT: Final = 1
CSV_HEADER: Final = ("scorer", "domain", "measure", "value", "low", "high")

CsvRow: TypeAlias = tuple[str, float | None, float | None, float | None]


def to_json(reports: Sequence[ScorerResult]) -> str:
    """Write one object: `format` and `scorers`, each its `metrics.json` with calls, cost and note.

    `conclusion` says whether it judges substance or style; null where that is not asked of it.
    The names are the same as in the tables, no two alike. ASCII only, so that no name can reach a
    terminal as anything but text.
    """
    said = dict(conclusions(reports))
    scorers: list[Json] = [
        {**_scorer_json(name, report), "conclusion": _concluded(said.get(name))}
        for name, report in zip(labels(reports), reports, strict=True)
    ]
    document: Json = {"format": JSON_FORMAT, "scorers": scorers}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _concluded(found: Conclusion | None) -> Json:
    return None if found is None else {"judges": found.judges, "text": found.text}


def _scorer_json(name: str, report: ScorerResult) -> dict[str, Json]:
    metrics = metrics_to_json(report.metrics)
    if report.metrics.shares is not None:
        shares: dict[str, Json] = {
            label(who): count for who, count in report.metrics.shares.by_scorer.items()
        }
        metrics["shares"] = {"by_scorer": shares, "tuples": report.metrics.shares.tuples}
    return {
        **metrics,
        "scorer": name,
        "calls": calls_to_json(report.calls),
        "tokens": tokens_to_json(report.tokens),
        "cost": report.cost,
        "cost_known": report.cost_known,
        "in_all": bill_to_json(report.in_all),
        "note": one_line(report.note),
    }


def _value(accuracies: Accuracies, part: str) -> float | None:
    value: float | None = getattr(accuracies, part)
    return known(value)


def _interval(intervals: Intervals, part: str) -> Interval | None:
    interval: Interval | None = getattr(intervals, part)
    return interval


def to_csv(reports: Sequence[ScorerResult]) -> str:
    """Write tidy rows `scorer,domain,measure,value,low,high`; fractions, empty where unknown.

    `domain` is a domain, `all` for an average over all four, or what an incomplete average
    is over, such as `chat+safety`: so no incomplete number passes for a full one. A missing
    domain has one row, an `average` without a value.

    Measures: `easy`, `normal`, `hard`, `average` in the headline reading with their 95 %
    interval; the same as `strict:easy` and `half_credit:easy`; `cell:concise>markdown` for
    the chosen concise and the rejected Markdown (`cell_tuples:...`, how many tuples have it, where
    not all cells were asked); `tie_rate`, `split_rate` and `unscored_rate`
    with their intervals; the counts `tuples` and `unscored_cells`; `bounds`, the average with the
    unscored cells all wrong and all right; and for a judge `first_share`,
    `swap_consistency` and `swap:concise>markdown`.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for name, report in zip(labels(reports), reports, strict=True):
        for domain, row in _csv_rows(report.metrics):
            measure, *numbers = row
            writer.writerow((csv_cell(name), domain, measure, *map(_csv_number, numbers)))
    return stream.getvalue()


def _csv_number(value: float | None) -> str:
    if isinstance(value, int):
        return str(value)
    number = known(value)
    return "" if number is None else f"{number:.6f}"


def _csv_rows(metrics: Metrics) -> Iterable[tuple[str, CsvRow]]:
    present = in_order(metrics.domains)
    for domain in in_order((*DOMAINS, *present)):
        if domain not in present:
            yield domain, ("average", None, None, None)
            continue
        yield from ((domain, row) for row in _csv_measures(metrics.domains[domain]))
        yield from ((domain, row) for row in _csv_cells("cell", metrics.domains[domain].matrix))
        counts = metrics.domains[domain].cell_tuples or ()
        yield from ((domain, row) for row in _csv_cells("cell_tuples", counts))
    over = "all" if is_benchmark(present) else "+".join(present) or "none"
    yield from ((over, row) for row in _csv_measures(metrics))
    if metrics.position:
        position = metrics.position
        yield over, ("first_share", position.first_share, *_ends(position.first_interval))
        yield (
            over,
            ("swap_consistency", position.swap_consistency, *_ends(position.swap_interval)),
        )
        yield from ((over, row) for row in _csv_cells("swap", position.swap_matrix or ()))


def _csv_measures(numbers: Metrics | DomainMetrics) -> Iterable[CsvRow]:
    for part in PARTS:
        ends = _ends(_interval(numbers.intervals, part))
        yield part, _value(numbers.headline, part), *ends
    for part in PARTS:
        yield f"strict:{part}", _value(numbers.strict, part), None, None
    for part in PARTS:
        yield f"half_credit:{part}", _value(numbers.half_credit, part), None, None
    cells = numbers.asked_cells
    unscored = numbers.unscored_cells / cells if cells else None
    yield "tie_rate", numbers.tie_rate, *_ends(numbers.rates.tie)
    yield "split_rate", numbers.split_rate, *_ends(numbers.rates.split)
    yield "unscored_rate", unscored, *_ends(numbers.rates.unscored)
    yield "tuples", numbers.tuples, None, None
    yield "unscored_cells", numbers.unscored_cells, None, None
    yield "bounds", None, numbers.bounds.low, numbers.bounds.high


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def _csv_cells(kind: str, matrix: Matrix) -> Iterable[CsvRow]:
    if not matrix:
        return
    for i, j in CELLS:
        yield f"{kind}:{STYLES[i]}>{STYLES[j]}", matrix[i][j], None, None
