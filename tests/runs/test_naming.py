"""Names of runs: those of one model are told apart by where they lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Design
from rmjudge.runs.naming import about, labels
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens


def result(name: str, folder: str | None) -> ScorerResult:
    return ScorerResult(
        metrics=compute_metrics(name, "pairwise", "both", {}),
        tuples=(),
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        notes=(),
        folder=None if folder is None else Path(folder),
    )


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["runs/a", "runs/b"], ["m (a)", "m (b)"]),
        (["runs/a/m", "runs/b/m"], ["m (a)", "m (b)"]),
        (["x/1/runs/m", "y/runs/m", "x/runs/m"], ["m (x/1)", "m (y)", "m (x)"]),
        (["runs/o", "runs/o/m"], ["m (o)", "m (o/m)"]),
        (["runs/m/m", "runs/m"], ["m (m/m)", "m (m)"]),
        ([None, None, None], ["m", "m (2)", "m (3)"]),
        (["runs/a", "./runs/a"], ["m", "m (2)"]),
        (["runs/a\x1b[2J", "runs/b"], ["m (a[2J)", "m (b)"]),
    ],
)
def test_a_name_that_recurs_gets_what_differs_of_the_folders(
    folders: list[str | None], expected: list[str]
) -> None:
    assert labels([result("m", folder) for folder in folders]) == expected


def test_a_name_of_its_own_stays_as_it_is_and_is_not_taken_by_another() -> None:
    found = labels([result("m (2)", None), result("m", None), result("m", None)])
    assert found == ["m (2)", "m", "m (3)"]
    assert labels([result("m", "a"), result("n", "b")]) == ["m", "n"]


def test_how_a_run_was_made_and_where_it_lies_is_told() -> None:
    assert about(result("m", "runs/a")) == "pairwise, both orders, runs/a"
    live = result("m", None)
    plain = replace(live, metrics=replace(live.metrics, order=None))
    assert about(plain) == "pairwise"


def test_the_cells_and_the_tuples_asked_twice_are_told() -> None:
    live = result("m", None)
    few = replace(live.metrics, order="audit", design=Design(cells=3, audit=0.15))
    assert (
        about(replace(live, metrics=few))
        == "pairwise, seeded order, both on 15 % of the tuples, 3 of 9 cells"
    )
