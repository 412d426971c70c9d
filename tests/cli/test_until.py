"""`rmjudge run --until`: asks until the interval is narrow enough, then says what that saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quiet_runs import Command, quietly, tuples, written

from rmjudge.cli import main
from rmjudge.dataset import load
from rmjudge.running.stopping import blocks_of

if TYPE_CHECKING:
    from served import ModelServer

TUPLES = 80


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    command = quietly(capsys)
    tuples(TUPLES)
    return command


def half(part: str = "average") -> float:
    ends = written("metrics.json")["intervals"][part]
    return float(ends["high"] - ends["low"]) / 2


def results() -> list[dict[str, Any]]:
    lines = Path("o/results.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("target", "part"), [("±8", "average"), ("hard+-12", "hard")])
def test_a_run_stops_after_the_block_that_made_the_interval_narrow_enough(
    run: Command, server: ModelServer, target: str, part: str
) -> None:
    code, err = run(server.judge, "--until", target)
    assert code == 0, err
    found = results()
    assert 10 <= len(found) < TUPLES
    assert len(found) % 10 == 0
    assert server.stats["received"] == 9 * len(found)
    assert half(part) <= float(target.lstrip("hard±+-")) / 100
    assert written("metrics.json")["design"]["tuples_of"] == TUPLES
    # The first blocks in hashed order, in the order of the data.
    asked = {
        i for block in blocks_of(list(load(["data.json"])), 8)[: len(found) // 10] for i in block
    }
    assert [line["id"] for line in found] == sorted(asked)
    # One block less was not enough.
    said = " ".join(written("run.json")["notes"])
    assert f"stopped after {len(found)} of {TUPLES} tuples" in said
    assert f"{9 * (TUPLES - len(found))} of {9 * TUPLES} calls saved" in said


def test_the_same_command_again_stops_at_the_same_bytes_even_with_more_in_the_cache(
    run: Command, server: ModelServer
) -> None:
    run(server.judge, "--until", "±8")
    before = {name: Path("o", name).read_bytes() for name in ("metrics.json", "results.jsonl")}
    server.reset()
    run(server.judge)
    assert len(results()) == TUPLES
    assert server.stats["received"] == 9 * TUPLES - 9 * before["results.jsonl"].count(b"\n")
    run(server.judge, "--until", "±8", "--concurrency", 3)
    assert {name: Path("o", name).read_bytes() for name in before} == before


def test_an_interval_that_stays_wider_is_told(run: Command, server: ModelServer) -> None:
    assert run(server.judge, "--until", "±0.5")[0] == 0
    assert len(results()) == TUPLES
    assert "still wider than --until asks" in " ".join(written("run.json")["notes"])


def test_a_stopped_run_goes_on_at_the_block_it_was_in(run: Command, server: ModelServer) -> None:
    run(server.judge, "--until", "±8")
    whole = results()
    Path("o").rename("first")
    code, _ = run(server.judge, "--until", "±8", "--cache-dir", "other", "--max-calls", 100)
    assert code == 3
    server.reset()
    assert run(server.judge, "--until", "±8", "--cache-dir", "other")[0] == 0
    assert results() == whole
    assert server.stats["received"] == 9 * len(whole) - 100


def test_what_a_stopped_run_asked_is_planned_again(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--until", "±8")
    before = {name: Path("o", name).read_bytes() for name in ("metrics.json", "results.jsonl")}
    assert main(["reparse", "o", "--write"]) == 0
    assert {name: Path("o", name).read_bytes() for name in before} == before
    capsys.readouterr()


def test_rewards_stop_too(run: Command) -> None:
    assert run("baseline/random", "--until", "±8")[0] == 0
    assert len(results()) < TUPLES


@pytest.mark.parametrize("target", ["2%", "±0", "hart±3", "±60", "x"])
def test_a_target_that_is_none_is_refused(run: Command, target: str) -> None:
    code, err = run("baseline/random", "--until", target)
    assert code == 2
    assert "±POINTS" in err


def test_a_fallback_does_not_go_with_it(run: Command, server: ModelServer) -> None:
    code, err = run(server.judge, "--until", "±2", "--fallback", "baseline/length")
    assert code == 2
    assert "--fallback" in err
