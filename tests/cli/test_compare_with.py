"""`rmjudge compare --with CHEAP`: what a run of a part would show on all tuples of a cheap one."""

from __future__ import annotations

import csv
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

TUPLES = 180


def texts(rng: random.Random) -> list[str]:
    """Concise, detailed and Markdown, each of any length: the longer one wins by chance."""
    return ["word " * rng.randint(1, 40) for _ in range(3)]


@pytest.fixture(scope="module")
def runs(new_cli: Callable[[], Cli]) -> Cli:
    """A part of 60 tuples by length and by chance; all of them by length, and by chance."""
    cli, rng = new_cli(), random.Random(4)
    items = [
        {"id": i, "domain": "chat", "prompt": f"{i}?", "chosen": texts(rng), "rejected": texts(rng)}
        for i in range(TUPLES)
    ]
    (cli.home / "data.json").write_text(json.dumps(items), "utf-8")
    for kind in ("length", "random"):
        words = ["run", f"baseline/{kind}", "--data", "data.json"]
        assert cli(*words, "--out", f"all-{kind}").returncode == 0
        assert cli(*words, "--limit", "60", "--out", f"part-{kind}").returncode == 0
    return cli


def told(cli: Cli, *words: str) -> dict[str, Any]:
    done = cli("compare", *words, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_scorer_that_goes_along_wholly_tells_what_the_whole_run_shows(runs: Cli) -> None:
    found = told(runs, "part-length", "--with", "all-length")
    whole, part = runs.json("all-length/metrics.json"), runs.json("part-length/metrics.json")
    assert (found["asked"], found["tuples"]) == ({"chat": 60}, {"chat": TUPLES})
    for name, item in found["subjects"][0]["parts"].items():
        assert item["correlation"] == pytest.approx(1)
        assert item["asked"] == pytest.approx(part[name])
        assert item["value"] == pytest.approx(whole[name])
        ends = part["intervals"][name]
        assert item["asked_interval"] == ends
        assert item["narrower"] < 0.75
    assert part["average"] != pytest.approx(whole["average"])


def test_the_correlation_is_printed_first(runs: Cli) -> None:
    done = runs("compare", "part-length", "part-random", "--with", "all-length")
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert shown.index("Correlation with") < shown.index("Estimated over the 180 tuples")
    assert "+1.00" in shown
    assert "chat: 60 of 180 tuples asked." in shown
    assert "--limit takes the first" in done.stderr


def test_a_scorer_that_does_not_go_along_is_refused_with_the_correlation(runs: Cli) -> None:
    done = runs("compare", "part-length", "--with", "all-random")
    assert (done.returncode, done.stdout) == (2, "")
    assert "baseline/random is refused as a control variate" in done.stderr
    assert "under 0.3 (baseline/length " in done.stderr


def test_a_scorer_of_the_same_tuples_is_refused(runs: Cli) -> None:
    done = runs("compare", "part-length", "--with", "part-random")
    assert (done.returncode, done.stdout) == (2, "")
    assert "baseline/random scored no tuple more than the other runs" in done.stderr


def test_three_runs_are_refused(runs: Cli) -> None:
    done = runs("compare", "part-length", "part-random", "all-random", "--with", "all-length")
    assert done.returncode == 2
    assert "--with takes one RUN or two, not 3" in done.stderr


def test_each_part_of_each_scorer_and_of_their_difference_is_a_line_of_csv(runs: Cli) -> None:
    words = ["part-length", "part-random", "--with", "all-length", "--format", "csv"]
    rows = list(csv.DictReader(runs("compare", *words).stdout.splitlines()))
    assert len(rows) == 12
    assert [row["value"] == "" for row in rows[:4]] == [False] * 4
    random_average = rows[7]
    assert abs(float(random_average["correlation"])) < 0.3
    assert random_average["value"] == ""
