"""A run's results as a tool would read them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.metrics.accuracy import Accuracies, accuracies_of, macro, mean
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import TIE, Credits, Matrix
from rmjudge.readings.tools import TOOLS, Tool
from rmjudge.runs.results import ScorerResult, TupleResult
from rmjudge.vocabulary import CELLS, Domain, in_order

DROPPED_ABOVE: Final = 3
"""RM-Gallery drops a tuple with more failed cells than this."""
_QUARTERS: Final = frozenset((0.0, 0.25, 0.5, 0.75, 1.0))
"""What one verdict in words for each of two orders can average to."""


@dataclass(frozen=True, slots=True)
class ToolNumbers:
    """A tool's numbers, or in `unavailable` what the run lacks for them.

    `domains` holds what the tool says of single domains; `why` is the difference to ours in
    words.
    """

    tool: Tool
    domains: Mapping[Domain, Accuracies]
    overall: Accuracies
    difference: float | None = None
    why: str = ""
    unavailable: str = ""


def read_as(result: ScorerResult, names: Iterable[str] | None = None) -> list[ToolNumbers]:
    """Read a run as each of the tools named, all by default, that have a way with its method."""
    wanted = None if names is None else set(names)
    method = result.metrics.method
    mine = [tool for tool in TOOLS if wanted is None or tool.name in wanted]
    there = {tool.name for tool in mine if tool.method == method}
    readings: list[ToolNumbers] = []
    for tool in mine:
        if tool.method == method:
            readings.append(_read(result, tool))
        elif tool.name not in there:
            what = "verdicts on pairs" if tool.method == "pairwise" else "a score for each response"
            readings.append(_unavailable(tool, what))
    return readings


def _unavailable(tool: Tool, lacks: str) -> ToolNumbers:
    return ToolNumbers(tool, {}, Accuracies(None, None, None, None), unavailable=lacks)


def _read(result: ScorerResult, tool: Tool) -> ToolNumbers:
    if result.metrics.unasked_cells:
        lacks = f"all nine cells; run with --cells {len(CELLS)}, which buys the rest"
        return _unavailable(tool, lacks)
    if lacks := _lacks(result, tool):
        return _unavailable(tool, lacks)
    by_domain: dict[Domain, list[TupleResult]] = defaultdict(list)
    for item in result.tuples:
        by_domain[item.domain].append(item)
    present = {domain: by_domain[domain] for domain in in_order(by_domain)}
    domains, overall = _numbers(tool, present)
    ours = result.metrics.headline.average
    difference = None
    if ours is not None and overall.average is not None:
        difference = overall.average - ours
    return ToolNumbers(tool, domains, overall, difference, _why(result, tool, difference))


def _lacks(result: ScorerResult, tool: Tool) -> str:
    """Name what a run must have for this tool and has not."""
    metrics = result.metrics
    asked = "both" if metrics.order == "both" else "one"
    if tool.asks == "one" and asked == "both":
        return "one order a pair, and a run in both keeps their mean only; run with --order seeded"
    if tool.asks == "both" and asked == "one":
        return "both orders; run with --order both"
    if tool.stops and metrics.unscored_cells:
        return f"every score, and {metrics.unscored_cells} cells are not scored"
    credits = [credit for item in result.tuples for credit in _known(item.credits)]
    if tool.tie is None and TIE in credits:
        ties = sum(credit == TIE for credit in credits)
        return (
            f"a judge without ties, and {ties} cells are tied; run with --method pairwise-two-level"
        )
    if tool.win == "both-orders" and not _QUARTERS.issuperset(credits):
        return "each order's verdict, and the run keeps means of probabilities or of votes"
    return ""


def _known(credits: Credits) -> list[float]:
    return [credit for row in credits for credit in row if credit is not None]


def _numbers(
    tool: Tool, present: Mapping[Domain, Sequence[TupleResult]]
) -> tuple[dict[Domain, Accuracies], Accuracies]:
    if tool.averaging == "rm-gallery":
        tuples = [item for items in present.values() for item in items]
        dropped = _dropped(tool, tuples)
        out = {item.key for item in dropped}
        kept = [item.credits for item in tuples if item.key not in out]
        return {}, accuracies_of(_matrix(tool, kept))
    if tool.averaging == "four-way":
        domains = {
            domain: Accuracies(None, None, None, mean(map(_four_way, items)))
            for domain, items in present.items()
        }
        return domains, Accuracies(None, None, None, mean(d.average for d in domains.values()))
    domains = {}
    for domain, items in present.items():
        matrix = _matrix(tool, [item.credits for item in items])
        if tool.averaging == "rm-r1":
            matrix = as_rm_r1_fills_it(matrix)
        domains[domain] = accuracies_of(matrix)
    return domains, macro({str(domain): part for domain, part in domains.items()})


def _dropped(tool: Tool, tuples: Sequence[TupleResult]) -> list[TupleResult]:
    """The tuples that RM-Gallery leaves out as a whole; no other tool drops one."""
    if tool.averaging != "rm-gallery":
        return []
    return [item for item in tuples if len(CELLS) - len(_known(item.credits)) > DROPPED_ABOVE]


def _matrix(tool: Tool, tuples: Sequence[Credits]) -> Matrix:
    """Average what each cell counts; None where nothing is left to average."""
    grid: list[tuple[float | None, ...]] = []
    for i in range(3):
        counted = [[_counts(tool, credits[i][j]) for credits in tuples] for j in range(3)]
        kept = [[value for value in column if value is not None] for column in counted]
        grid.append(tuple(math.fsum(values) / len(values) if values else None for values in kept))
    return tuple(grid)


def _counts(tool: Tool, credit: float | None) -> float | None:
    if credit is None:
        return tool.failure
    if tool.win == "mean":
        return credit
    if tool.win == "both-orders":
        return float(credit == 1.0)
    return tool.tie if credit == TIE else float(credit > TIE)


def as_rm_r1_fills_it(matrix: Matrix) -> Matrix:
    """Fill the matrix as RM-R1's script does, which opens the third file twice.

    The second file holds m01, m12 and m20, the third m02, m10 and m21, in this order.
    """
    (m00, _, m02), (m10, m11, _), (_, m21, m22) = matrix
    return ((m00, m02, m02), (m10, m11, m10), (m21, m21, m22))


def _four_way(item: TupleResult) -> float:
    """The mean over the three chosen of 1/k as one of k top ratings among four."""
    chosen, rejected = item.score_chosen or (None,) * 3, item.score_rejected or (None,) * 3
    return math.fsum(_best_of_four(one, rejected) for one in chosen) / 3


def _best_of_four(chosen: float | None, rejected: Sequence[float | None]) -> float:
    others = [value for value in rejected if value is not None]
    if chosen is None or len(others) < len(rejected):
        return 0.25
    top = max(chosen, *others)
    return 1.0 / (1 + others.count(top)) if chosen == top else 0.0


def _why(result: ScorerResult, tool: Tool, difference: float | None) -> str:
    """Name what makes the tool's average another than ours, with its size in this run."""
    if difference is not None and abs(difference) < 5e-7 and tool.averaging != "rm-r1":
        return "Equal to ours."
    metrics = result.metrics
    known = [credit for item in result.tuples for credit in _known(item.credits)]
    causes: list[str] = []
    ties = sum(credit == TIE for credit in known)
    ours = 0.0 if metrics.reading == "strict" else TIE
    if tool.averaging == "four-way":
        causes.append("it asks another question")
    elif ties and tool.win == "sign" and tool.tie != ours:
        causes.append(f"{_count(ties, 'tie')} {tool.tie:g} instead of {ours:g}")
    if tool.win == "both-orders" and (split := sum(0.0 < credit < 1.0 for credit in known)):
        causes.append(f"{_count(split, 'pair')} 0, not being won in both orders")
    elif tool.win == "sign" and tool.asks == "both":
        leaning = sum(0.0 < credit < 1.0 and credit != TIE for credit in known)
        if leaning:
            causes.append(f"{_count(leaning, 'pair')} 1 or 0 for winning or losing a share")
    dropped = _dropped(tool, result.tuples)
    failed = metrics.unscored_cells - sum(len(CELLS) - len(_known(one.credits)) for one in dropped)
    if failed and tool.failure is not None:
        counted = f"{tool.failure:g} instead of being left out"
        causes.append(f"{_count(failed, 'unscored cell')} {counted}")
    if tool.averaging == "rm-r1":
        causes.append("m02, m10 and m21 count twice and m01, m12 and m20 not at all")
    if tool.averaging == "rm-gallery":
        causes += _gallerys_causes(metrics, len(dropped))
    return f"Differs because {'; '.join(causes)}." if causes else "Differs in rounding only."


def _gallerys_causes(metrics: Metrics, dropped: int) -> Iterator[str]:
    """What RM-Gallery alone does: it drops tuples, and has one matrix over all domains."""
    if dropped:
        noun = "tuple is" if dropped == 1 else "tuples are"
        yield f"{dropped:,} {noun} dropped for having more than {DROPPED_ABOVE} failed cells"
    sizes = [part.tuples for part in metrics.domains.values()]
    if len(sizes) > 1 and (dropped or len(set(sizes)) > 1):
        yield "domains weigh by their tuples"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what} counts" if number == 1 else f"{number:,} {what}s count"
