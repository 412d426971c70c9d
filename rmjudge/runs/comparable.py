"""Which of several runs are counted, and which are held against each other."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.runs.stored import StoredRun
from rmjudge.text import label, one_line

BASELINE = "baseline/"


def distinct(runs: Sequence[StoredRun]) -> tuple[list[StoredRun], list[str]]:
    """Leave out a scorer that is there twice, with the same data and results; say what, and why.

    A copy of a run is no second run: it would stand twice in a table, take a rank of its own,
    and add tests to correct for.
    """
    kept: list[StoredRun] = []
    notes: list[str] = []
    for run in runs:
        twin = next((other for other in kept if _same(run, other)), None)
        if twin is None:
            kept.append(run)
        else:
            notes.append(
                f"{one_line(str(run.folder))} is left out: the same scorer and data as "
                f"{one_line(str(twin.folder))}, with the same results."
            )
    return kept, notes


def comparable(
    runs: Sequence[StoredRun], *, baselines: bool = False
) -> tuple[list[StoredRun], list[str]]:
    """Leave out what would only add tests to correct for; say what was left out and why.

    Those are copies (`distinct`) and, unless `baselines` are asked for, the baselines where two
    other scorers are there to be compared.
    """
    kept, notes = distinct(runs)
    others = [run for run in kept if not run.result.metrics.scorer.startswith(BASELINE)]
    if not baselines and 2 <= len(others) < len(kept):
        left = dict.fromkeys(label(r.result.metrics.scorer) for r in kept if r not in others)
        notes.append(
            f"Baselines left out: {', '.join(left)}; every scorer more is more tests to correct "
            "for (`rmjudge compare --baselines` compares them too)."
        )
        kept = others
    return kept, notes


def _same(one: StoredRun, other: StoredRun) -> bool:
    """Whether two runs asked one scorer about the same data, and brought the same."""
    return (
        one.result.metrics == other.result.metrics
        # The same tuples from two files are two runs that somebody wants to see agree.
        and one.record.label == other.record.label
        and one.result.tuples == other.result.tuples
        and one.record.identity is not None
        and one.record.digest is not None
        and one.record.identity == other.record.identity
        and one.record.digest == other.record.digest
    )
