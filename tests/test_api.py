"""rmjudge from Python: scripts, notebooks, coroutines, several scorers, runs read back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from own_scorers import Counting, Politeness, Shorter, files

import rmjudge
from rmjudge.vocabulary import CELLS, DOMAINS

# Where it is called from


def test_evaluate_returns_the_numbers() -> None:
    run = rmjudge.evaluate("baseline/length", out="o")
    metrics = run["baseline/length"].metrics
    assert metrics.tuples == 40
    assert list(metrics.domains) == list(DOMAINS)
    assert metrics.complete
    assert (run.exit_code, run.stopped, run.folder) == (0, None, Path("o"))


async def test_evaluate_works_where_a_loop_is_running_as_in_a_notebook() -> None:
    run = rmjudge.evaluate("baseline/length", out="o")
    assert run["baseline/length"].metrics.tuples == 40


def test_evaluate_works_again_and_again_in_one_loop() -> None:
    async def notebook() -> list[rmjudge.Run]:
        return [rmjudge.evaluate(Counting(), out="o", limit=1) for _ in range(2)]

    first, second = asyncio.run(notebook())
    assert first["mine/counting"].calls.sent == 24
    assert second["mine/counting"].calls.sent == 0


async def test_aevaluate_is_the_same_as_a_coroutine() -> None:
    awaited = await rmjudge.aevaluate("baseline/length", out="o")
    called = rmjudge.evaluate("baseline/length", out="p")
    assert awaited["baseline/length"].metrics == called["baseline/length"].metrics


async def test_several_runs_can_be_under_way_in_one_loop() -> None:
    one, other = await asyncio.gather(
        rmjudge.aevaluate(Counting(), out="one", limit=1),
        rmjudge.aevaluate(Politeness(), out="other", limit=1),
    )
    assert one["mine/counting"].calls.sent == other["mine/politeness"].calls.sent == 24


def test_progress_is_for_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    rmjudge.evaluate("baseline/length", out="o", progress=True)
    assert capsys.readouterr().out == ""


def test_nothing_is_printed_unasked(capfd: pytest.CaptureFixture[str]) -> None:
    rmjudge.evaluate("baseline/length", out="o")
    assert capfd.readouterr() == ("", "")


# Several scorers


def test_every_scorer_of_a_run_has_its_result_under_its_name() -> None:
    run = rmjudge.evaluate(["baseline/length", Shorter()], out="o")
    assert [result.metrics.scorer for result in run.results] == ["baseline/length", "mine/shorter"]
    assert run["mine/shorter"].metrics.scorer == "mine/shorter"
    assert sorted(files(Path("o"))) == [
        "baseline-length/metrics.json",
        "baseline-length/results.jsonl",
        "mine-shorter/metrics.json",
        "mine-shorter/results.jsonl",
    ]


def test_a_scorer_that_a_run_does_not_have_is_a_key_error() -> None:
    run = rmjudge.evaluate("baseline/length", limit=1, out="o")
    with pytest.raises(KeyError, match="baseline/markdown"):
        run["baseline/markdown"]


def test_a_run_beside_another_scorer_writes_the_bytes_it_writes_alone() -> None:
    rmjudge.evaluate([Shorter(), "baseline/length"], out="both")
    rmjudge.evaluate(Shorter(), out="alone")
    assert files(Path("both/mine-shorter")) == files(Path("alone"))


def test_a_run_is_a_collection_of_results() -> None:
    run = rmjudge.evaluate(["baseline/length", "baseline/random"], limit=1, out="o")
    assert [result.metrics.scorer for result in run] == ["baseline/length", "baseline/random"]
    assert len(run) == 2
    assert "TupleResult" not in repr(run)


# When it goes wrong half-way


def test_a_run_that_stops_raises_its_reason_keeps_its_answers_and_goes_on_when_called_again() -> (
    None
):
    stop = rmjudge.ProviderStopped("the quota is used up")
    with pytest.raises(rmjudge.StopRun) as caught:
        rmjudge.evaluate(Counting(10, stop), out="o", limit=1)
    assert caught.value is stop
    stopped = rmjudge.load("o")["mine/counting"]
    assert (stopped.stopped, stopped.metrics.complete) == ("the quota is used up", False)
    scorer = Counting()
    run = rmjudge.evaluate(scorer, out="o", limit=1)
    assert scorer.calls == 24 - 9
    assert run["mine/counting"].metrics.complete


def test_an_error_of_a_scorer_is_that_calls_failure_and_mended_code_is_asked_for_it_alone() -> None:
    broken = rmjudge.evaluate(Counting(10, ZeroDivisionError("my own bug")), out="o", limit=1)
    result = broken["mine/counting"]
    assert (broken.exit_code, result.statuses) == (1, {"error": 1})
    assert "1 calls error (first: ZeroDivisionError: my own bug)" in result.notes
    (trace,) = json.loads(Path("o/run.json").read_text())["traces"]
    assert "raise self.error" in trace
    assert "ZeroDivisionError: my own bug" in trace

    mended = Counting()
    run = rmjudge.evaluate(mended, out="o", limit=1)
    assert mended.calls == 1
    assert run["mine/counting"].metrics.complete
    assert "traces" not in json.loads(Path("o/run.json").read_text())


# Reading runs back


def test_load_reads_back_what_evaluate_returned() -> None:
    run = rmjudge.evaluate([Shorter(), "baseline/length"], out="o")
    loaded = rmjudge.load("o")
    for name in ("mine/shorter", "baseline/length"):
        assert loaded[name] == run[name]


def test_load_puts_several_folders_together() -> None:
    rmjudge.evaluate("baseline/length", out="one")
    rmjudge.evaluate(["baseline/markdown", "baseline/random"], out="two")
    loaded = rmjudge.load("one", Path("two"))
    assert [result.metrics.scorer for result in loaded.results] == [
        "baseline/length",
        "baseline/markdown",
        "baseline/random",
    ]


def test_load_needs_a_folder() -> None:
    with pytest.raises(TypeError, match="at least one folder"):
        rmjudge.load()


def test_load_of_a_folder_without_a_run_is_told() -> None:
    with pytest.raises(rmjudge.UsageError, match="nowhere: no such folder"):
        rmjudge.load("nowhere")


def test_a_tuples_line_has_its_cells() -> None:
    run = rmjudge.evaluate(Shorter(), limit=2, domains=["chat"], out="o")
    for item in run["mine/shorter"].tuples:
        assert item.matrix is not None
        assert sum(item.matrix[i][j] is not None for i, j in CELLS) == 9


@pytest.mark.parametrize("name", rmjudge.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(rmjudge, name) is not None


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'wibble'"):
        rmjudge.wibble  # noqa: B018
