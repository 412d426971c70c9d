"""`rmjudge run --cells 3`: a third of the calls, what it knows, and what the rest costs later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quiet_runs import Command, quietly, tuples, written

from rmjudge.cli import main

if TYPE_CHECKING:
    from served import ModelServer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    command = quietly(capsys)
    tuples(12)
    return command


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 0
    return capsys.readouterr().out


def matrices() -> list[Any]:
    lines = Path("o/results.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["matrix"] for line in lines]


def known(matrix: list[list[float | None]]) -> set[tuple[int, int]]:
    return {(i, j) for i in range(3) for j in range(3) if matrix[i][j] is not None}


def test_three_cells_are_a_third_of_the_calls_and_no_failure(
    run: Command, server: ModelServer
) -> None:
    code, err = run(server.judge, "--cells", 3)
    assert code == 0, err
    assert server.stats["received"] == 36
    metrics = written("metrics.json")
    assert metrics["design"] == {
        "cells": 3,
        "audit": None,
        "until": None,
        "tuples_of": None,
    }
    assert (metrics["unasked_cells"], metrics["unscored_cells"]) == (72, 0)
    assert metrics["complete"] is False
    assert list(metrics["bounds"].values()) == pytest.approx([metrics["average"]] * 2)
    assert all(len(known(matrix)) == 3 for matrix in matrices())
    counts = metrics["domains"]["chat"]["cell_tuples"]
    assert counts == [
        [sum((i, j) in known(matrix) for matrix in matrices()) for j in range(3)] for i in range(3)
    ]


def test_nine_cells_later_buy_the_rest_and_nothing_twice(run: Command, server: ModelServer) -> None:
    run(server.judge, "--cells", 3)
    few = matrices()
    server.reset()
    assert run(server.judge)[0] == 0
    assert server.stats["received"] == 72
    for part, whole in zip(few, matrices(), strict=True):
        assert all(part[i][j] == whole[i][j] for i, j in known(part))
    assert "design" not in written("metrics.json")
    server.reset()
    assert run(server.judge, "--cells", 3)[0] == 0
    assert server.stats["received"] == 0
    assert matrices() == few


def test_a_part_of_the_data_asks_the_same_cells(run: Command, server: ModelServer) -> None:
    run(server.judge, "--cells", 3)
    whole = matrices()
    server.reset()
    run(server.judge, "--cells", 3, "--limit", 5)
    assert server.stats["received"] == 0
    assert matrices() == whole[:5]


def test_an_answer_that_is_missing_is_unscored_and_a_cell_not_asked_is_not(
    run: Command, server: ModelServer
) -> None:
    server.control(script=["no-verdict"])
    code, _ = run(server.judge, "--cells", 3)
    assert code == 1
    metrics = written("metrics.json")
    assert (metrics["unscored_cells"], metrics["unasked_cells"]) == (1, 72)
    low, high = metrics["bounds"]["low"], metrics["bounds"]["high"]
    # One of the nine cells misses one of its few tuples.
    fewest = min(map(min, metrics["domains"]["chat"]["cell_tuples"]))
    assert 0 < high - low <= 1 / 9 / fewest


def test_the_matrices_say_how_many_tuples_a_cell_has(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--cells", 3)
    counts = written("metrics.json")["domains"]["chat"]["cell_tuples"]
    terminal = shown(capsys, "report", "o")
    assert "3 of 9 cells" in terminal
    rows = [line.split()[1:] for line in terminal.splitlines() if line.split()[:1] == ["tuples"]]
    assert rows == [list(map(str, row)) for row in counts]
    assert f"({counts[0][0]})" in shown(capsys, "report", "o", "--format", "markdown")


def test_what_runs_replay_and_read_again_is_what_was_asked(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--cells", 3)
    run(server.judge, "--cells", 3)  # of what a run has bought itself the cache says nothing
    (explained,) = json.loads(shown(capsys, "cache", "explain", "o", "--json"))["explain"]
    assert (explained["calls"], explained["found"]) == (36, 36)
    before = written("metrics.json")
    shown(capsys, "reparse", "o", "--json")
    assert written("metrics.json") == before
    assert "--cells 9" in shown(capsys, "readings", "o")


def test_two_judges_asked_the_same_third_are_compared_on_it(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--cells", 3)
    Path("o").rename("first")
    run(server.judge.replace("/m@", "/other@"))
    found = json.loads(shown(capsys, "compare", "first", "o", "--format", "json"))
    average = found["pairs"][0]["differences"][-1]
    assert average["tuples"] == 12
    first = json.loads(Path("first/metrics.json").read_text("utf-8"))
    assert average["first"] == pytest.approx(first["average"])


def test_rewards_fill_all_cells_and_say_so(run: Command) -> None:
    code, err = run("baseline/length", "--cells", 3)
    assert code == 0
    assert "--cells 3 is for judges of pairs" in err
    assert "design" not in written("metrics.json")


@pytest.mark.parametrize("cells", ["1", "0", "6", "x"])
def test_another_number_of_cells_is_refused(run: Command, server: ModelServer, cells: str) -> None:
    code, err = run(server.judge, "--cells", cells)
    assert code == 2
    assert "must be 9 or 3" in err
