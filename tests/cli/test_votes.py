"""`rmjudge run --votes`: what several answers of a judge buy, what they count, what is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from quiet_runs import Command, cells, quietly, written

from rmjudge.cli import main

if TYPE_CHECKING:
    from served import ModelServer


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    return quietly(capsys)


def test_three_votes_are_three_calls_and_five_buy_two_more(
    run: Command, server: ModelServer
) -> None:
    code, err = run(server.judge, "--votes", 3)
    assert code == 0, err
    assert server.stats["received"] == 27
    assert (server.stats["distinct"], server.stats["most_delivered_of_one"]) == (9, 3)
    assert written("run.json")["calls"]["planned"] == 27

    server.reset()
    code, err = run(server.judge, "--votes", 5)
    assert code == 0, err
    assert (server.stats["received"], server.stats["most_delivered_of_one"]) == (18, 2)
    calls = written("run.json")["calls"]
    assert (calls["planned"], calls["from_cache"], calls["sent"]) == (45, 27, 18)

    server.reset()
    assert run(server.judge, "--votes", 3)[0] == 0
    assert server.stats["received"] == 0


def test_votes_are_asked_for_with_chance_and_a_single_answer_without(
    run: Command, server: ModelServer
) -> None:
    run(server.judge)
    run(server.judge, "--votes", 2)
    assert server.stats["received"] == 9 + 18
    assert [body["temperature"] for body in server.stats["bodies"]][-18:] == [1] * 18


def test_where_a_judge_takes_no_temperature_its_single_answer_is_the_first_vote(
    run: Command, server: ModelServer
) -> None:
    judge = f"anthropic/m@{server.root}"
    run(judge)
    assert run(judge, "--votes", 3)[0] == 0
    assert server.stats["received"] == 27
    assert server.stats["distinct"] == 9


def test_a_cell_that_lost_some_votes_is_scored_by_the_others(
    run: Command, server: ModelServer
) -> None:
    run(server.judge)
    alone = cells()
    assert {0.0, 1.0} <= set(alone)
    # Nine of ninety votes are lost: whichever they are, each cell has one left.
    server.control(script=["no-verdict"] * 9)
    code, err = run(server.judge, "--votes", 10)
    assert code == 0, err
    assert written("run.json")["calls"]["unscored"] == 9
    assert cells() == alone


def test_the_cache_explains_a_run_of_several_votes(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--votes", 3)
    run(server.judge, "--votes", 3)
    capsys.readouterr()
    assert main(["cache", "explain", "o", "--json"]) == 0
    (explained,) = json.loads(capsys.readouterr().out)["explain"]
    assert (explained["calls"], explained["found"]) == (27, 27)


def test_a_dry_run_counts_the_votes_that_are_still_to_be_bought(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge, "--votes", 3)
    capsys.readouterr()
    assert (
        main(["run", server.judge, "--data", "data.json", "--votes", "5", "--dry-run", "--json"])
        == 0
    )
    (estimate,) = json.loads(capsys.readouterr().out)["dry_run"]
    assert (estimate["planned"], estimate["from_cache"], estimate["to_buy"]) == (45, 27, 18)


def test_a_dry_run_counts_a_call_that_waits_for_a_known_one_once(
    run: Command, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(server.judge)
    capsys.readouterr()
    words = ["--data", "data.json", "--order", "adaptive", "--dry-run", "--json"]
    assert main(["run", server.judge, *words]) == 0
    (estimate,) = json.loads(capsys.readouterr().out)["dry_run"]
    assert (estimate["planned"], estimate["from_cache"], estimate["to_buy"]) == (18, 9, 9)
