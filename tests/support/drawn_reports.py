"""Results with figures that are known, and what a terminal of a fixed width shows of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console, RenderableType

from rmjudge.metrics.accuracy import accuracies_of, macro
from rmjudge.metrics.report import DomainMetrics, Interval, Intervals, Metrics, Position, Reading
from rmjudge.metrics.tallies import Matrix
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.vocabulary import DOMAINS, Domain

FAIR: Matrix = ((0.7, 0.6, 0.5), (0.8, 0.7, 0.6), (0.9, 0.8, 0.7))
FAIR_STRICT: Matrix = ((0.65, 0.55, 0.45), (0.75, 0.65, 0.55), (0.85, 0.75, 0.65))
LENGTH: Matrix = ((0.5, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.5))
EMPTY: Matrix = ((None, 0.6, 0.5), (0.8, None, 0.6), (0.9, 0.8, None))
CALLS = CallCounts(
    planned=1161, from_cache=1000, sent=161, retried=7, failed=2, unscored=5, maybe_billed=1
)


def result(metrics: Metrics, note: str) -> ScorerResult:
    return ScorerResult(
        metrics=metrics,
        tuples=(),
        calls=CALLS,
        tokens=Tokens(),
        cost=0.0123,
        cost_known=True,
        statuses={},
        models={},
        notes=(note,) if note else (),
    )


NO_INTERVALS = Intervals(None, None, None, None)


def around(value: float | None, half: float) -> Interval | None:
    return None if value is None else Interval(value - half, value + half)


def domain_metrics(
    matrix: Matrix, other: Matrix, *, reading: Reading, half: float | None, unscored: int
) -> DomainMetrics:
    headline, second = accuracies_of(matrix), accuracies_of(other)
    strict, credit = (headline, second) if reading == "strict" else (second, headline)
    intervals = NO_INTERVALS
    if half is not None:
        parts = (headline.easy, headline.normal, headline.hard, headline.average)
        intervals = Intervals(*(around(value, half) for value in parts))
    return DomainMetrics(
        tuples=129,
        matrix=matrix,
        headline=headline,
        strict=strict,
        half_credit=credit,
        intervals=intervals,
        tie_rate=0.031,
        unscored_cells=unscored,
        bounds=Interval(0.481, 0.513) if unscored else Interval(0.5, 0.5),
    )


def report(
    scorer: str,
    matrix: Matrix = FAIR,
    other: Matrix | None = None,
    *,
    domains: Sequence[Domain] = DOMAINS,
    reading: Reading = "half_credit",
    half: float | None = 0.021,
    unscored: int = 0,
    position: Position | None = None,
) -> ScorerResult:
    by_domain = {
        domain: domain_metrics(
            matrix,
            other or matrix,
            reading=reading,
            half=half,
            unscored=unscored if domain == domains[0] else 0,
        )
        for domain in domains
    }
    headline = macro({name: part.headline for name, part in by_domain.items()})
    average = around(headline.average, half) if half is not None else None
    metrics = Metrics(
        scorer=scorer,
        method="pairwise" if reading == "half_credit" else "pointwise",
        order="both" if reading == "half_credit" else None,
        reading=reading,
        tuples=129 * len(domains),
        domains=by_domain,
        missing_domains=tuple(domain for domain in DOMAINS if domain not in domains),
        headline=headline,
        strict=macro({name: part.strict for name, part in by_domain.items()}),
        half_credit=macro({name: part.half_credit for name, part in by_domain.items()}),
        intervals=replace(NO_INTERVALS, average=average),
        tie_rate=0.031,
        unscored_cells=unscored,
        bounds=Interval(0.481, 0.513) if unscored else Interval(0.5, 0.5),
        position=position,
    )
    return result(metrics, "")


def draw(shown: RenderableType | Sheet, width: int = 80, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=stream, width=width, color_system=None, legacy_windows=False)
    console.print(sheets_renderable([shown]) if isinstance(shown, Sheet) else shown)
    stream.flush()
    return raw.getvalue().decode(encoding)


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def everything() -> list[ScorerResult]:
    swap = Position(decided=900, first_share=0.557, swap_consistency=0.812, swap_matrix=FAIR)
    return [
        report("openai/gpt-4.1", FAIR, FAIR_STRICT, unscored=12, position=swap),
        report(
            "openrouter/deepseek/deepseek-r1-0528",
            domains=("chat", "safety"),
            position=Position(decided=900, first_share=0.51),
        ),
        report("hf/Skywork/Skywork-Reward-V2-Llama-3.1-8B", EMPTY, reading="strict", half=None),
        report("baseline/length", LENGTH, reading="strict"),
    ]
