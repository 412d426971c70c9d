"""RewardBench 2's question to generative judges: which of the four is the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from batch_vendor import FAST, BatchVendor
from command import Cli
from served import ModelServer

ROWS: list[dict[str, Any]] = [
    {
        "id": n,
        "subset": ("Math", "Focus")[n % 2],
        "num_correct": 1,
        "total_completions": 4,
        "prompt": f"Question {n}?",
        "chosen": [f"Right {n}."],
        "rejected": [f"Wrong {n}, {k}." for k in range(3)],
    }
    for n in range(40)
]
TIES: dict[str, Any] = {"num_correct": 1, "total_completions": 2, "prompt": "?"}


def write(home: Path, rows: list[dict[str, Any]]) -> None:
    (home / "rb2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_judge_chooses_among_four_in_shuffled_order_and_a_lost_reply_counts_chance(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    write(home, ROWS)
    words = ("run", server.judge, "--method", "choice", "--data", "rb2.jsonl", "--quiet")
    done = cli(*words, "--out", "r")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((home / "r" / "metrics.json").read_text())
    rows = [json.loads(line) for line in (home / "r" / "results.jsonl").read_text().splitlines()]
    credits: dict[str, list[float]] = {"Math": [], "Focus": []}
    for row in rows:
        (choice,) = row["choices"]
        credits[row["subset"]].append(0.25 if choice == "no-verdict" else float(choice == [0]))
    means = [sum(values) / len(values) for values in credits.values()]
    assert metrics["headline"] == pytest.approx(sum(means) / 2)
    assert metrics["no_verdict"] == sum(row["choices"] == ["no-verdict"] for row in rows) > 0
    assert metrics["order"] == "shuffled"
    run = json.loads((home / "r" / "run.json").read_text())
    assert (run["calls"]["planned"], run["calls"]["sent"]) == (40, 40)
    again = cli(*words, "--out", "again")
    assert json.loads((home / "again" / "run.json").read_text())["calls"]["sent"] == 0
    assert again.returncode == done.returncode
    for name in ("metrics.json", "results.jsonl"):
        assert (home / "again" / name).read_bytes() == (home / "r" / name).read_bytes()
    assert "RewardBench 2" in cli("report", "r").stdout


def test_the_right_response_is_shown_in_every_place() -> None:
    from rmjudge.planning.ordering import shuffled

    texts = ["right", "a", "b", "c"]
    places = [shuffled(f"prompt {n}", texts, 0).index("right") for n in range(400)]
    assert all(70 < places.count(place) < 130 for place in range(4))
    other = [shuffled(f"prompt {n}", texts[::-1], 0).index("right") for n in range(400)]
    assert places == other


def test_ties_are_left_out_and_said(cli: Cli, home: Path, server: ModelServer) -> None:
    ties = {**TIES, "id": "ref:0", "subset": "Ties", "chosen": ["e"], "rejected": ["f"]}
    write(home, [*ROWS[:4], ties])
    done = cli("run", server.judge, "--method", "choice", "--data", "rb2.jsonl", "--out", "r")
    assert "the subset Ties is left out" in done.stdout.replace("\n", " ")


@pytest.mark.parametrize("source", ["sample", "mine.jsonl"])
def test_pairs_and_tuples_are_no_question_of_a_choice(
    cli: Cli, home: Path, server: ModelServer, source: str
) -> None:
    (home / "mine.jsonl").write_text('{"prompt": "?", "chosen": "a", "rejected": "b"}\n')
    before = server.stats["delivered"]
    done = cli("run", server.judge, "--method", "choice", "--data", source)
    assert done.returncode == 2
    assert "right against wrong responses" in done.stderr
    assert server.stats["delivered"] == before


def test_a_local_judge_chooses_the_response_of_the_letter_that_it_writes(
    cli: Cli, home: Path
) -> None:
    from local_models import CHATML, Kind
    from told_models import BRACKETS, make_told

    from rmjudge.planning.ordering import shuffled

    says_c = {**BRACKETS, "[[": {"C": 1.0}, "C": {"]]": 1.0}}
    kind = Kind(task="CausalLM", template=CHATML, more_tokens=("[[", "]]"))
    make_told(home / "judge", says_c, kind)
    write(home, ROWS[:12])
    words = ("run", "hf-judge/judge", "--method", "choice", "--data", "rb2.jsonl", "--quiet")
    done = cli(*words, "--device", "cpu", "--out", "r")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (home / "r" / "results.jsonl").read_text().splitlines()]
    for raw, row in zip(ROWS, rows, strict=False):
        texts = [*raw["chosen"], *raw["rejected"]]
        third = shuffled(raw["prompt"], texts, 0)[2]
        assert row["choices"] == [[texts.index(third)]]
    metrics = json.loads((home / "r" / "metrics.json").read_text())
    assert (metrics["method"], metrics["order"]) == ("choice", "shuffled")
    assert metrics["no_verdict"] == 0
    again = cli(*words, "--device", "cpu", "--out", "again")
    assert again.returncode == 0
    run = json.loads((home / "again" / "run.json").read_text())
    assert (run["calls"]["from_cache"], run["calls"]["sent"]) == (12, 0)
    assert cli.results("again") == cli.results("r")


def test_a_local_judge_that_names_a_letter_that_was_not_shown_has_no_verdict(
    cli: Cli, home: Path
) -> None:
    from local_models import CHATML, Kind
    from told_models import BRACKETS, make_told

    says_e = {**BRACKETS, "[[": {"E": 1.0}, "E": {"]]": 1.0}}
    kind = Kind(task="CausalLM", template=CHATML, more_tokens=("[[", "]]"))
    make_told(home / "judge", says_e, kind)
    write(home, ROWS[:6])
    words = ("run", "hf-judge/judge", "--method", "choice", "--data", "rb2.jsonl", "--quiet")
    cli(*words, "--device", "cpu", "--out", "r")
    metrics = json.loads((home / "r" / "metrics.json").read_text())
    assert metrics["no_verdict"] == 6
    assert metrics["headline"] == 0.25


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "openai-responses"])
def test_choices_that_a_batch_brings_are_those_of_a_live_run(
    cli: Cli, home: Path, vendor: BatchVendor, provider: str
) -> None:
    write(home, ROWS)
    words = ("run", vendor.model(provider), "--method", "choice", "--data", "rb2.jsonl", "--quiet")
    done = cli(*words, "--batch", "--out", "batch", **FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    stats = vendor.stats
    assert max(stats["paid"].values()) == 1
    assert (len(stats["paid"]), stats["live"]) == (39, 1)
    assert cli(*words, "--out", "live", "--cache-dir", "other").returncode == 0
    assert cli.results("batch") == cli.results("live")
    rows = [
        json.loads(line) for line in (home / "batch" / "results.jsonl").read_text().splitlines()
    ]
    chosen = {choice[0] for row in rows for choice in row["choices"] if choice != "no-verdict"}
    assert chosen == {0, 1, 2, 3}
    again = cli(*words, "--batch", "--out", "again", **FAST)
    assert again.returncode == 0
    assert cli.results("again") == cli.results("batch")
    assert vendor.stats["paid"] == stats["paid"]


def test_more_responses_than_letters_are_refused_before_anything_is_asked(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    wrong = [f"Wrong {k}." for k in range(26)]
    write(home, [ROWS[0], {**ROWS[1], "rejected": wrong}])
    words = ("run", server.judge, "--method", "choice", "--data", "rb2.jsonl")
    done = cli(*words)
    assert done.returncode == 2
    assert "Focus/1 of rewardbench-2 has 27 responses, and a choice has 26 letters" in done.stderr
    assert server.stats["delivered"] == 0
    write(home, [ROWS[0], {**ROWS[1], "rejected": [*wrong[:25], wrong[0]]}])
    assert cli(*words).returncode == 0
