"""What is asked of a run's results by those who run it unwatched: few lost cells, enough right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.options.run_kinds import allowed_of
from rmjudge.runs.comparable import BASELINE
from rmjudge.runs.items import ItemResult
from rmjudge.runs.naming import labels
from rmjudge.runs.results import ScorerResult

UNSCORED_EXIT: Final = 1
UNDER_EXIT: Final = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked of one scorer. `told` says what was found; `exit_code` is a failure's."""

    scorer: str
    name: str
    passed: bool
    told: str
    exit_code: int


def checks_of(
    results: Sequence[ScorerResult],
    allow_unscored: str | int = 0,
    fail_under: Mapping[str, float] | None = None,
) -> list[Check]:
    """Check each scorer. `fail_under` names parts of the headline and the least percentages.

    Baselines have no least to reach, nor has a fallback, which has scored what others left.
    """
    found: list[Check] = []
    for name, result in zip(labels(results), results, strict=True):
        found.append(_unscored(name, result, allow_unscored))
        partial = result.metrics.shares is not None and not result.combined
        if not partial and not result.metrics.scorer.startswith(BASELINE):
            found += _under(name, result, fail_under or {})
    return found


def checks_of_items(results: Sequence[ItemResult], allow_unscored: str | int = 0) -> list[Check]:
    """Check that each scorer on another set than RM-Bench leaves no more items than it may."""
    found = []
    for result in results:
        metrics = result.metrics
        lost = max(metrics.items - metrics.scored, int(not result.complete))
        allowed = allowed_of(allow_unscored, metrics.items) or 0
        told = (
            f"{lost:,} of {metrics.items:,} items of {metrics.title} have no score, {allowed:,} may"
        )
        name = f"items of {metrics.benchmark} without a score"
        found.append(Check(metrics.scorer, name, lost <= allowed, told, UNSCORED_EXIT))
    return found


def exit_code_of(checks: Sequence[Check]) -> int:
    """0, or that of the failure that says most: without enough cells no number is right."""
    return min((check.exit_code for check in checks if not check.passed), default=0)


def _unscored(name: str, result: ScorerResult, allowance: str | int) -> Check:
    cells, lost = result.metrics.asked_cells, result.metrics.unscored_cells
    allowed = allowed_of(allowance, cells) or 0
    told = f"{lost:,} of {cells:,} cells have no score, {allowed:,} may"
    return Check(name, "cells without a score", lost <= allowed, told, UNSCORED_EXIT)


def _under(name: str, result: ScorerResult, least: Mapping[str, float]) -> Iterator[Check]:
    for part, percent in least.items():
        value: float | None = getattr(result.metrics.headline, part)
        shown = "unknown" if value is None else f"{100 * value:.2f} %"
        enough = value is not None and 100 * value >= percent - 1e-9
        told = f"{part.capitalize()} is {shown}, {percent:g} % is the least"
        yield Check(name, f"{part} at least {percent:g} %", enough, told, UNDER_EXIT)
