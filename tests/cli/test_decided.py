"""`rmjudge run A B --until-decided`: two judges until one is found better, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quiet_runs import Command, quietly, tuples

import rmjudge
from rmjudge import PairwiseScorer
from rmjudge.cli import main
from rmjudge.errors import StopRun

TUPLES = 50


class Judge(PairwiseScorer):
    """Right about the chosen in so many of ten pairs, whichever order they are shown in."""

    version = "1"

    def __init__(self, name: str, tenths: int, stop_at: int | None = None) -> None:
        type(self).name = name
        super().__init__()
        self.name = name
        self.identity = {**self.identity, "model": name}
        self.tenths = tenths
        self.stop_at = stop_at
        self.asked = 0

    def compare(self, prompt: str, first: str, second: str) -> float:
        self.asked += 1
        if self.stop_at is not None and self.asked > self.stop_at:
            raise StopRun("the purse is empty")
        pair = sorted((first, second))
        right = sum(map(ord, self.name + "".join(pair))) * 7 % 10 < self.tenths
        return float(right == ("chosen" in first))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    command = quietly(capsys)
    tuples(TUPLES)
    return command


def judged(*judges: Judge, **options: Any) -> rmjudge.Run:
    return rmjudge.evaluate(list(judges), "data.json", until_decided=True, out="o", **options)


def decision() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("o/decision.json").read_text("utf-8"))
    return found


def test_a_clear_difference_stops_both_after_the_same_tuples() -> None:
    tuples(TUPLES)
    good, bad = Judge("mine/good", 9), Judge("mine/bad", 3)
    found = judged(good, bad)
    assert found.decision is not None
    assert (found.decision.decided, found.decision.better) == (True, "mine/good")
    assert good.asked == bad.asked == 9 * TUPLES * found.decision.looks / 5
    assert found.decision.share == pytest.approx(found.decision.looks / 5)
    assert found.decision.share < 1
    assert found["mine/good"].tuples[0].key == found["mine/bad"].tuples[0].key
    told = decision()
    assert (told["better"], told["looks"]) == ("mine/good", found.decision.looks)
    assert told["interval"]["low"] > 0
    assert told["p"] < 0.05


def test_judges_that_are_alike_are_asked_everything_and_nothing_is_decided() -> None:
    tuples(TUPLES)
    found = judged(Judge("mine/one", 5), Judge("mine/one-b", 5))
    assert found.decision is not None
    assert found.decision.better is None
    assert (found.decision.looks, found.decision.share) == (5, 1.0)
    assert found.exit_code == 0


def test_when_one_stops_the_other_does_not_wait_and_both_go_on_later() -> None:
    tuples(TUPLES)
    with pytest.raises(StopRun):
        judged(Judge("mine/good", 9, stop_at=40), Judge("mine/bad", 3))
    assert decision()["looks"] == 0
    good, bad = Judge("mine/good", 9), Judge("mine/bad", 3)
    found = judged(good, bad)
    assert found.decision is not None
    assert found.decision.better == "mine/good"
    assert good.asked == 9 * TUPLES * found.decision.looks / 5 - 40


def test_the_same_command_again_gives_the_same_bytes_and_a_plain_one_asks_the_rest() -> None:
    tuples(TUPLES)
    judged(Judge("mine/good", 9), Judge("mine/bad", 3))
    names = ("decision.json", "mine-good/metrics.json", "mine-bad/results.jsonl")
    before = {name: Path("o", name).read_bytes() for name in names}
    again = Judge("mine/good", 9)
    judged(again, Judge("mine/bad", 3))
    assert again.asked == 0
    assert {name: Path("o", name).read_bytes() for name in names} == before
    rest = Judge("mine/good", 9)
    rmjudge.evaluate([rest, Judge("mine/bad", 3)], "data.json", out="o")
    assert 0 < rest.asked < 9 * TUPLES
    assert not Path("o/decision.json").exists()


def test_the_command_line_tells_the_decision(capsys: pytest.CaptureFixture[str]) -> None:
    tuples(TUPLES)
    words = ["run", "baseline/length", "baseline/random", "--data", "data.json", "--out", "o"]
    capsys.readouterr()
    assert main([*words, "--until-decided", "--json", "--quiet"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)["decision"]
    assert {**told, "format": 1} == decision()
    assert "of 5 looks" in shown.err


def test_a_dry_run_tells_what_share_to_expect(capsys: pytest.CaptureFixture[str]) -> None:
    tuples(TUPLES)
    words = ["run", "baseline/length", "baseline/random", "--data", "data.json", "--dry-run"]
    assert main([*words, "--until-decided", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    shares = [one["share"] for one in found["expected"]]
    assert shares == sorted(shares, reverse=True)
    assert all(0.2 <= share <= 1 for share in shares)
    assert all(one["at_most"] for one in found["dry_run"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["baseline/length"], "name two"),
        (["baseline/length", "baseline/random", "baseline/markdown"], "name two"),
        (["baseline/length", "baseline/random", "--until", "±2"], "use one of the two"),
        (["baseline/length", "baseline/random", "--limit", "3"], "5 looks"),
    ],
)
def test_what_cannot_be_decided_is_refused(run: Command, words: list[str], told: str) -> None:
    code, err = run(*words, "--until-decided")
    assert code == 2
    assert told in err
