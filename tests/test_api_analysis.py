"""Several finished runs from Python: what compare, style and report give back."""

from __future__ import annotations

import inspect
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

import rmjudge
from rmjudge import errors


@pytest.fixture
def run() -> rmjudge.Run:
    return rmjudge.evaluate(["baseline/length", "baseline/random"], limit=2, out="both")


def shown(found: object) -> str:
    console = Console(file=StringIO(), width=100)
    console.print(found)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_compare_takes_a_run_and_gives_the_numbers_of_its_scorers(run: rmjudge.Run) -> None:
    found = rmjudge.compare(run)
    (pair,) = found.comparison.pairs
    accuracies = [result.metrics.headline.average for result in run]
    assert [pair.headline.first, pair.headline.second] == pytest.approx(accuracies)
    assert "A baseline/length against B baseline/random" in shown(found)


def test_compare_takes_folders_and_runs_that_were_read_from_several(run: rmjudge.Run) -> None:
    for name in ("length", "random"):
        rmjudge.evaluate(f"baseline/{name}", limit=2, out=name)
    apart = rmjudge.compare("length", "random").comparison
    assert rmjudge.compare(rmjudge.load("length", "random")).comparison == apart
    assert apart == rmjudge.compare(run).comparison


def test_style_gives_a_report_for_each_scorer_and_baseline(run: rmjudge.Run) -> None:
    found = rmjudge.style(run)
    assert [item.name for item in found] == [
        f"baseline/{n}" for n in ("length", "random", "markdown")
    ]
    assert "What style is worth" in shown(found)


def test_report_puts_runs_together(run: rmjudge.Run) -> None:
    found = rmjudge.report(run, "both")
    assert [result.metrics.scorer for result in found][:2] == ["baseline/length", "baseline/random"]
    assert "baseline/random" in shown(found)


@pytest.mark.parametrize("function", [rmjudge.compare, rmjudge.style, rmjudge.report])
def test_what_is_no_run_is_told(function: Any) -> None:
    with pytest.raises(rmjudge.UsageError, match="3 is not the folder of a run"):
        function(3)
    with pytest.raises(TypeError, match="takes at least one"):
        function()


def test_every_error_and_function_is_listed_and_can_be_had() -> None:
    named = [name for name, item in vars(errors).items() if inspect.isclass(item)]
    known = [name for name in named if issubclass(getattr(errors, name), errors.RmjudgeError)]
    assert {*known, "compare", "evaluate", "load", "report", "style"} <= set(dir(rmjudge))
    for name in rmjudge.__all__:
        assert getattr(rmjudge, name) is not None
    assert all(getattr(rmjudge, name) is getattr(errors, name) for name in known)
