"""The same run again from Python, and another: what is asked, what is written, where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_scorers import Counting, Politeness, Shorter, files

import rmjudge


@pytest.mark.parametrize("make", [Politeness, Shorter, lambda: "baseline/random"])
def test_a_second_run_sends_nothing_and_writes_the_same_bytes(make: Callable[[], Any]) -> None:
    first = rmjudge.evaluate(make(), out="one")
    second = rmjudge.evaluate(make(), out="two")
    (name,) = (result.metrics.scorer for result in first.results)
    assert first[name].calls.sent == first[name].calls.planned > 0
    assert (second[name].calls.sent, second[name].calls.from_cache) == (
        0,
        first[name].calls.planned,
    )
    assert files(Path("one")) == files(Path("two"))
    assert sorted(files(Path("one"))) == ["metrics.json", "results.jsonl"]


def test_another_cache_is_another_set_of_answers(tmp_path: Path) -> None:
    rmjudge.evaluate(Counting(), out="o", limit=1, cache_dir=tmp_path / "one")
    scorer = Counting()
    rmjudge.evaluate(scorer, out="o", limit=1, cache_dir=str(tmp_path / "two"))
    assert scorer.calls == 24


def test_another_version_of_a_scorer_is_asked_again() -> None:
    class Later(Counting):
        version = "2"

    rmjudge.evaluate(Counting(), out="o", limit=1)
    scorer = Later()
    rmjudge.evaluate(scorer, out="o", limit=1)
    assert scorer.calls == 24


def test_equal_calls_have_equal_folders_of_their_own() -> None:
    one = rmjudge.evaluate("baseline/length", limit=1)
    same = rmjudge.evaluate("baseline/length", limit=1)
    other = rmjudge.evaluate("baseline/length", limit=2)
    assert re.fullmatch(r"runs/baseline-length-sample-[0-9a-f]{8}", one.folder.as_posix())
    assert one.folder == same.folder
    assert one.folder != other.folder


@pytest.mark.parametrize("options", [{"seed": 1}, {"order": "both"}])
def test_a_run_that_asks_otherwise_has_a_folder_of_its_own(options: Any) -> None:
    one = rmjudge.evaluate(Shorter(), limit=1)
    other = rmjudge.evaluate(Shorter(), limit=1, **options)
    assert one.folder != other.folder


def test_another_seed_shows_other_responses_first() -> None:
    class First(rmjudge.PairwiseScorer):
        name, version = "mine/first", "1"

        def compare(self, prompt: str, first: str, second: str) -> float:
            return 1.0

    one = rmjudge.evaluate(First(), out="one")
    rmjudge.evaluate(First(), out="two", seed=1)
    assert files(Path("one"))["results.jsonl"] != files(Path("two"))["results.jsonl"]
    position = one["mine/first"].metrics.position
    assert position is not None
    assert position.first_share == 1.0
